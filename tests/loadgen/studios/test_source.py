from pathlib import Path

import pytest

from loadgen.errors import ScenarioError
from loadgen.scenario.schema import FileSource, GeneratedSource, PictureSize
from loadgen.studios.source import load
from tests.loadgen.studios.clips import write_file


def test_generated_source_is_made_as_asked() -> None:
    source = GeneratedSource(
        size=PictureSize(320, 240), frame_rate=25, bitrate_bps=400_000, keyframe_interval_s=1.0, audio=False
    )
    clip = load(source, "paced")
    assert clip.video_bps == pytest.approx(400_000, rel=0.03)
    assert clip.keyframes == (0, 25, 50, 75)
    assert clip.audio == ()
    assert clip.pacing == "paced"


def test_file_source_is_read(tmp_path: Path) -> None:
    clip = load(FileSource(file=write_file(tmp_path / "clip.mp4")), "burst")
    assert len(clip.frames) == 60
    assert clip.audio


def test_file_source_that_is_missing_is_a_scenario_error(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.mp4"):
        load(FileSource(file=tmp_path / "none.mp4"), "burst")
