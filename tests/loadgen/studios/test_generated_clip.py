import statistics

import pytest

from loadgen.errors import ScenarioError
from loadgen.studios.clip import Clip
from loadgen.studios.generated_clip import BITRATE_TOLERANCE, VideoSettings, generate
from loadgen.studios.nal_units import nal_type
from tests.loadgen.studios.clips import decoded, generated


def sizes(clip: Clip, is_keyframe: bool) -> list[int]:
    return [sum(map(len, unit.nals)) for unit in clip.video if unit.is_keyframe == is_keyframe]


@pytest.mark.parametrize(
    "settings",
    [
        VideoSettings(1280, 720, 30, 1_500_000, 2.0),
        VideoSettings(1280, 720, 30, 500_000, 1.0),
        VideoSettings(640, 360, 25, 800_000, 1.0),
        VideoSettings(640, 360, 30, 20_000_000, 1.0),
        VideoSettings(320, 240, 15, 100_000, 0.5),
        VideoSettings(640, 480, 60000 / 1001, 2_000_000, 1.0),
    ],
    ids=str,
)
def test_generated_clip_is_what_was_asked_for(settings: VideoSettings) -> None:
    clip = generate(settings)
    assert clip.video_bps == pytest.approx(settings.bitrate_bps, rel=BITRATE_TOLERANCE)
    assert len(clip.video) / clip.duration_s == pytest.approx(settings.frame_rate, rel=1e-3)
    keyframes = [number for number, unit in enumerate(clip.video) if unit.is_keyframe]
    assert keyframes == list(range(0, len(clip.video), round(settings.keyframe_interval_s * settings.frame_rate)))
    assert clip.profile_level_id[:2] == "42"
    assert int(clip.profile_level_id[2:4], 16) & 0x40, "constraint_set1: constrained baseline"
    assert len(clip.audio) == pytest.approx(clip.duration_s * 50, abs=1)


def test_generated_clip_decodes_across_the_seam() -> None:
    clip = generated()
    count = len(clip.video)
    shown = decoded(clip.video * 2)
    assert len(shown) == 2 * count
    assert len(set(shown)) == count, "the picture moves"
    assert shown[:count] == shown[count:]


def test_seam_is_seen_where_it_does_not_fit() -> None:
    clip = generated()
    count = len(clip.video)
    assert decoded(clip.video + clip.video[1:])[count:] != decoded(clip.video)[1:], "or the test above proves nothing"


def test_generated_clip_of_keyframes_only_alternates_idr_pic_id_at_the_seam() -> None:
    clip = generated(keyframe_interval_s=1 / 30)
    assert all(unit.is_keyframe for unit in clip.video)
    assert len(clip.video) % 2 == 0
    shown = decoded(clip.video * 2)
    assert shown[: len(clip.video)] == shown[len(clip.video) :]


def test_generated_clip_has_one_slice_a_frame_and_parameter_sets_before_keyframes() -> None:
    for unit in generated().video:
        assert [nal_type(nal) for nal in unit.nals] == ([7, 8, 5] if unit.is_keyframe else [1])


def test_generated_clip_keyframes_are_larger_and_no_frame_is_empty() -> None:
    clip = generated()
    normal = sizes(clip, is_keyframe=False)
    assert statistics.mean(sizes(clip, is_keyframe=True)) > 1.5 * statistics.mean(normal)
    assert min(normal) > 0.1 * statistics.mean(normal)


def test_generated_clip_bitrate_is_constant_from_second_to_second() -> None:
    clip = generated()
    units = [sum(map(len, unit.nals)) for unit in clip.video]
    seconds = [sum(units[start : start + 30]) * 8 for start in range(0, len(units), 30)]
    assert all(bits == pytest.approx(300_000, rel=0.15) for bits in seconds)


def test_generated_clip_without_audio() -> None:
    assert generated(has_audio=False).audio == ()


def test_generated_audio_is_of_constant_bitrate_and_decodes() -> None:
    audio = generated().audio
    assert {len(packet.payload) for packet in audio} == {160}, "64 kb/s in packets of 20 ms"
    assert [packet.pts_rtp_ticks for packet in audio[:3]] == [0, 960, 1920]


@pytest.mark.parametrize("bitrate_bps", [50_000_000_000, 50])
def test_generated_clip_that_cannot_be_is_a_scenario_error(bitrate_bps: float) -> None:
    with pytest.raises(ScenarioError, match="generated 64x64"):
        generate(VideoSettings(64, 64, 30, bitrate_bps, 1.0))
