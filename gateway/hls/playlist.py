"""Media playlists as text (draft-pantos-hls-rfc8216bis section 4.4): one a part, whoever asks for it.

URIs are relative to the playlist's own: `video.m3u8` names `video/7.m4s`.
"""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from gateway.hls.clock_text import date_time
from gateway.hls.date_ranges import DateRanges
from gateway.hls.rendition import Rendition, Segment

VERSION = 6
"""What EXT-X-MAP needs (section 8); more than is needed should not be said (section 6.2.1)."""
PART_HOLD_BACK_PARTS = 3
HOLD_BACK_TARGET_DURATIONS = 3
SKIP_TARGET_DURATIONS = 6
"""The least that section 4.4.3.8 allows."""
LISTED_PARTS_TARGET_DURATIONS = 3
"""Parts further from the end are not named any more (section 4.4.4.9)."""

_GZIP_LEVEL = 5


@dataclass(frozen=True, slots=True)
class Text:
    """A playlist, as it goes out."""

    plain: bytes
    gzipped: bytes
    etag: str


class Skip(Enum):
    """What a delta update may leave out (section 6.2.5.1): the value of _HLS_skip."""

    NOTHING = ""
    SEGMENTS = "YES"
    SEGMENTS_AND_DATE_RANGES = "v2"


_VERSIONS = {Skip.NOTHING: VERSION, Skip.SEGMENTS: 9, Skip.SEGMENTS_AND_DATE_RANGES: 10}
"""Section 8."""


class MediaPlaylist:
    """The playlist of one rendition: rendered when it is asked for the first time after a change, and kept."""

    def __init__(
        self, rendition: Rendition, others: Sequence[Rendition], date_ranges: DateRanges, etag_prefix: str
    ) -> None:
        """It reports on `others`."""
        self.rendition = rendition
        self._others = others
        self._date_ranges = date_ranges
        self._etag_prefix = etag_prefix
        self._rendered: dict[Skip, Text] = {}
        self._versions = (-1, -1)
        self._final: Text | None = None
        """What it says once it has ended."""

    def text(self, skip: Skip, now_s: float) -> Text:
        """The playlist of now, or a delta update where there is something to leave out."""
        if self.rendition.is_ended:
            skip = Skip.NOTHING
            if self._final is not None:
                return self._final
        versions = (self.rendition.version, self._date_ranges.version)
        if self._versions != versions:
            self._versions = versions
            self._rendered.clear()
        text = self._rendered.get(skip)
        if text is None:
            plain = "".join(f"{line}\n" for line in self._lines(skip, now_s)).encode()
            # Weak, as zipped and plain share it (RFC 9110 section 8.8.1).
            etag = f'W/"{self._etag_prefix}-{versions[0]}-{versions[1]}{skip.value}"'
            text = self._rendered[skip] = Text(plain, zipped(plain), etag)
        if self.rendition.is_ended:
            self._final = text
        return text

    def _lines(self, skip: Skip, now_s: float) -> Iterator[str]:
        rendition = self.rendition
        named = [segment for segment in rendition.segments if segment.parts]
        skipped = 0 if skip is Skip.NOTHING else _skippable(rendition, named)
        if not skipped:
            skip = Skip.NOTHING
        yield "#EXTM3U"
        yield f"#EXT-X-VERSION:{_VERSIONS[skip]}"
        yield f"#EXT-X-TARGETDURATION:{rendition.target_duration_s}"
        yield _server_control(rendition)
        yield f"#EXT-X-PART-INF:PART-TARGET={rendition.part_target_s:.5f}"
        yield f"#EXT-X-MEDIA-SEQUENCE:{named[0].msn if named else 0}"
        yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{rendition.discontinuity_sequence}"
        if skip is Skip.SEGMENTS:
            yield f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"
        if skip is Skip.SEGMENTS_AND_DATE_RANGES:
            removed = self._date_ranges.recently_removed()
            yield f'#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped},RECENTLY-REMOVED-DATERANGES="{removed}"'
            yield from self._date_ranges.tags(now_s - _skip_until_s(rendition))
        else:
            yield from self._date_ranges.tags()
        yield from self._segments(named, skipped)
        yield from self._end()

    def _end(self) -> Iterator[str]:
        yield from self._reports()
        rendition = self.rendition
        if rendition.is_ended:
            yield "#EXT-X-ENDLIST"
            return
        msn, part = rendition.hinted
        if (hinted_init := rendition.hinted_init) is not None:
            yield f'#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="{init_uri(rendition.name, hinted_init)}"'
        yield f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{rendition.name}/{msn}.{part}.m4s"'

    def _reports(self) -> Iterator[str]:
        for other in self._others:
            if other.last is not None:
                last_msn, last_part = other.last
                yield f'#EXT-X-RENDITION-REPORT:URI="{other.name}.m3u8",LAST-MSN={last_msn},LAST-PART={last_part}'

    def _segments(self, named: list[Segment], skipped: int) -> Iterator[str]:
        listed_s = LISTED_PARTS_TARGET_DURATIONS * self.rendition.target_duration_s
        behind_s = sum(segment.duration_s for segment in named)
        init_number: int | None = named[skipped - 1].init_number if skipped else None
        for number, segment in enumerate(named):
            behind_s -= segment.duration_s
            if number < skipped:
                continue
            if segment.is_discontinuity:
                yield "#EXT-X-DISCONTINUITY"
            if segment.init_number != init_number:
                init_number = segment.init_number
                yield f'#EXT-X-MAP:URI="{init_uri(self.rendition.name, init_number)}"'
            yield from self._segment(segment, names_parts=behind_s < listed_s)

    def _segment(self, segment: Segment, names_parts: bool) -> Iterator[str]:
        stem = f"{self.rendition.name}/{segment.msn}"
        if segment.unix_s is not None:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{date_time(segment.unix_s)}"
        for number, part in enumerate(segment.parts if names_parts else ()):
            independent = ",INDEPENDENT=YES" if part.is_independent else ""
            yield f'#EXT-X-PART:DURATION={part.duration_s:.5f},URI="{stem}.{number}.m4s"{independent}'
        if segment.is_whole:
            yield f"#EXTINF:{segment.duration_s:.5f},"
            yield f"{stem}.m4s"


def zipped(plain: bytes) -> bytes:
    """A playlist as gzip; at a fixed time, so that the same playlist is the same bytes."""
    return gzip.compress(plain, _GZIP_LEVEL, mtime=0)


def init_uri(name: str, number: int) -> str:
    """Where a rendition's media initialization section lies."""
    return f"{name}/init-{number}.mp4"


def _server_control(rendition: Rendition) -> str:
    part_hold_back_s = PART_HOLD_BACK_PARTS * rendition.part_target_s
    hold_back_s = HOLD_BACK_TARGET_DURATIONS * rendition.target_duration_s
    return (
        f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={part_hold_back_s:.5f},"
        f"HOLD-BACK={hold_back_s:.1f},CAN-SKIP-UNTIL={_skip_until_s(rendition):.1f}"
    )


def _skip_until_s(rendition: Rendition) -> float:
    return float(SKIP_TARGET_DURATIONS * rendition.target_duration_s)


def _skippable(rendition: Rendition, named: list[Segment]) -> int:
    """How many segments lie wholly before the skip boundary, counted from the last whole one's end (section
    4.4.3.8)."""
    behind_s = sum(segment.duration_s for segment in named if segment.is_whole)
    count = 0
    for segment in named:
        behind_s -= segment.duration_s
        if not segment.is_whole or behind_s < _skip_until_s(rendition):
            break
        count += 1
    return count
