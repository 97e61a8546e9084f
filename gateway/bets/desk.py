"""Takes bets or refuses them, at once and once. No upstream is waited for. Pure.

What is judged, in this order:

    answered before  duplicate, with the first answer: before all else, as whoever sends a bet again has not had its
                     answer, which no rate and no expired token may hide
    forbidden        the player may not bet
    rate_limited     the player's rate, then its address's
    unknown_round    no such round, or one that is over for so long that its bets are forgotten
    duplicate        without a first answer: another player placed this betId
    late             the round takes no bets, any more or yet
    rate_limited     the round, or the process, has as many bets as it remembers
    unavailable      the upstream has no room
    accepted

Accepted and late are final for their betId. The others are not remembered, and the bet may be sent again; nor is late
of a round that is still to open, which nobody may fill with bets before anybody can bet.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

import structlog

from gateway.bets.answers import Answers
from gateway.bets.bet import Answer, Bet, BetState
from gateway.config import BetSettings
from gateway.metrics import Sample
from gateway.rates import Rates
from gateway.rounds.round import Round
from gateway.rounds.rounds import Rounds
from gateway.rounds.states import RoundState

log = structlog.get_logger()

REFUSALS_LOGGED_PER_S = 5.0
"""Of a stream and a state: a flood of refused bets is counted, not written down one by one."""

NO_STREAM = ""
"""Label of bets at streams that never had a round: whoever connects chooses their names."""

MAX_GONE_ANSWERS = 1024
"""Counters of streams that are gone: kept, so that a scrape sees what came last, up to the bets of 150 streams."""


class Upstream(Protocol):
    """Where accepted bets go."""

    def offer(self, bet: Bet) -> bool:
        """Take the bet, to be handed on in its player's order; False when there is no room."""


class BettingDesk:
    """See the module."""

    def __init__(self, settings: BetSettings, rounds: Rounds, upstream: Upstream | None) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()
        """(stream, state) -> bets."""
        self.over_rate: Counter[str] = Counter()
        """Kind of the rate (bet_player, bet_address) -> bets over it."""
        self._settings = settings
        self._rounds = rounds
        self._upstream = upstream
        self._remembered = Answers(rounds)
        self._player_rates = Rates(settings.per_player_per_s)
        self._address_rates = Rates(settings.per_address_per_s)
        self._log_rates = Rates(REFUSALS_LOGGED_PER_S)

    def place(self, bet: Bet, client: str, now_s: float, may_bet: bool = True) -> Answer:
        """The answer to a bet that arrived at `now_s`.

        `client` is its address's key, for rates. `may_bet` is what the token says at this moment: its role, its
        streams, its expiry.
        """
        answer = self._judge(bet, client, now_s, may_bet)
        stream = self._count(bet, answer)
        self._log(bet, stream, answer, now_s)
        return answer

    def samples(self, streams: Iterable[str] = ()) -> Iterator[Sample]:
        """For a scrape. `streams`: those that there are."""
        # From the beginning, as 0: for Prometheus a counter that appears with 1 has not grown.
        bettable = {*streams, *self._rounds.streams()}
        answers = {(stream, state.value): 0 for stream in bettable for state in BetState}
        for labels, count in (answers | self.answers).items():
            yield "railbird_bets_total", labels, count
        for kind, count in self.over_rate.items():
            yield "railbird_rate_limited_total", (kind,), count

    def _judge(self, bet: Bet, client: str, now_s: float, may_bet: bool) -> Answer:
        placed = self._rounds.find(bet.stream, bet.round_id)
        earlier = self._remembered.find(placed, bet.bet_id) if placed is not None else None
        if earlier is not None and earlier[0] == bet.player:
            return Answer(BetState.DUPLICATE, earlier[1])
        if not may_bet:
            return Answer(BetState.FORBIDDEN)
        if self._is_over_rate(bet.player, client, now_s):
            return Answer(BetState.RATE_LIMITED)
        if placed is None or self._is_forgotten(placed):
            return Answer(BetState.UNKNOWN_ROUND)
        if earlier is not None:
            return Answer(BetState.DUPLICATE)
        return Answer(self._take(placed, bet, now_s))

    def _take(self, placed: Round, bet: Bet, now_s: float) -> BetState:
        """The answer to a bet that was not seen before."""
        if not placed.takes_bets(now_s):
            self._remember_late(placed, bet)
            return BetState.LATE
        if not self._has_room(placed, BetState.ACCEPTED):
            return BetState.RATE_LIMITED
        if self._upstream is not None and not self._upstream.offer(bet):
            return BetState.UNAVAILABLE
        placed.bets += 1
        self._remembered.remember(placed, bet, BetState.ACCEPTED)
        return BetState.ACCEPTED

    def _remember_late(self, placed: Round, bet: Bet) -> None:
        # Beyond the room for them late bets are late all the same: a window that has closed does not open again.
        if placed.state is not RoundState.SCHEDULED and self._has_room(placed, BetState.LATE):
            self._remembered.remember(placed, bet, BetState.LATE)

    def _has_room(self, placed: Round, state: BetState) -> bool:
        has_room = self._remembered.count(placed, state) < self._settings.per_round
        return has_room and self._remembered.make_room(placed)

    def _is_forgotten(self, placed: Round) -> bool:
        return placed.is_over and self._remembered.are_forgotten(placed)

    def _is_over_rate(self, player: str, client: str, now_s: float) -> bool:
        for kind, rates, key in (
            ("bet_player", self._player_rates, player),
            ("bet_address", self._address_rates, client),
        ):
            if not rates.allows(key, now_s):
                self.over_rate[kind] += 1
                return True
        return False

    def _count(self, bet: Bet, answer: Answer) -> str:
        """The label of the bet's stream."""
        streams = {NO_STREAM, *self._rounds.streams()}
        stream = bet.stream if bet.stream in streams else NO_STREAM
        self.answers[stream, answer.state.value] += 1
        if len(self.answers) > MAX_GONE_ANSWERS + len(streams) * len(BetState):
            for labels in [labels for labels in self.answers if labels[0] not in streams]:
                del self.answers[labels]
        return stream

    def _log(self, bet: Bet, stream: str, answer: Answer, now_s: float) -> None:
        state = answer.state.value
        is_refused = answer.state not in (BetState.ACCEPTED, BetState.DUPLICATE)
        say = log.info if is_refused and self._log_rates.allows(f"{stream} {state}", now_s) else log.debug
        say("bet", stream=bet.stream, round_id=bet.round_id, bet_id=bet.bet_id, player=bet.player, state=state)
