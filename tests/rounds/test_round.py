"""One round: whether a bet is in time."""

import pytest

from tests.rounds.stand import Stand


@pytest.mark.parametrize(
    ("state", "takes"),
    [
        ("scheduled", False),
        ("betting_open", True),
        ("betting_closed", False),
        ("result", False),
        ("settled", False),
        ("aborted", False),
    ],
)
def test_bets_are_taken_while_they_are_open(state: str, takes: bool) -> None:
    stand = Stand()
    for each in ("scheduled", "betting_open", "betting_closed", "result", "settled", "aborted"):
        if each == "aborted" and state != "aborted":
            break
        if not (state == "aborted" and each == "settled"):
            told = stand.say(each)
        if each == state:
            break
    assert told.state.value == state
    assert told.takes_bets(stand.now_s) is takes


def test_bet_after_the_window_is_late_before_anybody_has_closed_it() -> None:
    stand = Stand()
    opened = stand.say("betting_open", closes_in_s=4.0)
    assert opened.takes_bets(1003.999)
    assert not opened.takes_bets(1004.0)


@pytest.mark.parametrize("closes_in_s", [None, 4.0])
def test_bet_that_arrived_in_time_is_in_time_where_the_gateway_comes_to_it_afterwards(
    closes_in_s: float | None,
) -> None:
    """The kernel stamps datagrams: a gateway that stood still must not make its players late."""
    stand = Stand()
    opened = stand.say("betting_open", closes_in_s=closes_in_s)
    stand.wait(4.0)
    stand.say("betting_closed")
    stand.now_s += 1.0
    assert opened.takes_bets(1003.9)
    assert not opened.takes_bets(1004.0)
    stand.say("result")
    assert not opened.takes_bets(1003.9), "the outcome is known"


def test_bet_that_arrived_before_the_window_opened_is_not_in_time_where_the_gateway_comes_to_it_afterwards() -> None:
    stand = Stand()
    stand.say("scheduled")
    stand.wait(4.0)
    opened = stand.say("betting_open")
    assert not opened.takes_bets(1003.9)
    assert opened.takes_bets(1004.0)
    stand.wait(4.0)
    stand.say("betting_closed")
    assert not opened.takes_bets(1003.9)
    assert opened.takes_bets(1004.0)
