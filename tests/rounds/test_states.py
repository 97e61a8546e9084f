"""The table of states, as a whole."""

from itertools import pairwise

from gateway.rounds.states import FIRST_STATES, PICTURE_MATTERS, TRANSITIONS, RoundState


def _after(state: RoundState) -> set[RoundState]:
    """All that can follow, at once or later."""
    reached: set[RoundState] = set()
    waiting = [state]
    while waiting:
        for following in TRANSITIONS[waiting.pop()] - reached:
            reached.add(following)
            waiting.append(following)
    return reached


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(RoundState)


def test_every_state_can_be_reached_from_a_first_one() -> None:
    reached = set(FIRST_STATES).union(*(_after(state) for state in FIRST_STATES))
    assert reached == set(RoundState)


def test_no_state_comes_back() -> None:
    assert [state for state in RoundState if state in _after(state)] == []


def test_whatever_is_not_over_can_be_aborted() -> None:
    over = {state for state in RoundState if not TRANSITIONS[state]}
    assert over == {RoundState.SETTLED, RoundState.ABORTED}
    assert all(RoundState.ABORTED in TRANSITIONS[state] for state in set(RoundState) - over)


def test_the_way_of_a_round_that_goes_well() -> None:
    way = ["scheduled", "betting_open", "betting_closed", "result", "settled"]
    for before, after in pairwise(way):
        assert TRANSITIONS[RoundState(before)] == {RoundState(after), RoundState.ABORTED}


def test_picture_matters_from_the_first_bet_to_the_result() -> None:
    assert {RoundState.BETTING_OPEN, RoundState.BETTING_CLOSED} == PICTURE_MATTERS
