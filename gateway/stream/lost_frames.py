"""How many frames a hole in a track's packets has cost: those that were hurt, and those of which nothing came."""

from collections.abc import Iterable, Iterator

from gateway.stream.cache import PacketCache

_HALF = 1 << 31


def lost_frames(cache: PacketCache, lost: Iterable[int], frame_ticks: int) -> tuple[set[int], int]:
    """(ordinals of the frames that are here in part, frames of which nothing is here) for the `lost` indices.

    `frame_ticks` is what timestamps rise by from frame to frame; 0 where that is not known. Where a hole's neighbours
    are not here, either, it counts as one frame, of ordinal -1.
    """
    hurt: set[int] = set()
    missing = 0
    for first, last in _runs(sorted(lost)):
        before, after = cache.packet(first - 1), cache.packet(last + 1)
        if before is None or after is None:
            hurt.add(after.frame if after is not None else -1)
            continue
        whole = _frames_between(before.timestamp, after.timestamp, frame_ticks, last - first + 1)
        missing += whole
        if not before.marker:
            hurt.add(before.frame)
        elif not whole:
            # The frame before is whole, and none is between: it is the next one's beginning that did not come.
            hurt.add(after.frame)
    return hurt, missing


def _frames_between(before: int, after: int, frame_ticks: int, packets: int) -> int:
    """Frames between two timestamps, as the rhythm says; a frame has a packet at least."""
    ticks = (after - before) & 0xFFFFFFFF
    if not frame_ticks or ticks >= _HALF:
        return 0
    return min(max(round(ticks / frame_ticks) - 1, 0), packets)


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of consecutive numbers: (first, last)."""
    first = last = None
    for number in numbers:
        if first is None or last is None:
            first = number
        elif number != last + 1:
            yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last
