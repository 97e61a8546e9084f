"""Media playlists as a player reads them (draft-pantos-hls-rfc8216bis section 4.4).

A parser of our own: what a server writes is what is measured here, so it must not be as lenient as libraries are. What
cannot be played is a WireError; what can, and yet breaks a rule, is for `rules`. BYTERANGE and KEY are not known.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.errors import WireError
from loadgen.hls.attributes import decimal, integer, parse_attributes, required, says_yes, seconds

MAX_LINES = 20_000
"""An hour of parts of 200 ms; a window has some hundred."""


@dataclass(frozen=True, slots=True)
class Part:
    """EXT-X-PART."""

    uri: str
    duration_s: float
    is_independent: bool
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment, or the beginning of one: its parts so far."""

    msn: int
    """Media sequence number."""
    uri: str | None
    """None while it is not complete."""
    duration_s: float
    """EXTINF; of an incomplete one its parts together."""
    parts: tuple[Part, ...]
    """Empty where they are no longer listed."""
    discontinuities: int
    """Discontinuity sequence number (section 6.2.1)."""
    map_uri: str | None
    """EXT-X-MAP that applies."""
    pdt_unix_s: float | None
    """PROGRAM-DATE-TIME of its first frame, its own or by those before it."""
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """One, whole or a delta update."""

    target_duration_s: float
    media_sequence: int
    segments: tuple[Segment, ...]
    """The last may be incomplete. Those of a delta update begin after the skipped ones."""
    skipped: int = 0
    """SKIPPED-SEGMENTS; 0 of a whole playlist."""
    discontinuity_sequence: int = 0
    version: int = 1
    part_target_s: float | None = None
    hold_back_s: float | None = None
    part_hold_back_s: float | None = None
    can_block_reload: bool = False
    can_skip_until_s: float | None = None
    hint_uri: str | None = None
    """Of the next part."""
    has_ended: bool = False

    @property
    def next_position(self) -> tuple[int, int]:
        """(msn, part) that comes after the newest: what the next reload waits for (section 6.2.5.2)."""
        if not self.segments:
            return self.media_sequence, 0
        last = self.segments[-1]
        return (last.msn, len(last.parts)) if last.uri is None else (last.msn + 1, 0)

    @property
    def end_unix_s(self) -> float | None:
        """PROGRAM-DATE-TIME at the end of the newest part."""
        last = self.segments[-1] if self.segments else None
        return last.pdt_unix_s + last.duration_s if last is not None and last.pdt_unix_s is not None else None


@dataclass(slots=True)
class _Reader:
    """What was read so far. Fields of the segment that is being read begin with `next_`."""

    header: dict[str, float | int | bool | str | None] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    media_sequence: int = 0
    skipped: int = 0
    discontinuities: int = 0
    map_uri: str | None = None
    pdt_unix_s: float | None = None
    next_duration_s: float | None = None
    next_parts: list[Part] = field(default_factory=list)
    next_is_gap: bool = False

    def end_segment(self, uri: str | None) -> None:
        parts_s = sum(part.duration_s for part in self.next_parts)
        duration_s = parts_s if self.next_duration_s is None else self.next_duration_s
        msn = self.media_sequence + self.skipped + len(self.segments)
        self.segments.append(
            Segment(
                msn,
                uri,
                duration_s,
                tuple(self.next_parts),
                self.discontinuities,
                self.map_uri,
                self.pdt_unix_s,
                self.next_is_gap,
            )
        )
        if self.pdt_unix_s is not None:
            self.pdt_unix_s += duration_s
        self.next_duration_s, self.next_parts, self.next_is_gap = None, [], False


def parse_media_playlist(text: str) -> MediaPlaylist:
    """WireError for what no player could use."""
    lines = text.splitlines()
    if not lines or lines[0] != "#EXTM3U" or len(lines) > MAX_LINES:
        raise WireError("It does not begin with #EXTM3U, or is endless.")
    reader = _Reader()
    for line in lines[1:]:
        if not line.startswith("#"):
            if line:
                _read_uri(reader, line)
        elif line.startswith("#EXT"):
            tag, _, value = line.partition(":")
            read = _TAGS.get(tag)
            if read is not None:
                read(reader, value)
    if reader.next_duration_s is not None:
        raise WireError("Its last EXTINF has no URI.")
    if reader.next_parts:
        reader.end_segment(None)
    if "target_duration_s" not in reader.header:
        raise WireError("It has no EXT-X-TARGETDURATION.")
    return MediaPlaylist(
        media_sequence=reader.media_sequence,
        segments=tuple(reader.segments),
        skipped=reader.skipped,
        **reader.header,  # type: ignore[arg-type]  # each by its own tag, below
    )


def _read_uri(reader: _Reader, uri: str) -> None:
    if reader.next_duration_s is None:
        raise WireError(f"{uri[:80]!r} has no EXTINF.")
    reader.end_segment(uri)


def _read_part(reader: _Reader, value: str) -> None:
    attributes = parse_attributes(value)
    duration_s = seconds(attributes, "DURATION")
    if duration_s is None or "BYTERANGE" in attributes:
        raise WireError("A part has no DURATION, or a BYTERANGE, which is not known here.")
    is_independent, is_gap = says_yes(attributes, "INDEPENDENT"), says_yes(attributes, "GAP")
    reader.next_parts.append(Part(required(attributes, "URI"), duration_s, is_independent, is_gap))


def _read_server_control(reader: _Reader, value: str) -> None:
    attributes = parse_attributes(value)
    reader.header["can_block_reload"] = says_yes(attributes, "CAN-BLOCK-RELOAD")
    reader.header["can_skip_until_s"] = seconds(attributes, "CAN-SKIP-UNTIL")
    reader.header["hold_back_s"] = seconds(attributes, "HOLD-BACK")
    reader.header["part_hold_back_s"] = seconds(attributes, "PART-HOLD-BACK")


def _read_hint(reader: _Reader, value: str) -> None:
    attributes = parse_attributes(value)
    if attributes.get("TYPE") == "PART":
        if "BYTERANGE-START" in attributes:
            raise WireError("A preload hint has a BYTERANGE, which is not known here.")
        reader.header["hint_uri"] = required(attributes, "URI")


def _read_map(reader: _Reader, value: str) -> None:
    attributes = parse_attributes(value)
    if "BYTERANGE" in attributes:
        raise WireError("An EXT-X-MAP has a BYTERANGE, which is not known here.")
    reader.map_uri = required(attributes, "URI")


def _read_key(_reader: _Reader, value: str) -> None:
    if parse_attributes(value).get("METHOD") != "NONE":
        raise WireError("It is encrypted.")


def _read_skip(reader: _Reader, value: str) -> None:
    if reader.segments:
        raise WireError("EXT-X-SKIP stands behind a segment.")
    reader.skipped = integer(parse_attributes(value).get("SKIPPED-SEGMENTS", ""))


def _read_date(reader: _Reader, value: str) -> None:
    try:
        date = datetime.fromisoformat(value)
    except ValueError:
        raise WireError(f"{value[:80]!r} is no date.") from None
    if date.tzinfo is None:
        raise WireError(f"{value[:80]!r} has no time zone.")
    reader.pdt_unix_s = date.timestamp()


def _read_discontinuity(reader: _Reader, _value: str) -> None:
    reader.discontinuities += 1
    # Dates go on only where they are said again (section 4.4.4.6 has no rule for it).
    reader.pdt_unix_s = None


def _read_discontinuity_sequence(reader: _Reader, value: str) -> None:
    reader.discontinuities = integer(value)
    reader.header["discontinuity_sequence"] = reader.discontinuities


def _read_part_inf(reader: _Reader, value: str) -> None:
    part_target_s = seconds(parse_attributes(value), "PART-TARGET")
    if not part_target_s:
        raise WireError("EXT-X-PART-INF has no PART-TARGET.")
    reader.header["part_target_s"] = part_target_s


def _read_duration(reader: _Reader, value: str) -> None:
    reader.next_duration_s = decimal(value.partition(",")[0])


_TAGS: dict[str, Callable[[_Reader, str], None]] = {
    "#EXTINF": _read_duration,
    "#EXT-X-PART": _read_part,
    "#EXT-X-PROGRAM-DATE-TIME": _read_date,
    "#EXT-X-MAP": _read_map,
    "#EXT-X-KEY": _read_key,
    "#EXT-X-DISCONTINUITY": _read_discontinuity,
    "#EXT-X-GAP": lambda reader, _: setattr(reader, "next_is_gap", True),
    "#EXT-X-SKIP": _read_skip,
    "#EXT-X-PRELOAD-HINT": _read_hint,
    "#EXT-X-SERVER-CONTROL": _read_server_control,
    "#EXT-X-PART-INF": _read_part_inf,
    "#EXT-X-VERSION": lambda reader, value: reader.header.update(version=integer(value)),
    "#EXT-X-TARGETDURATION": lambda reader, value: reader.header.update(target_duration_s=float(integer(value))),
    "#EXT-X-MEDIA-SEQUENCE": lambda reader, value: setattr(reader, "media_sequence", integer(value)),
    "#EXT-X-DISCONTINUITY-SEQUENCE": _read_discontinuity_sequence,
    "#EXT-X-ENDLIST": lambda reader, _: reader.header.update(has_ended=True),
}


def completed(update: MediaPlaylist, before: MediaPlaylist) -> MediaPlaylist:
    """The whole playlist that a delta update is of (section 6.2.5.1). WireError when `before` does not have what it
    skips. What is whole stays as it is."""
    if not update.skipped:
        return update
    first = update.media_sequence - before.media_sequence
    skipped = before.segments[first : first + update.skipped] if first >= 0 else ()
    if len(skipped) != update.skipped or skipped[-1].uri is None:
        raise WireError("It skips segments that were never listed.")
    last = skipped[-1]
    missed = last.discontinuities - update.discontinuity_sequence
    added = []
    for segment in update.segments:
        last = _after(last, segment, missed)
        added.append(last)
    return replace(update, segments=(*skipped, *added), skipped=0)


def _after(last: Segment, segment: Segment, missed: int) -> Segment:
    """`segment` with what it has of those before it; `missed` discontinuities stand among what was skipped."""
    discontinuities = segment.discontinuities + missed
    pdt_unix_s = segment.pdt_unix_s
    if pdt_unix_s is None and last.pdt_unix_s is not None and discontinuities == last.discontinuities:
        pdt_unix_s = last.pdt_unix_s + last.duration_s
    map_uri = segment.map_uri or last.map_uri
    if (discontinuities, pdt_unix_s, map_uri) == (segment.discontinuities, segment.pdt_unix_s, segment.map_uri):
        return segment
    return replace(segment, discontinuities=discontinuities, pdt_unix_s=pdt_unix_s, map_uri=map_uri)
