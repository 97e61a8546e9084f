"""A table with rounds, and bets on them."""

from gateway.bets.bet import Bet
from gateway.clock import WallClock
from gateway.config import RoundSettings
from gateway.rounds.round import Round
from gateway.rounds.rounds import Command, Rounds
from gateway.rounds.states import RoundState

CLIENT = "192.0.2.1"


def rounds(history: int = 100) -> Rounds:
    """Those of a gateway that started at the Unix time 1000, which was 0 by the monotonic clock."""
    return Rounds(RoundSettings(history=history), WallClock(1000.0))


def opened(known: Rounds, round_id: str = "r1", now_s: float = 0.0, closes_in_s: float | None = None) -> Round:
    """A round of the stream `table` that takes bets."""
    return known.command("table", Command(RoundState.BETTING_OPEN, round_id, closes_in_s=closes_in_s), now_s)


def moved(known: Rounds, state: RoundState, round_id: str = "r1", now_s: float = 0.0) -> Round:
    """The round, in another state."""
    return known.command("table", Command(state, round_id), now_s)


def bet(
    bet_id: str = "b1",
    player: str = "ada",
    round_id: str = "r1",
    *,
    stream: str = "table",
    now_s: float = 0.0,
    traceparent: str | None = None,
) -> Bet:
    """One that arrived at `now_s`."""
    fields = {"amount": 5, "field": "red"}
    return Bet(stream, round_id, bet_id, player, fields, now_s, 1000.0 + now_s, "MT", traceparent)
