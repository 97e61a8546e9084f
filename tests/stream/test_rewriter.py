"""The outgoing numbers: one line of indices and timestamps, whoever publishes."""

import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.stream.rewriter import Rewriter
from tests.stream.doubles import FirstIndex

CLOCK_RATE_HZ = 90_000


def rewriter_at(first_index: int) -> Rewriter:
    return Rewriter(CLOCK_RATE_HZ, FirstIndex(first_index))


def rewritten(rewriter: Rewriter, sequence_number: int, timestamp: int = 0, arrival_s: float = 0.0) -> tuple[int, int]:
    numbers = rewriter.rewrite(sequence_number, timestamp, arrival_s)
    assert numbers is not None
    return numbers


@given(seed=st.integers())
def test_first_index_is_below_half_the_sequence_space(seed: int) -> None:
    assert 1 <= Rewriter(CLOCK_RATE_HZ, random.Random(seed)).next_index < 1 << 15


def test_first_packet_takes_the_first_index() -> None:
    rewriter = rewriter_at(500)
    assert not rewriter.is_mapped
    assert rewritten(rewriter, 70_000)[0] == 500
    assert rewriter.is_mapped
    assert rewriter.next_index == 501


def test_distances_within_an_epoch_are_kept() -> None:
    rewriter = rewriter_at(500)
    first = rewritten(rewriter, 70_000, 1000)
    third = rewritten(rewriter, 70_002, 4000)
    second = rewritten(rewriter, 70_001, 2500)
    assert [third[0] - first[0], second[0] - first[0]] == [2, 1]
    assert [(third[1] - first[1]) & 0xFFFFFFFF, (second[1] - first[1]) & 0xFFFFFFFF] == [3000, 1500]
    assert rewriter.next_index == 503


def test_index_goes_on_over_sixteen_bits() -> None:
    rewriter = rewriter_at(32_767)
    rewritten(rewriter, 65_536)
    assert rewritten(rewriter, 65_536 + 40_000)[0] == 72_767


def test_timestamp_stays_within_thirty_two_bits() -> None:
    rewriter = rewriter_at(500)
    first = rewritten(rewriter, 1, 0xFFFFFF00)[1]
    after_wrap = rewritten(rewriter, 2, 0x100)[1]
    assert (after_wrap - first) & 0xFFFFFFFF == 0x200
    assert 0 <= after_wrap < 1 << 32


def test_packet_from_before_the_first_of_all_has_no_place() -> None:
    rewriter = rewriter_at(500)
    rewritten(rewriter, 70_000)
    assert rewriter.rewrite(69_999, 0, 0.0) is None


def test_packet_from_before_the_epoch_has_no_place() -> None:
    rewriter = rewriter_at(500)
    rewritten(rewriter, 70_000)
    rewriter.begin_epoch()
    assert rewritten(rewriter, 20, arrival_s=1.0)[0] == 501
    assert rewriter.rewrite(19, 0, 1.0) is None


def test_epoch_follows_the_highest_index_not_the_last() -> None:
    rewriter = rewriter_at(500)
    for sequence_number in (70_000, 70_005, 70_003):
        rewritten(rewriter, sequence_number)
    rewriter.begin_epoch()
    assert rewritten(rewriter, 9)[0] == 506


def test_timestamps_of_an_epoch_go_on_by_the_time_that_passed() -> None:
    rewriter = rewriter_at(500)
    last = rewritten(rewriter, 70_000, 123_456, arrival_s=10.0)[1]
    rewriter.begin_epoch()
    first = rewritten(rewriter, 7, 987_654_321, arrival_s=12.5)[1]
    assert (first - last) & 0xFFFFFFFF == round(2.5 * CLOCK_RATE_HZ)
    following = rewritten(rewriter, 8, 987_654_321 + 3000, arrival_s=12.6)[1]
    assert (following - first) & 0xFFFFFFFF == 3000


def test_time_that_passed_counts_from_the_newest_packet() -> None:
    rewriter = rewriter_at(500)
    rewritten(rewriter, 70_000, 0, arrival_s=10.0)
    last = rewritten(rewriter, 70_002, 6000, arrival_s=10.0)[1]
    rewritten(rewriter, 70_001, 3000, arrival_s=11.0)
    rewriter.begin_epoch()
    assert (rewritten(rewriter, 7, 0, arrival_s=12.0)[1] - last) & 0xFFFFFFFF == 2 * CLOCK_RATE_HZ


def test_epochs_that_meet_at_once_still_differ_in_timestamp() -> None:
    rewriter = rewriter_at(500)
    last = rewritten(rewriter, 70_000, 1000, arrival_s=10.0)[1]
    rewriter.begin_epoch()
    assert (rewritten(rewriter, 7, 1000, arrival_s=10.0)[1] - last) & 0xFFFFFFFF == 1


def test_outgoing_timestamp_is_what_a_packet_would_get() -> None:
    rewriter = rewriter_at(500)
    _, out = rewritten(rewriter, 70_000, 5000)
    assert rewriter.outgoing_timestamp(5000) == out
    assert rewriter.outgoing_timestamp(4000) == (out - 1000) & 0xFFFFFFFF


def test_index_of_a_lost_packet_is_where_it_would_have_gone() -> None:
    rewriter = rewriter_at(500)
    assert rewriter.index_of(70_001) is None
    rewritten(rewriter, 70_000)
    assert rewriter.index_of(70_001) == 501
    rewriter.begin_epoch()
    assert rewriter.index_of(70_001) is None


steps = st.lists(st.integers(0, 50), min_size=1, unique=True)
epochs = st.lists(
    st.tuples(st.integers(1 << 16, 1 << 20), st.integers(0, 0xFFFFFFFF), st.floats(0, 3), steps), min_size=1, max_size=6
)


@given(first_index=st.integers(1, 70_000), plan=epochs)
def test_epochs_share_no_index_and_each_follows_the_one_before(
    first_index: int, plan: list[tuple[int, int, float, list[int]]]
) -> None:
    rewriter, now_s, given_so_far, newest = rewriter_at(first_index), 0.0, set[int](), first_index - 1
    for first_sequence_number, first_timestamp, pause_s, steps in plan:
        now_s += pause_s
        rewriter.begin_epoch()
        numbers = [rewriter.rewrite(first_sequence_number + s, first_timestamp + 90 * s, now_s) for s in steps]
        indices = [each[0] for each in numbers if each is not None]
        assert indices == [newest + 1 + step - steps[0] for step in steps if step >= steps[0]]
        assert given_so_far.isdisjoint(indices)
        given_so_far.update(indices)
        newest = max(indices)
