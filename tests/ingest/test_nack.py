"""What is missing, when it is asked for, and when it is given up."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.nack import (
    DEFAULT_ROUND_TRIP_S,
    MAX_AGE_S,
    MAX_ASKS,
    MAX_MISSING,
    MIN_RETRY_S,
    NackTracker,
)

FIRST = 70_000


def tracker_of(*sequence_numbers: int, now_s: float = 0.0) -> NackTracker:
    tracker = NackTracker()
    for number in sequence_numbers:
        assert tracker.on_packet(number, now_s)
    return tracker


def ask_times(tracker: NackTracker, round_trip_s: float | None, until_s: float = 20.0) -> tuple[list[float], float]:
    """When the one missing packet is asked for, and when it is given up."""
    asked = []
    for tick in range(int(until_s * 1000)):
        now_s = tick / 1000
        wanted, given_up = tracker.due(now_s, round_trip_s)
        if wanted:
            asked.append(now_s)
        if given_up:
            return asked, now_s
    raise AssertionError("never given up")


def test_packets_in_order_are_not_missed() -> None:
    tracker = tracker_of(FIRST, FIRST + 1, FIRST + 2)
    assert tracker.due(1.0, None) == ([], [])
    assert not tracker


def test_first_packet_has_none_missing_before_it() -> None:
    assert len(tracker_of(FIRST)) == 0


def test_what_the_numbers_promise_is_expected_and_what_they_skip_is_missed() -> None:
    tracker = tracker_of(FIRST, FIRST + 1, FIRST + 5, FIRST + 2, FIRST + 6)
    assert (tracker.expected, tracker.missed, tracker.recovered) == (7, 3, 1)


def test_numbers_that_begin_anew_are_no_loss() -> None:
    tracker = tracker_of(FIRST, FIRST + 2)
    tracker.restart()
    tracker.on_packet(7 * FIRST, 0.0)
    assert (tracker.expected, tracker.missed) == (4, 1)


def test_outage_counts_every_packet_of_it_as_missed() -> None:
    tracker = tracker_of(FIRST)
    assert not tracker.on_packet(FIRST + MAX_MISSING + 2, 0.0)
    assert (tracker.expected, tracker.missed) == (MAX_MISSING + 3, MAX_MISSING + 1)


def test_gap_is_asked_for_at_once_in_order() -> None:
    tracker = tracker_of(FIRST, FIRST + 4)
    assert len(tracker) == 3
    assert tracker.due(0.0, None) == ([FIRST + 1, FIRST + 2, FIRST + 3], [])


def test_packet_that_came_after_all_is_asked_for_no_more() -> None:
    tracker = tracker_of(FIRST, FIRST + 3)
    tracker.on_packet(FIRST + 1, 0.01)
    assert tracker.due(0.01, None) == ([FIRST + 2], [])
    assert tracker.recovered == 1


def test_old_packet_that_nobody_missed_is_no_recovery() -> None:
    tracker = tracker_of(FIRST, FIRST + 1, FIRST - 5, FIRST)
    assert (tracker.recovered, len(tracker)) == (0, 0)
    tracker.on_packet(FIRST + 3, 0.0)
    assert tracker.due(0.0, None) == ([FIRST + 2], [])


@pytest.mark.parametrize("round_trip_s", [0.05, 0.2])
def test_asked_again_after_a_round_trip_each_time_a_little_later(round_trip_s: float) -> None:
    asked, _ = ask_times(tracker_of(FIRST, FIRST + 2), round_trip_s)
    waits = [after - before for before, after in itertools.pairwise(asked)]
    assert waits[0] >= round_trip_s
    assert waits == sorted(waits)
    assert waits == pytest.approx([round_trip_s * (1 + (ask + 1) / 4) for ask in range(len(waits))], abs=0.002)


@pytest.mark.parametrize(
    ("round_trip_s", "assumed_s"), [(None, DEFAULT_ROUND_TRIP_S), (0.001, MIN_RETRY_S), (0.0, MIN_RETRY_S)]
)
def test_round_trip_that_is_unknown_or_tiny_is_taken_for_more(round_trip_s: float | None, assumed_s: float) -> None:
    asked, _ = ask_times(tracker_of(FIRST, FIRST + 2), round_trip_s)
    assert asked[1] - asked[0] == pytest.approx(assumed_s * 1.25, abs=0.002)


def test_given_up_after_enough_asks() -> None:
    tracker = tracker_of(FIRST, FIRST + 2)
    asked, given_up_s = ask_times(tracker, MIN_RETRY_S)
    assert len(asked) == MAX_ASKS
    assert given_up_s <= MAX_AGE_S
    assert (len(tracker), tracker.abandoned, tracker.recovered) == (0, 1, 0)


def test_given_up_when_too_old() -> None:
    asked, given_up_s = ask_times(tracker_of(FIRST, FIRST + 2), 0.4)
    assert len(asked) < MAX_ASKS
    assert given_up_s == pytest.approx(MAX_AGE_S, abs=0.002)


def test_too_much_missing_is_given_up_at_once() -> None:
    tracker = tracker_of(FIRST, FIRST + 11)
    assert not tracker.on_packet(FIRST + 11 + MAX_MISSING, 0.0)
    assert (len(tracker), tracker.abandoned) == (0, 10 + MAX_MISSING - 1)
    assert tracker.on_packet(FIRST + 13 + MAX_MISSING, 0.0)
    assert len(tracker) == 1


def test_just_not_too_much_missing_is_asked_for() -> None:
    tracker = tracker_of(FIRST, FIRST + 1 + MAX_MISSING)
    assert len(tracker) == MAX_MISSING


def test_restart_misses_nothing() -> None:
    tracker = tracker_of(FIRST, FIRST + 5)
    tracker.restart()
    assert not tracker
    assert tracker.on_packet(FIRST + 900_000, 1.0)
    assert tracker.due(1.0, None) == ([], [])


@given(arrived=st.lists(st.integers(FIRST, FIRST + 200), max_size=120))
def test_missing_is_whatever_did_not_come_between_first_and_highest(arrived: list[int]) -> None:
    tracker = tracker_of(*arrived)
    expected = sorted(set(range(arrived[0], max(arrived))) - set(arrived)) if arrived else []
    assert sorted(tracker.due(0.0, None)[0]) == expected
    assert tracker.due(0.0, None)[0] == []
