"""One rendition's window: the segments and parts that its playlist names, and for a while those that it named.

Sections are those of draft-pantos-hls-rfc8216bis.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

WINDOW_TARGET_DURATIONS = 8
"""How much a playlist names at least: two more than what a delta update may leave out (section 4.4.3.8)."""
MAX_STORED_BYTES = 64 << 20
"""Of one rendition, those included that it names no more: 34 s of 15 Mb/s. Beyond it the oldest go."""


@dataclass(frozen=True, slots=True)
class Part:
    """A CMAF chunk, one moof and one mdat."""

    payload: bytes
    duration_s: float
    is_independent: bool
    """Whether it contains a keyframe (section 4.4.4.9)."""


@dataclass(slots=True)
class Segment:
    """The segment with media sequence number `msn`; it grows until it is whole."""

    msn: int
    init_number: int
    is_discontinuity: bool
    """Whether the timeline breaks before it."""
    unix_s: float | None
    """When its first sample was captured, in the gateway's clock."""
    parts: list[Part] = field(default_factory=list)
    is_whole: bool = False

    @property
    def duration_s(self) -> float:
        """That of its parts together."""
        return sum(part.duration_s for part in self.parts)

    @property
    def size_bytes(self) -> int:
        """That of its parts together."""
        return sum(len(part.payload) for part in self.parts)


class Rendition:
    """See the module. Segments come one after the other; parts go to the last one, until `end_segment`."""

    def __init__(self, name: str, part_target_s: float, target_duration_s: int) -> None:
        self.name = name
        """`video` or `audio`."""
        self.part_target_s = part_target_s
        self.target_duration_s = target_duration_s
        self.segments: deque[Segment] = deque()
        """What the playlist names; the last one may be open, and may be empty."""
        self.discontinuity_sequence = 0
        self.is_ended = False
        self.version = 0
        """Grows with each change of what the playlist says."""
        self.parts_made = 0
        self.stored_bytes = 0
        self._inits: dict[int, bytes] = {}
        self._retired: deque[tuple[float, Segment]] = deque()
        self._init_number = -1

    # What comes in

    def begin_segment(self, unix_s: float | None, is_discontinuity: bool, init_section: bytes | None = None) -> None:
        """Open the next segment; `init_section` where another one than before is needed. A segment that is still empty
        gives way to it."""
        if self.segments and not self.segments[-1].parts:
            is_discontinuity = self.segments.pop().is_discontinuity or is_discontinuity
        if init_section is not None:
            self._init_number += 1
            self._inits[self._init_number] = init_section
        msn = self.segments[-1].msn + 1 if self.segments else 0
        self.segments.append(Segment(msn, self._init_number, is_discontinuity, unix_s))
        self.version += 1

    def add_part(self, part: Part, now_s: float) -> None:
        """Append to the open segment."""
        self.segments[-1].parts.append(part)
        self.stored_bytes += len(part.payload)
        self.parts_made += 1
        self.version += 1
        self._evict(now_s)

    def end_segment(self) -> None:
        """The open segment is whole."""
        self.segments[-1].is_whole = True
        self.version += 1

    def end(self) -> None:
        """Nothing more will come (EXT-X-ENDLIST)."""
        if self.segments and not self.segments[-1].parts:
            self.segments.pop()
        if self.segments:
            self.segments[-1].is_whole = True
        self.is_ended = True
        self.version += 1

    # What is asked for

    @property
    def last(self) -> tuple[int, int] | None:
        """(MSN, part index) of the newest part; None before the first."""
        for segment in reversed(self.segments):
            if segment.parts:
                return segment.msn, len(segment.parts) - 1
        return None

    @property
    def has_whole_segment(self) -> bool:
        """Whether a playlist can name a segment: before that, players do not take it for one."""
        return bool(self.segments) and self.segments[0].is_whole

    @property
    def hinted(self) -> tuple[int, int]:
        """(MSN, part index) of the part that comes next."""
        if not self.segments:
            return 0, 0
        newest = self.segments[-1]
        return (newest.msn + 1, 0) if newest.is_whole else (newest.msn, len(newest.parts))

    @property
    def hinted_init(self) -> int | None:
        """The media initialization section that the hinted part needs, where the parts before it need another."""
        if not self.segments or self.segments[-1].parts:
            return None
        before = self.segments[-2].init_number if len(self.segments) > 1 else None
        return self.segments[-1].init_number if self.segments[-1].init_number != before else None

    @property
    def duration_s(self) -> float:
        """Of all that the playlist names."""
        return sum(segment.duration_s for segment in self.segments)

    def has(self, msn: int, part: int | None) -> bool:
        """Whether the playlist names that part, or with None that whole segment, or something newer (section
        6.2.5.2)."""
        if part is None:
            return any(segment.is_whole and segment.msn >= msn for segment in reversed(self.segments))
        newest = self.last
        # A part beyond the last one of a whole segment means the first of the next.
        return newest is not None and newest >= (msn, part)

    def segment(self, msn: int) -> Segment | None:
        """The segment with that number, named or not long ago named."""
        return next((segment for segment in self._all() if segment.msn == msn), None)

    def init_section(self, number: int) -> bytes | None:
        """The media initialization section of that number, while something needs it."""
        return self._inits.get(number)

    def _all(self) -> Iterator[Segment]:
        yield from reversed(self.segments)
        for _until_s, segment in self._retired:
            yield segment

    # Eviction

    def _evict(self, now_s: float) -> None:
        window_s = WINDOW_TARGET_DURATIONS * self.target_duration_s
        while len(self.segments) > 1 and (
            self.duration_s - self.segments[0].duration_s >= window_s or self._is_too_much()
        ):
            self._retire(self.segments.popleft(), now_s)
        while self._retired and (self._retired[0][0] <= now_s or self._is_too_much()):
            self.stored_bytes -= self._retired.popleft()[1].size_bytes
        oldest = self._retired[0][1] if self._retired else self.segments[0]
        self._inits = {number: init for number, init in self._inits.items() if number >= oldest.init_number}

    def _is_too_much(self) -> bool:
        return self.stored_bytes > MAX_STORED_BYTES

    def _retire(self, segment: Segment, now_s: float) -> None:
        """It stays for who has it from an older playlist (section 6.2.2)."""
        self.discontinuity_sequence += segment.is_discontinuity
        longest_s = self.duration_s + segment.duration_s
        self._retired.append((now_s + longest_s + segment.duration_s, segment))
