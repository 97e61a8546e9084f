"""Takes bets or refuses them, at once and once. No upstream is waited for."""

from collections import Counter
from typing import Protocol

from gateway.bets.bet import Answer, Bet
from gateway.config import BetSettings
from gateway.rounds.rounds import Rounds


class Upstream(Protocol):
    """Where accepted bets go."""

    def offer(self, bet: Bet) -> bool:
        """Take the bet, to be handed on in its player's order; False when there is no room."""


class BettingDesk:
    """See the module."""

    def __init__(self, settings: BetSettings, rounds: Rounds, upstream: Upstream | None) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()
        """(stream, state) -> bets."""
        self._settings = settings
        self._rounds = rounds
        self._upstream = upstream

    def place(self, bet: Bet, client: str, now_s: float) -> Answer:
        """The answer to a bet that arrived at `now_s`; `client` is its address's key, for rates."""
        raise NotImplementedError
