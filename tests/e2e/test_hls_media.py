"""What LL-HLS carries, as libavformat and libavcodec see it: continuous, in sync and on time, whatever the studio does.

The demo table's lamp and tone are compared (`hls_media.py`). RAILBIRD_HLS_MEDIA_S says how many seconds are looked at:
300 for a thorough look.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.hls_media import demuxed
from tests.e2e.hls_reader import HlsReader, Segment
from tests.e2e.hls_stretch import IN_SYNC_MS, Stretch, in_sync, most, on_time, spread
from tests.e2e.studio_demo import DemoStudio
from tests.e2e.windows import WINDOWS, in_one_window
from tests.reruns import Kept

MEDIA_S: Final = float(os.environ.get("RAILBIRD_HLS_MEDIA_S", "12"))
STEP_S: Final = 0.050
"""How far PROGRAM-DATE-TIME may step from one segment to the next: until a studio's first sender report the time of
arrival stands in for the time of capture."""
ROUNDING_S: Final = 0.000_01
"""Of EXTINF, half of its last digit and some."""

pytestmark = pytest.mark.timeout(120 + (WINDOWS + 2) * MEDIA_S)


async def _record(directories: pytest.TempPathFactory) -> HlsReader:
    """Without a break, which a studio or a gateway that is held up for two seconds makes."""
    return await in_one_window(
        lambda: _record_once(directories.mktemp("hls_media") / "gateway.log"),
        lambda reader: len(Stretch.all_of(reader)) == 1,
    )


async def _record_once(log: Path) -> HlsReader:
    gateway = GatewayProcess(log, udp="127.0.0.1:0", http="127.0.0.1:0", settings={})
    studio = DemoStudio(gateway)
    try:
        await gateway.start()
        await studio.start()
        await gateway.live("demo")
        return await HlsReader.read(gateway.http, "demo", MEDIA_S)
    finally:
        await studio.stop()
        await gateway.stop()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Kept[HlsReader]:
    """MEDIA_S of the demo table, from a packager that had just begun."""
    return Kept(lambda: asyncio.run(_record(tmp_path_factory)))


@pytest.fixture
def recording(recordings: Kept[HlsReader], request: pytest.FixtureRequest) -> HlsReader:
    """The newest of them."""
    return recordings.of(request.node)


@pytest.fixture
def stretch(recording: HlsReader) -> Stretch:
    """The recording, which has no break."""
    (stretch,) = Stretch.all_of(recording)
    return stretch


# Bytes and ticks


def test_parts_of_a_segment_are_the_segment(recording: HlsReader) -> None:
    for rendition in (recording.video, recording.audio):
        assert len(rendition.segments) >= MEDIA_S / 2 - 2
        for segment in rendition.segments:
            assert b"".join(part.payload for part in segment.parts) == segment.payload
            assert segment.duration_s == pytest.approx(sum(part.duration_s for part in segment.parts), abs=1e-4)


def test_samples_follow_one_another_without_gap_or_overlap(stretch: Stretch, measured: Callable[[str], None]) -> None:
    assert stretch.steps() == {0}
    for name, media in (("video", stretch.video_media()), ("audio", stretch.audio_media())):
        time_base, samples = demuxed(*media)
        assert all(sample.pts == sample.dts for sample in samples)
        assert all(sample.duration > 0 for sample in samples)
        durations = {sample.duration for sample in samples}
        length_s = float((samples[-1].pts + samples[-1].duration - samples[0].pts) * time_base)
        measured(f"{name}: {len(samples)} samples in {length_s:.3f} s, none apart; durations {min(durations)} to "
                 f"{max(durations)} ticks")  # fmt: skip


def test_durations_of_segments_are_those_of_their_samples(stretch: Stretch) -> None:
    for rendition, segments in ((stretch.video, stretch.video_segments), (stretch.audio, stretch.audio_segments)):
        for segment in segments:
            time_base, samples = demuxed(rendition.inits[segment.init_uri], segment.payload)
            length_s = float(sum(sample.duration for sample in samples) * time_base)
            assert segment.duration_s == pytest.approx(length_s, abs=ROUNDING_S)
            assert samples[0].is_keyframe


# Time


def _pdt_steps_s(segments: Sequence[Segment]) -> list[float]:
    """How far each segment begins, by PROGRAM-DATE-TIME, from where the one before ended."""
    return [after.unix_s - before.unix_s - before.duration_s for before, after in itertools.pairwise(segments)]


def test_program_date_time_goes_on_with_the_media(stretch: Stretch, measured: Callable[[str], None]) -> None:
    for name, segments in (("video", stretch.video_segments), ("audio", stretch.audio_segments)):
        steps_s = _pdt_steps_s(segments)
        worst_s = max(map(abs, steps_s))
        measured(f"{name}: {sum(abs(step) > 0.002 for step in steps_s)} steps of PROGRAM-DATE-TIME of more than 2 ms, "
                 f"the largest {worst_s * 1000:.0f} ms")  # fmt: skip
        assert worst_s < STEP_S


def test_program_date_time_is_when_the_picture_was_drawn(stretch: Stretch, measured: Callable[[str], None]) -> None:
    errors_ms = stretch.pdt_errors_ms()
    assert errors_ms.size == len(demuxed(*stretch.video_media())[1]), "every time code was read"
    measured(f"PROGRAM-DATE-TIME minus the time in the picture: {spread(errors_ms)}")
    assert on_time(errors_ms)


# Sync


def test_beeps_come_with_their_flashes(stretch: Stretch, measured: Callable[[str], None]) -> None:
    seen_ms = in_sync(stretch, MEDIA_S - 5, measured)
    assert most(seen_ms) < IN_SYNC_MS
