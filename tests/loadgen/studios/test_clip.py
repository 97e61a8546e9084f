import dataclasses

import pytest

from loadgen.errors import ScenarioError
from loadgen.studios.clip import AudioPacket, audio_within, checked, loop_duration
from tests.loadgen.studios.clips import synthetic

CLIP = synthetic()


def test_clip_that_begins_with_a_keyframe_and_goes_forward_is_taken() -> None:
    assert checked(CLIP) is CLIP
    assert CLIP.profile_level_id == "42c01e"
    assert CLIP.video_bps == pytest.approx(CLIP.video_bytes * 8 * 30 / 8)


def test_clip_that_begins_elsewhere_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no IDR picture"):
        checked(dataclasses.replace(CLIP, video=CLIP.video[1:]))
    without_sets = dataclasses.replace(CLIP.video[0], nals=CLIP.video[0].nals[2:])
    with pytest.raises(ScenarioError, match="SPS and PPS"):
        checked(dataclasses.replace(CLIP, video=(without_sets, *CLIP.video[1:])))


def test_clip_whose_frames_are_not_in_order_is_refused() -> None:
    video = list(CLIP.video)
    video[2], video[3] = video[3], video[2]
    with pytest.raises(ScenarioError, match="B-frames"):
        checked(dataclasses.replace(CLIP, video=tuple(video)))


@pytest.mark.parametrize(("rtp_ticks", "expected"), [(360_000, 360_000), (360_001, 360_015), (15, 15), (16, 30)])
def test_loop_duration_is_whole_in_both_clocks(rtp_ticks: int, expected: int) -> None:
    assert loop_duration(rtp_ticks) == expected
    assert expected * 48 % 90 == 0


def test_audio_outside_of_the_video_is_left_out() -> None:
    packets = [AudioPacket(b"", pts) for pts in (-960, 0, 960, 1920, 47_999, 48_000)]
    assert [packet.pts_rtp_ticks for packet in audio_within(packets, 90_000)] == [0, 960, 1920, 47_999]
