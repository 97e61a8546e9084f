from pathlib import Path

import pytest

from loadgen.errors import ScenarioError
from loadgen.studios import file_clip
from loadgen.studios.nal_units import nal_type
from tests.loadgen.studios.clips import decoded, write_file


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_file_is_read_without_a_new_encode(tmp_path: Path, suffix: str) -> None:
    clip = file_clip.read(write_file(tmp_path / f"clip{suffix}"))
    assert [number for number, unit in enumerate(clip.video) if unit.is_keyframe] == [0, 20, 40]
    assert [unit.pts_rtp_ticks for unit in clip.video[:3]] == pytest.approx([0, 3000, 6000], abs=90)
    assert clip.duration_s == pytest.approx(2.0, abs=0.01)
    assert {7, 8, 5} <= {nal_type(nal) for nal in clip.video[20].nals}
    shown = decoded(clip.video * 2)
    assert shown[:60] == shown[60:]
    assert len(clip.audio) == pytest.approx(100, abs=1)
    assert clip.duration_rtp_ticks % 15 == 0


def test_file_without_audio(tmp_path: Path) -> None:
    assert file_clip.read(write_file(tmp_path / "silent.mp4", audio=None)).audio == ()


def test_file_with_several_slices_delimiters_and_filler(tmp_path: Path) -> None:
    x264 = (
        "bframes=0:keyint=20:scenecut=0:slices=3:aud=1:nal-hrd=cbr:bitrate=400:vbv-maxrate=400:vbv-bufsize=100:filler=1"
    )
    clip = file_clip.read(write_file(tmp_path / "odd.mkv", x264=x264))
    kinds = [[nal_type(nal) for nal in unit.nals] for unit in clip.video]
    assert all(9 not in kind for kind in kinds), "no delimiters"
    assert kinds[0].count(5) > 1
    assert kinds[1].count(1) > 1
    assert any(12 in kind for kind in kinds), "the file is as large as its maker wanted it"
    assert any(6 in kind for kind in kinds), "its own SEI stays"
    shown = decoded(clip.video * 2)
    assert shown[:60] == shown[60:]


def test_file_begins_at_its_first_keyframe(tmp_path: Path) -> None:
    path = write_file(tmp_path / "open.mkv", bitstream_filter="noise=drop='eq(n\\,0)'")
    clip = file_clip.read(path)
    assert len(clip.video) == 40
    assert clip.video[0].is_keyframe
    assert clip.video[0].pts_rtp_ticks == 0
    assert clip.audio[0].pts_rtp_ticks in range(960 + 48), "sound begins with the picture"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"x264": "bframes=2:b-adapt=0"}, "B-frames"),
        ({"video": "mpeg4"}, "video is mpeg4, not h264"),
        ({"audio": "aac"}, "audio is aac, not opus"),
        ({"video": None}, "has no video"),
        ({"frames": 1, "audio": None}, "fewer than two frames"),
    ],
)
def test_file_that_cannot_be_published_is_refused(
    tmp_path: Path, settings: dict[str, str | int | None], sentence: str
) -> None:
    path = write_file(tmp_path / "bad.mp4", **settings)  # type: ignore[arg-type]
    with pytest.raises(ScenarioError, match=sentence) as refused:
        file_clip.read(path)
    assert "bad.mp4" in str(refused.value)


def test_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        file_clip.read(tmp_path / "missing.mp4")
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(ScenarioError, match="cannot be read"):
        file_clip.read(tmp_path / "text.mp4")
    with pytest.raises(ScenarioError, match="cannot be read"):
        file_clip.read(tmp_path)


def test_file_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_clip, "MAX_CLIP_BYTES", 1 << 10)
    with pytest.raises(ScenarioError, match="larger than"):
        file_clip.read(write_file(tmp_path / "large.mp4"))
