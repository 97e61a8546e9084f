"""What a hole in the packets has cost, in frames."""

import pytest

from gateway.stream.cache import PacketCache
from gateway.stream.lost_frames import lost_frames
from gateway.stream.packet import MediaPacket

TICKS = 3000
"""30 frames a second at 90 kHz."""


def cache_of(packets: int, frames: int, *lost: int, first_timestamp: int = 0) -> PacketCache:
    """`frames` frames of `packets` packets each, from index 0 on, without those that are `lost`."""
    cache = PacketCache(0)
    for index in range(packets * frames):
        frame = index // packets
        if index not in lost:
            cache.add(
                MediaPacket(
                    index=index,
                    timestamp=(first_timestamp + frame * TICKS) & 0xFFFFFFFF,
                    marker=index % packets == packets - 1,
                    payload=b"slice",
                    arrival_s=0.0,
                    frame=frame,
                )
            )
    return cache


def cost(packets: int, frames: int, *lost: int, ticks: int = TICKS, first_timestamp: int = 0) -> tuple[set[int], int]:
    """Of losing these."""
    return lost_frames(cache_of(packets, frames, *lost, first_timestamp=first_timestamp), lost, ticks)


@pytest.mark.parametrize(
    ("lost", "hurt", "missing"),
    [
        ([4], {1}, 0),  # in the middle
        ([3], {1}, 0),  # the first of a frame
        ([5], {1}, 0),  # the last of a frame
        ([4, 5], {1}, 0),
        ([3, 4, 5], set(), 1),  # a whole frame
        ([4, 5, 6, 7, 8], {1}, 1),  # the end of one, and the next
        ([*range(3, 12)], set(), 3),
        ([4, 10], {1, 3}, 0),  # two holes
        ([3, 5], {1}, 0),  # two holes of one frame
        ([*range(4, 12), 13], {1, 4}, 2),
    ],
)
def test_hole_costs_the_frames_that_it_touches(lost: list[int], hurt: set[int], missing: int) -> None:
    assert cost(3, 6, *lost) == (hurt, missing)


def test_hole_of_which_the_rhythm_is_not_known_costs_one_frame() -> None:
    assert cost(3, 6, *range(4, 12), ticks=0) == ({1}, 0)


def test_pause_of_the_studio_is_no_lost_frame() -> None:
    """One packet did not come, and the next was taken ten seconds later: no more than its frame is missing."""
    cache = PacketCache(0)
    for index, timestamp in ((0, 0), (2, 900_000)):
        cache.add(
            MediaPacket(index=index, timestamp=timestamp, marker=True, payload=b"", arrival_s=0.0, frame=index // 2)
        )
    assert lost_frames(cache, [1], TICKS) == (set(), 1)


def test_hole_at_the_wrap_of_the_timestamps() -> None:
    assert cost(3, 6, *range(3, 12), first_timestamp=(1 << 32) - 2 * TICKS) == (set(), 3)


def test_timestamps_that_go_back_tell_nothing() -> None:
    cache = PacketCache(0)
    for index, timestamp in ((0, 9000), (2, 3000)):
        cache.add(MediaPacket(index=index, timestamp=timestamp, marker=True, payload=b"", arrival_s=0.0, frame=index))
    assert lost_frames(cache, [1], TICKS) == ({2}, 0)


def test_hole_without_neighbours_is_one_frame() -> None:
    assert lost_frames(PacketCache(0), [7, 8, 9], TICKS) == ({-1}, 0)
    assert lost_frames(PacketCache(0), [], TICKS) == (set(), 0)
