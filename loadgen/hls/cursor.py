"""Where a player stands in a media playlist: where it begins, and what comes next."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from loadgen.hls.playlist import MediaPlaylist, Segment

HOLD_BACK_TARGETS = 3
"""Times the target duration, where the server names no distance (section 4.4.3.8)."""

ROUNDING_S = 0.005
"""Dates have milliseconds, and durations few decimals."""


@dataclass(frozen=True, slots=True)
class Item:
    """What can be asked for: a part, or a whole segment where no parts are listed."""

    msn: int
    part: int | None
    """None is the whole segment."""
    uri: str
    duration_s: float
    segment: Segment
    begin_unix_s: float | None
    """PROGRAM-DATE-TIME of its first frame."""
    is_independent: bool
    is_gap: bool

    @property
    def end_unix_s(self) -> float | None:
        """PROGRAM-DATE-TIME where it ends."""
        return None if self.begin_unix_s is None else self.begin_unix_s + self.duration_s


@dataclass(frozen=True, slots=True)
class Start:
    """Where a player begins."""

    msn: int
    part: int
    begin_unix_s: float | None
    lead_in_s: float
    """From there to where the picture begins."""


class OverrunError(Exception):
    """What a player wants next has left the window."""


def hold_back_s(playlist: MediaPlaylist) -> float:
    """How far behind the live edge to play."""
    if playlist.part_target_s is not None and playlist.part_hold_back_s is not None:
        return playlist.part_hold_back_s
    return playlist.hold_back_s or HOLD_BACK_TARGETS * playlist.target_duration_s


def items(segment: Segment) -> Iterator[Item]:
    """Its parts; or itself, where none are listed."""
    begin_unix_s = segment.pdt_unix_s
    if not segment.parts and segment.uri is not None:
        yield Item(segment.msn, None, segment.uri, segment.duration_s, segment, begin_unix_s, True, segment.is_gap)
    for number, part in enumerate(segment.parts):
        is_gap = part.is_gap or segment.is_gap
        yield Item(segment.msn, number, part.uri, part.duration_s, segment, begin_unix_s, part.is_independent, is_gap)
        if begin_unix_s is not None:
            begin_unix_s += part.duration_s


def live_start(playlist: MediaPlaylist) -> Start:
    """The newest item that can be decoded and begins `hold_back_s` or more behind the live edge; of a stream that is
    younger, the oldest that can be decoded."""
    wanted_s = hold_back_s(playlist)
    behind_s = 0.0
    oldest: Start | None = None
    for segment in reversed(playlist.segments):
        for item in reversed(list(items(segment))):
            behind_s += item.duration_s
            if item.is_independent and not item.is_gap:
                lead_in_s = max(behind_s - wanted_s, 0.0)
                oldest = Start(item.msn, item.part or 0, item.begin_unix_s, lead_in_s)
                if behind_s >= wanted_s:
                    return oldest
    msn, part = playlist.next_position
    return oldest or Start(msn, part, playlist.end_unix_s, 0.0)


def start_at(playlist: MediaPlaylist, unix_s: float | None) -> Start:
    """The item that `unix_s` (PROGRAM-DATE-TIME) falls into, or the one to come; without dates, where a player without
    another rendition would begin."""
    if unix_s is None or playlist.end_unix_s is None:
        return live_start(playlist)
    for segment in playlist.segments:
        for item in items(segment):
            if item.end_unix_s is not None and item.end_unix_s > unix_s + ROUNDING_S:
                return Start(item.msn, item.part or 0, item.begin_unix_s, 0.0)
    msn, part = playlist.next_position
    return Start(msn, part, playlist.end_unix_s, 0.0)


def next_item(playlist: MediaPlaylist, position: tuple[int, int]) -> Item | None:
    """The one at `position` (msn, part), or the first after it; None while it is not there. OverrunError when it is
    gone: its segment, or the rest of the parts of one that was begun."""
    msn, part = position
    first = playlist.segments[0].msn if playlist.segments else playlist.media_sequence
    if msn < first:
        raise OverrunError
    for segment in playlist.segments[msn - first :]:
        if segment.msn > msn:
            part = 0
        if part > 0 and not segment.parts and segment.uri is not None:
            raise OverrunError
        item = next(islice(items(segment), part, None), None)
        if item is not None:
            return item
    return None


def behind(item: Item) -> tuple[int, int]:
    """The position after `item`. Its segment may be over then: `next_item` finds the next one's first part."""
    return (item.msn + 1, 0) if item.part is None else (item.msn, item.part + 1)


def new_parts(playlist: MediaPlaylist, wanted: tuple[int, int]) -> list[Item]:
    """The items from `wanted` on, the newest first."""
    found: list[Item] = []
    for segment in reversed(playlist.segments):
        if segment.msn < wanted[0]:
            break
        found += [item for item in reversed(list(items(segment))) if (item.msn, item.part or 0) >= wanted]
    return found
