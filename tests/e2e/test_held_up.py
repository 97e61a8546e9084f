"""What is allowed for lateness of the load generator, and what is not."""

import pytest

from tests.e2e.held_up import Json, judged

WITHIN_S = 5.0


def moved(move_s: float) -> Json:
    """A session of who left 10 s after the run began."""
    return {"left_s": 10.0, "move_s": move_s}


def steps(*lateness_s: float) -> list[Json]:
    """One a second, from the player's leaving on."""
    return [
        {"at_s": 11.0 + index, "seconds": 1.0, "generator": {"lateness_s": each}}
        for index, each in enumerate(lateness_s)
    ]


def test_move_in_time_needs_no_allowance() -> None:
    result = judged([moved(5.0)], steps(*[9.0] * 5), WITHIN_S)
    assert (result.late, result.is_void, result.allowed_s) == ([], False, 0.0)


def test_move_that_was_held_up_is_allowed_what_it_was_held_up_by() -> None:
    result = judged([moved(5.5), moved(6.0)], steps(0.5, 0.0, 0.5), WITHIN_S)
    assert (result.late, result.is_void, result.allowed_s) == ([], False, 1.0)


def test_move_that_takes_longer_than_it_was_held_up_by_is_late() -> None:
    result = judged([moved(6.1)], steps(0.5, 0.5), WITHIN_S)
    assert (result.late, result.is_void) == ([moved(6.1)], False)


def test_lateness_before_and_after_a_move_allows_nothing() -> None:
    before_and_after = [
        {"at_s": at_s, "seconds": 1.0, "generator": {"lateness_s": 3.0}} for at_s in (9.0, 10.0, 17.1, 18.0)
    ]
    assert judged([moved(6.0)], before_and_after, WITHIN_S).late == [moved(6.0)]


@pytest.mark.parametrize("move_s", [10.1, 30.0])
def test_run_that_was_held_up_by_more_than_as_much_again_is_void(move_s: float) -> None:
    result = judged([moved(1.0), moved(move_s)], steps(*[1.0] * 30), WITHIN_S)
    assert (result.late, result.unknown, result.is_void) == ([], [moved(move_s)], True)


def test_run_with_a_late_move_besides_is_not_void() -> None:
    late = {"left_s": 100.0, "move_s": 6.0}
    result = judged([moved(20.0), late], steps(*[1.0] * 30), WITHIN_S)
    assert (result.late, result.is_void) == ([late], False)
