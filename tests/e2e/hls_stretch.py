"""One stretch of LL-HLS without a break, both renditions of it, and what is measured of it: steps, times, sync."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.e2e.hls_media import Picture, Placed, beeps, demuxed, flashes, joined, paired, pictures, placed, skews_s
from tests.e2e.hls_reader import HlsReader, RenditionReader, Segment, runs

IN_SYNC_MS: Final = 40
ON_TIME_MS: Final = 50
"""How far PROGRAM-DATE-TIME may be from the time in the picture."""


class Stretch(NamedTuple):
    """What lies between two discontinuities, of both renditions."""

    video: RenditionReader
    audio: RenditionReader
    video_segments: list[Segment]
    audio_segments: list[Segment]

    @classmethod
    def all_of(cls, reader: HlsReader) -> list[Stretch]:
        """AssertionError where the renditions do not break at the same segments."""
        video, audio = list(runs(reader.video.segments)), list(runs(reader.audio.segments))
        assert [run[0].msn for run in video] == [run[0].msn for run in audio]
        return [cls(reader.video, reader.audio, *both) for both in zip(video, audio, strict=True)]

    def video_media(self) -> tuple[bytes, bytes]:
        """Init section and parts."""
        return self.video.inits[self.video_segments[0].init_uri], joined(self.video_segments)

    def audio_media(self) -> tuple[bytes, bytes]:
        """Init section and parts."""
        return self.audio.inits[self.audio_segments[0].init_uri], joined(self.audio_segments)

    def pictures(self) -> list[Picture]:
        """All of them, decoded."""
        return list(pictures(*self.video_media(), self.video_segments[0].unix_s))

    def placed(self) -> list[Placed]:
        """All pictures, with what PROGRAM-DATE-TIME says of each."""
        time_base, samples = demuxed(*self.video_media())
        return placed(self.pictures(), self.video_segments, float(samples[0].pts * time_base))

    def steps(self) -> set[int]:
        """Ticks from where each sample ends to where the next begins, of both renditions."""
        return _steps(*self.video_media()) | _steps(*self.audio_media())

    def apart_ms(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How late each beep comes after its flash: as seen, and by the time codes of all pictures."""
        shown, onsets = self.pictures(), beeps(*self.audio_media())
        seen_s = [pair.apart_s for pair in paired(flashes(shown), onsets)]
        return np.array(seen_s) * 1000, np.array(skews_s(shown, onsets)) * 1000

    def pdt_errors_ms(self) -> NDArray[np.float64]:
        """By how much PROGRAM-DATE-TIME is later than the time in the picture, for each picture."""
        return np.array([frame.error_s for frame in self.placed()]) * 1000


def _steps(init: bytes, media: bytes) -> set[int]:
    _, samples = demuxed(init, media)
    return {after.dts - before.dts - before.duration for before, after in itertools.pairwise(samples)}


def spread(values_ms: NDArray[np.float64]) -> str:
    """For the report."""
    return f"p50 {np.median(values_ms):.1f} ms, {values_ms.min():.1f} to {values_ms.max():.1f} ms"


def most(values_ms: NDArray[np.float64]) -> float:
    """Nine in ten are no further from 0: a studio that is held up draws late, and what it sends of a tone is torn."""
    return float(np.quantile(np.abs(values_ms), 0.9))


def on_time(errors_ms: NDArray[np.float64]) -> bool:
    """Whether PROGRAM-DATE-TIME says when pictures were drawn. A studio that is held up draws some of them late, so
    that they lie below 0; none may lie above."""
    return abs(float(np.median(errors_ms))) < ON_TIME_MS and float(errors_ms.max()) < ON_TIME_MS


def in_sync(stretch: Stretch, least: float, measured: Callable[[str], None]) -> NDArray[np.float64]:
    """See that each beep comes when its second does in the picture, for `least` seconds at least; returns how late it
    is seen to be."""
    seen_ms, skew_ms = stretch.apart_ms()
    assert min(seen_ms.size, skew_ms.size) >= least
    measured(
        f"beep behind flash, {seen_ms.size} seconds: {spread(seen_ms)}; by the time code: {spread(skew_ms)}, "
        f"first {skew_ms[0]:.1f}, last {skew_ms[-1]:.1f} ms"
    )
    assert most(skew_ms) < IN_SYNC_MS
    return seen_ms
