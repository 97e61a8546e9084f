"""The packet cache: where the newest keyframe begins, what may go, and what never grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stream.cache import HISTORY_S, MAX_PACKETS, PacketCache
from gateway.stream.packet import MediaPacket


def packet(
    index: int, timestamp: int = 0, *, is_keyframe: bool = False, arrival_s: float = 0.0, payload: bytes = b"x"
) -> MediaPacket:
    return MediaPacket(
        index=index,
        timestamp=timestamp,
        marker=False,
        payload=payload,
        arrival_s=arrival_s,
        is_keyframe=is_keyframe,
    )


def cache_of(*packets: MediaPacket, next_index: int = 100) -> PacketCache:
    cache = PacketCache(next_index)
    for each in packets:
        cache.add(each)
    return cache


def test_cache_when_new_is_empty() -> None:
    cache = PacketCache(100)
    assert (len(cache), cache.oldest, cache.next_index, cache.gop_start, cache.size_bytes) == (0, 100, 100, None, 0)


def test_packet_is_found_by_its_index() -> None:
    first, third = packet(100, payload=b"abc"), packet(102, payload=b"de")
    cache = cache_of(first, third)
    assert cache.packet(100) is first
    assert cache.packet(101) is None
    assert cache.packet(102) is third
    assert 102 in cache
    assert 101 not in cache
    assert (cache.next_index, cache.size_bytes, len(cache)) == (103, 5, 2)


def test_add_refuses_a_packet_that_is_here() -> None:
    cache = cache_of(packet(100))
    assert not cache.add(packet(100, payload=b"other"))
    assert cache.size_bytes == 1


def test_add_refuses_a_packet_older_than_the_oldest() -> None:
    cache = cache_of(packet(100))
    assert not cache.add(packet(99))


def test_add_fills_a_hole() -> None:
    cache = cache_of(packet(100), packet(102))
    assert cache.add(packet(101))
    assert [each.index for each in cache.newest_first(102)] == [102, 101, 100]


def test_newest_first_ends_at_a_hole() -> None:
    cache = cache_of(packet(100), packet(102), packet(103))
    assert [each.index for each in cache.newest_first(103)] == [103, 102]


def test_gop_start_is_the_keyframes_first_packet() -> None:
    cache = cache_of(packet(100, 1), packet(101, 2, is_keyframe=True), packet(102, 2), packet(103, 3))
    assert cache.gop_start == 101


def test_gop_start_includes_parameter_sets_in_packets_of_their_own() -> None:
    # Access unit delimiter, SPS and PPS before the slice that shows the keyframe: all of one timestamp.
    cache = cache_of(packet(100, 1), packet(101, 2), packet(102, 2), packet(103, 2), packet(104, 2, is_keyframe=True))
    assert cache.gop_start == 101


def test_gop_start_moves_to_the_newer_keyframe() -> None:
    cache = cache_of(packet(100, 1, is_keyframe=True), packet(101, 2), packet(102, 3, is_keyframe=True))
    assert cache.gop_start == 102


def test_gop_start_of_a_keyframe_of_several_slices_is_its_first_slice() -> None:
    cache = cache_of(packet(100, 1), *(packet(index, 2, is_keyframe=True) for index in (101, 102, 103)))
    assert cache.gop_start == 101


def test_gop_start_does_not_reach_over_a_hole() -> None:
    cache = cache_of(packet(100, 2), packet(102, 2, is_keyframe=True))
    assert cache.gop_start == 102


def test_gop_start_moves_back_when_the_first_packet_comes_late() -> None:
    cache = cache_of(packet(100, 1), packet(102, 2, is_keyframe=True), packet(103, 3))
    cache.add(packet(101, 2))
    assert cache.gop_start == 101


def test_gop_start_moves_back_over_all_that_a_late_packet_joins() -> None:
    cache = cache_of(packet(100, 1), packet(101, 2), packet(103, 2, is_keyframe=True))
    cache.add(packet(102, 2))
    assert cache.gop_start == 101


def test_gop_start_moves_back_when_the_first_slice_comes_after_the_second() -> None:
    cache = cache_of(packet(100, 1), packet(102, 2, is_keyframe=True))
    cache.add(packet(101, 2, is_keyframe=True))
    assert cache.gop_start == 101


def test_gop_start_stays_when_a_late_packet_belongs_to_the_frame_before() -> None:
    cache = cache_of(packet(100, 1), packet(102, 2, is_keyframe=True))
    cache.add(packet(101, 1))
    assert cache.gop_start == 102


def test_gop_start_stays_when_an_older_keyframe_comes_late() -> None:
    cache = cache_of(packet(100, 1), packet(102, 3, is_keyframe=True))
    cache.add(packet(101, 2, is_keyframe=True))
    assert cache.gop_start == 102


def test_packets_since_the_keyframe_stay_however_old() -> None:
    cache = cache_of(packet(100, 1, is_keyframe=True), packet(101, 2))
    cache.add(packet(102, 3, arrival_s=100 * HISTORY_S))
    assert (cache.oldest, cache.gop_start) == (100, 100)


def test_packets_before_the_keyframe_go_after_the_history() -> None:
    cache = cache_of(packet(100, 1), packet(101, 2), packet(102, 3, is_keyframe=True, arrival_s=HISTORY_S))
    assert cache.oldest == 100
    cache.add(packet(103, 4, arrival_s=HISTORY_S + 0.001))
    assert (cache.oldest, len(cache), cache.size_bytes) == (102, 2, 2)


def test_holes_go_with_their_neighbours() -> None:
    cache = cache_of(packet(100, 1), packet(102, 1), packet(105, 2, is_keyframe=True))
    cache.add(packet(106, 3, arrival_s=HISTORY_S + 0.001))
    assert cache.oldest == 105
    assert not cache.add(packet(104, 1, arrival_s=HISTORY_S + 0.001))


def test_packets_beyond_the_limit_go_though_the_keyframe_is_lost_with_them() -> None:
    cache = cache_of(packet(100, 1, is_keyframe=True))
    for index in range(101, 100 + MAX_PACKETS):
        cache.add(packet(index, index))
    assert (len(cache), cache.gop_start) == (MAX_PACKETS, 100)
    cache.add(packet(100 + MAX_PACKETS, 9))
    assert (len(cache), cache.oldest, cache.gop_start) == (MAX_PACKETS, 101, None)


def test_packets_without_a_keyframe_go_after_the_history() -> None:
    cache = cache_of(packet(100), packet(101))
    cache.add(packet(102, arrival_s=HISTORY_S + 0.001))
    assert (cache.oldest, len(cache)) == (102, 1)


def test_jump_of_the_index_empties_the_cache() -> None:
    cache = cache_of(packet(100, 1, is_keyframe=True), packet(101, 2))
    cache.add(packet(101 + 2 * MAX_PACKETS, 3))
    assert (len(cache), cache.oldest, cache.gop_start) == (1, 101 + 2 * MAX_PACKETS, None)


arrivals = st.lists(
    st.tuples(st.integers(-20, 60), st.booleans(), st.floats(0, 0.5)),
    max_size=60,
)


@pytest.mark.parametrize("next_index", [100, 65_500])
@given(steps=arrivals)
def test_cache_whatever_arrives_keeps_its_books(next_index: int, steps: list[tuple[int, bool, float]]) -> None:
    cache, now_s = PacketCache(next_index), 0.0
    for offset, is_keyframe, pause_s in steps:
        now_s += pause_s
        index = next_index + offset
        known, was_oldest = index in cache, cache.oldest
        added = cache.add(packet(index, index // 4, is_keyframe=is_keyframe, arrival_s=now_s))
        assert added == (not known and index >= was_oldest)
        held = [cache.packet(each) for each in range(next_index - 20, next_index + 61)]
        assert sum(each is not None for each in held) == len(cache) == cache.size_bytes
        assert all(each is None or cache.oldest <= each.index < cache.next_index for each in held)
        assert cache.gop_start is None or cache.gop_start in cache


def test_previous_gop_start_is_the_keyframe_before_the_newest() -> None:
    first = (packet(100, 0, is_keyframe=True), packet(101, 3000))
    assert cache_of(*first).previous_gop_start is None
    cache = cache_of(*first, packet(102, 6000, is_keyframe=True))
    assert (cache.previous_gop_start, cache.gop_start) == (100, 102)
