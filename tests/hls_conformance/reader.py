"""A strict reader of playlists that keeps every line. It refuses what can not be understood (sections 4.1, 4.2, 4.4);
rules about what is understood are in `rules/`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final

from tests.hls_conformance.attributes import Attributes, Form, PlaylistError, read_attributes
from tests.hls_conformance.tags import TAGS, Kind, Tag

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")
_TAB: Final = re.compile("\t")
_MAY_HOLD_TABS: Final = "#EXT-X-SKIP:"
"""RECENTLY-REMOVED-DATERANGES is delimited by tabs (4.4.5.2), which 4.1 forbids: the particular rule wins."""


@dataclass(frozen=True)
class Line:
    """One line that is neither blank nor a comment. `tag` is None for a URI."""

    number: int
    text: str
    tag: str | None = None
    value: str = ""
    attributes: Attributes = field(default_factory=Attributes)

    @property
    def kind(self) -> Kind | None:
        return TAGS[self.tag].kind if self.tag is not None else None


@dataclass(frozen=True)
class Part:
    msn: int
    index: int
    uri: str
    duration_s: float
    independent: bool
    gap: bool
    line: int


@dataclass
class Segment:
    """A Media Segment; `uri` and `duration_s` are None for the last one while only its parts are listed."""

    msn: int
    discontinuity_sequence: int
    init_uri: str | None = None
    uri: str | None = None
    duration_s: float | None = None
    date: datetime | None = None
    discontinuity: bool = False
    gap: bool = False
    parts: list[Part] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


class Playlist:
    """The lines of either sort of playlist."""

    def __init__(self, body: bytes) -> None:
        self.text = _decoded(body)
        self.lines = list(_lines(self.text))

    def all(self, tag: str) -> list[Line]:
        return [line for line in self.lines if line.tag == tag]

    def first(self, tag: str) -> Line | None:
        return next(iter(self.all(tag)), None)

    def integer(self, tag: str, default: int) -> int:
        line = self.first(tag)
        return int(line.value) if line is not None else default

    @property
    def version(self) -> int:
        return self.integer("EXT-X-VERSION", 1)


class MediaPlaylist(Playlist):
    """A Media Playlist: its segments with their numbers, and what else it says."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.media_sequence = self.integer("EXT-X-MEDIA-SEQUENCE", 0)
        self.discontinuity_sequence = self.integer("EXT-X-DISCONTINUITY-SEQUENCE", 0)
        self.target_duration_s = self.integer("EXT-X-TARGETDURATION", 0)
        self.ended = self.first("EXT-X-ENDLIST") is not None
        skip = self.first("EXT-X-SKIP")
        self.skipped = skip.attributes.integer("SKIPPED-SEGMENTS") if skip else 0
        self.segments: list[Segment] = []
        """Whole ones: those with a URI."""
        self.open = self._read_segments()
        """The one whose parts are listed and whose URI is not yet; it may have no parts."""

    def _read_segments(self) -> Segment:
        segment = Segment(self.media_sequence + self.skipped, self.discontinuity_sequence)
        for line in self.lines:
            if line.tag is None:
                segment.uri = line.text
            elif line.kind is not Kind.MEDIA_SEGMENT:
                continue
            segment.lines.append(line)
            _apply(line, segment)
            if line.tag is None:
                self.segments.append(segment)
                segment = Segment(segment.msn + 1, segment.discontinuity_sequence, segment.init_uri)
        return segment

    @cached_property
    def control(self) -> Attributes:
        line = self.first("EXT-X-SERVER-CONTROL")
        return line.attributes if line is not None else Attributes()

    @cached_property
    def part_target_s(self) -> float | None:
        line = self.first("EXT-X-PART-INF")
        return line.attributes.seconds("PART-TARGET") if line is not None else None

    @cached_property
    def all_segments(self) -> list[Segment]:
        """With the open one, where it has parts."""
        return self.segments + ([self.open] if self.open.parts else [])

    @cached_property
    def parts(self) -> list[Part]:
        return [part for segment in self.all_segments for part in segment.parts]

    @property
    def duration_s(self) -> float:
        """Section 4.1: the sum over the Media Segments."""
        return sum(segment.duration_s or 0.0 for segment in self.segments)

    @property
    def last_msn(self) -> int:
        """Of the last whole segment; one less than MEDIA-SEQUENCE where there is none."""
        return self.open.msn - 1

    @property
    def edge(self) -> tuple[int, int]:
        """MSN and index of the part that comes next."""
        return self.open.msn, len(self.open.parts)

    def attributes_of(self, tag: str) -> list[Attributes]:
        return [line.attributes for line in self.all(tag)]


def _apply(line: Line, segment: Segment) -> None:
    if line.tag == "EXTINF":
        segment.duration_s = float(line.value.partition(",")[0])
    elif line.tag == "EXT-X-MAP":
        segment.init_uri = line.attributes.text("URI")
    elif line.tag == "EXT-X-PROGRAM-DATE-TIME":
        segment.date = read_date(line.value)
    elif line.tag == "EXT-X-DISCONTINUITY":
        segment.discontinuity = True
        segment.discontinuity_sequence += 1
    elif line.tag == "EXT-X-GAP":
        segment.gap = True
    elif line.tag == "EXT-X-PART":
        segment.parts.append(_part(line, segment))


def _part(line: Line, segment: Segment) -> Part:
    given = line.attributes
    index, uri, duration_s = len(segment.parts), given.text("URI"), given.seconds("DURATION")
    return Part(segment.msn, index, uri, duration_s, given.says("INDEPENDENT"), given.says("GAP"), line.number)


def read_date(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _decoded(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PlaylistError(f"no UTF-8: {error}", "4.1") from None
    if text.startswith("\ufeff"):
        raise PlaylistError("it begins with a byte order mark", "4.1")
    if control := _CONTROL.search(text):
        raise PlaylistError(f"a control character {control[0]!r} at {control.start()}", "4.1")
    if unicodedata.normalize("NFC", text) != text:
        raise PlaylistError("it is not normalised (NFC)", "4.1")
    return text


def _lines(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if line != line.strip() or (_TAB.search(line) and not line.startswith(_MAY_HOLD_TABS)):
            raise PlaylistError(f"line {number} has whitespace around it or a tab in it: {line!r}", "4.1")
        if line.startswith("#EXT"):
            yield _tag_line(number, line)
        elif line and not line.startswith("#"):
            if " " in line:
                raise PlaylistError(f"line {number}: whitespace in a URI: {line!r}", "4.1")
            yield Line(number, line)


def _tag_line(number: int, text: str) -> Line:
    name, colon, value = text[1:].partition(":")
    tag = TAGS.get(name)
    if tag is None:
        raise PlaylistError(f"line {number}: {name} is no tag that is known here", "4.4")
    try:
        return Line(number, text, name, value, _value(tag, colon, value))
    except PlaylistError as error:
        raise PlaylistError(f"line {number}, {name}: {error}", error.section) from None


def _value(tag: Tag, colon: str, value: str) -> Attributes:
    if isinstance(tag.value, Form):
        return read_attributes(value, tag.value)
    if bool(colon) != (tag.value is not None) or (tag.value is not None and not re.fullmatch(tag.value, value)):
        raise PlaylistError(f"its value {value!r} has not the form of the tag", "4.4")
    return Attributes()
