"""The states of a round, and which may follow which.

scheduled -> betting_open -> betting_closed -> result -> settled
    `-------------`----------------`-------------`-----> aborted
"""

from enum import Enum


class RoundState(Enum):
    """Where a round stands; the values are those of the API, the signals and the ledger."""

    SCHEDULED = "scheduled"
    BETTING_OPEN = "betting_open"
    BETTING_CLOSED = "betting_closed"
    """No more bets; the result is due."""
    RESULT = "result"
    """The result is known."""
    SETTLED = "settled"
    ABORTED = "aborted"


TRANSITIONS: dict[RoundState, frozenset[RoundState]] = {
    RoundState.SCHEDULED: frozenset({RoundState.BETTING_OPEN, RoundState.ABORTED}),
    RoundState.BETTING_OPEN: frozenset({RoundState.BETTING_CLOSED, RoundState.ABORTED}),
    RoundState.BETTING_CLOSED: frozenset({RoundState.RESULT, RoundState.ABORTED}),
    RoundState.RESULT: frozenset({RoundState.SETTLED, RoundState.ABORTED}),
    RoundState.SETTLED: frozenset(),
    RoundState.ABORTED: frozenset(),
}

FIRST_STATES = frozenset({RoundState.SCHEDULED, RoundState.BETTING_OPEN})
"""A round begins in one of these."""

PICTURE_MATTERS = frozenset({RoundState.BETTING_OPEN, RoundState.BETTING_CLOSED})
"""Bets are open, or the result is due: without a picture the round has failed."""
