"""The samples that a stream's init sections, segments and parts hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from struct import error as StructError  # noqa: N812 - struct names it in lower case

from tests.hls_conformance.boxes import Sample, Track, read_samples, read_track
from tests.hls_conformance.reader import Part
from tests.hls_conformance.recording import Stream


@dataclass(frozen=True)
class Media:
    """The samples of one resource, and the track they belong to."""

    track: Track
    samples: tuple[Sample, ...]

    @property
    def duration_s(self) -> float:
        return sum(sample.duration_ticks for sample in self.samples) / self.track.timescale

    @property
    def start_ticks(self) -> int:
        return self.samples[0].decode_ticks

    @property
    def end_ticks(self) -> int:
        last = self.samples[-1]
        return last.decode_ticks + last.duration_ticks

    @property
    def start_s(self) -> float:
        return self.start_ticks / self.track.timescale


class StreamMedia:
    """Reads what was received; what is no fMP4 is left out, which rules of section 3 notice."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def track(self, path: str) -> Track | None:
        """Of the init section at that path."""
        exchange = self._stream.listed.get(path)
        try:
            return read_track(exchange.body) if exchange is not None and exchange.status == 200 else None
        except (AssertionError, StructError, IndexError):
            return None

    @cache  # noqa: B019 - as long-lived as the recording
    def segments(self, rendition: str) -> dict[int, Media]:
        """By MSN, in order."""
        found = {
            segment.msn: self._media(rendition, segment.msn, path)
            for path, segment in self._stream.segments(rendition).items()
        }
        return {msn: media for msn, media in sorted(found.items()) if media is not None}

    @cache  # noqa: B019
    def parts(self, rendition: str) -> list[tuple[Part, Media]]:
        """In order."""
        found = [(p, self._media(rendition, p.msn, path)) for path, p in self._stream.parts(rendition).items()]
        return sorted(((p, m) for p, m in found if m is not None), key=lambda pair: (pair[0].msn, pair[0].index))

    def _media(self, rendition: str, msn: int, path: str) -> Media | None:
        exchange = self._stream.listed.get(path)
        track = self.track(self._stream.init_of(rendition).get(msn, ""))
        if exchange is None or exchange.status != 200 or track is None:
            return None
        try:
            samples = read_samples(exchange.body, track)
        except (AssertionError, StructError, IndexError):
            return None
        return Media(track, tuple(samples)) if samples else None


@cache
def media_of(stream: Stream) -> StreamMedia:
    return StreamMedia(stream)
