"""Rounds at a time that the test says, and what a listener heard of them."""

from gateway.clock import WallClock
from gateway.config import RoundSettings
from gateway.rounds.round import Round
from gateway.rounds.rounds import Command, Rounds
from gateway.rounds.states import RoundState

UNIX_MINUS_MONOTONIC_S = 1_790_000_000.0
STREAM = "table"


class Stand:
    """See the module."""

    def __init__(self, history: int = 100) -> None:
        self.now_s = 1000.0
        self.heard: list[tuple[str, str, float]] = []
        """(round, state, when it was told) of each change."""
        self.rounds = Rounds(RoundSettings(history=history), WallClock(UNIX_MINUS_MONOTONIC_S), self._rtp_timestamp_at)
        self.rounds.listeners.append(lambda told, now_s: self.heard.append((told.round_id, told.state.value, now_s)))

    def _rtp_timestamp_at(self, stream: str, at_s: float) -> int | None:
        return round(at_s * 90_000) if stream == STREAM else None

    def say(
        self,
        state: str,
        round_id: str | None = "r",
        *,
        stream: str = STREAM,
        closes_in_s: float | None = None,
        result: object = None,
    ) -> Round:
        """What a studio says, now."""
        return self.rounds.command(stream, Command(RoundState(state), round_id, closes_in_s, result), self.now_s)

    def wait(self, seconds: float) -> None:
        """Time passes, and somebody looks at the clock."""
        self.now_s += seconds
        self.rounds.tick(self.now_s)

    def play(self, round_id: str, last: str = "settled") -> Round:
        """A round from its opening to `last`."""
        for state in ("betting_open", "betting_closed", "result", last):
            played = self.say(state, round_id)
        return played
