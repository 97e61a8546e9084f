import pytest

from loadgen.players.holes import MAX_ASKED, MAX_HOLES, MAX_TRIES, MIN_RETRY_S, PATIENCE_S, Holes

RTT_S = 0.1


def holes_of(*indices: int, can_ask: bool = True) -> Holes:
    holes = Holes(can_ask)
    for index in indices:
        holes.open(index, index + 1, 0.0)
    return holes


def test_holes_opened_in_a_row_are_those_up_to_the_end() -> None:
    holes = Holes(True)
    holes.open(5, 8, 0.0)
    assert [index for index in range(10) if index in holes] == [5, 6, 7]
    assert len(holes) == 3


def test_holes_are_asked_for_at_once() -> None:
    assert holes_of(5, 6).due(0.0, RTT_S) == [5, 6]


@pytest.mark.parametrize(("rtt_s", "retry_s"), [(0.0, MIN_RETRY_S), (0.001, MIN_RETRY_S), (RTT_S, RTT_S)])
def test_hole_is_asked_for_again_after_a_round_trip_but_no_sooner_than_a_browser_looks(
    rtt_s: float, retry_s: float
) -> None:
    holes = holes_of(5)
    holes.due(0.0, rtt_s)
    assert holes.due(retry_s - 1e-6, rtt_s) == []
    assert holes.due(retry_s + 1e-6, rtt_s) == [5]
    assert holes.due(2 * retry_s, rtt_s) == []


def test_hole_is_asked_for_ten_times_and_then_given_a_last_round_trip() -> None:
    holes = holes_of(5)
    asked_s = [step * RTT_S for step in range(30) if holes.due(step * RTT_S, RTT_S)]
    assert len(asked_s) == MAX_TRIES == 10
    assert holes.hopeless(asked_s[-1] + RTT_S - 1e-6, RTT_S) is None
    assert holes.hopeless(asked_s[-1] + RTT_S + 1e-6, RTT_S) == 5


def test_hopeless_is_the_newest_of_those_without_hope() -> None:
    holes = holes_of(5, 7)
    for step in range(MAX_TRIES):
        holes.due(step, 0.0)
    holes.open(9, 10, MAX_TRIES)
    assert holes.hopeless(MAX_TRIES + 1.0, 0.0) == 7


def test_holes_of_a_server_without_nack_are_not_asked_for_and_hopeless_after_patience() -> None:
    holes = holes_of(5, can_ask=False)
    assert holes.due(1.0, 0.0) == []
    assert holes.hopeless(PATIENCE_S - 1e-6, 0.0) is None
    assert holes.hopeless(PATIENCE_S, 0.0) == 5


def test_first_asked_counts_no_repeats() -> None:
    holes = holes_of(5)
    assert holes.first_asked(holes.due(0.0, RTT_S)) == 1
    holes.open(6, 7, 0.0)
    due = holes.due(1.0, RTT_S)
    assert (due, holes.first_asked(due)) == ([5, 6], 1)


def test_due_fits_one_nack_and_the_others_stay_due() -> None:
    holes = holes_of(*range(0, 2000, 2))
    first = holes.due(0.0, RTT_S)
    assert len(first) == MAX_ASKED
    assert holes.due(0.0, RTT_S) == list(range(2 * MAX_ASKED, 4 * MAX_ASKED, 2))


def test_close_tells_whether_the_packet_had_been_asked_for() -> None:
    holes = holes_of(5)
    holes.due(0.0, RTT_S)
    holes.open(6, 7, 0.0)
    assert (holes.close(5), holes.close(6), len(holes)) == (True, False, 0)


def test_forget_until_gives_up_the_older_ones_which_can_still_be_closed_once() -> None:
    holes = holes_of(5, 6, 7)
    holes.due(0.0, RTT_S)
    holes.forget_until(6)
    assert [5 in holes, 6 in holes, 7 in holes] == [False, False, True]
    assert [holes.was_given_up(index) for index in (5, 6, 7, 8)] == [True, True, False, False]
    assert holes.close(6)
    assert not holes.was_given_up(6)


def test_given_up_holes_are_bounded_and_the_latest_kept() -> None:
    holes = Holes(True)
    for first in range(0, 5 * MAX_HOLES, 100):
        holes.open(first, first + 100, 0.0)
        holes.forget_until(first + 99)
    kept = [index for index in range(5 * MAX_HOLES) if holes.was_given_up(index)]
    assert kept == list(range(4 * MAX_HOLES, 5 * MAX_HOLES))


def test_clear_forgets_what_was_given_up_as_well() -> None:
    holes = holes_of(5, 6)
    holes.forget_until(5)
    holes.clear()
    assert not len(holes)
    assert not holes.was_given_up(5)
