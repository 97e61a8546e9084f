"""The bets of one player: planned when a round opens, sent in time, sent again where they may have got lost."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from functools import partial

from loadgen.scenario.players import BetsSpec
from loadgen.signals import messages
from loadgen.signals.bet_book import BetBook, PlacedBet
from loadgen.signals.messages import Ack, DeliveryNews, RoundNews
from loadgen.signals.plan import RoundPlan, plan
from loadgen.signals.rounds_seen import RoundsSeen
from loadgen.signals.tally import Tally
from loadgen.signals.timers import Timers

RESEND_S = 1.0
"""A bet on a data channel that is not answered by then is sent again, as a page does; and each second from then on."""

MAX_MESSAGES_A_BET = 10
"""Then the player gives up."""

GRACE_S = 3.0
"""For answers that are still to come when a player leaves: as long as a bet takes that got lost twice."""

MAX_ROUNDS_BET_ON = 8
"""At a time: as many as a server has open."""


class Bettor:
    """See the module. `send` puts a message on whatever carries it."""

    def __init__(self, spec: BetsSpec | None, seed: int, tally: Tally, send: Callable[[str], None]) -> None:
        """Without `spec` nobody bets, and rounds are followed all the same. `seed` is of the player's visit."""
        self.may_bet = False
        """What the welcome says."""
        self.is_reliable = True
        """Of the carrier: whether no message gets lost or late."""
        self._spec = spec
        self._seed = seed
        self._tally = tally
        self._send = send
        self._book = BetBook(tally.counts, tally.broken_rules)
        self._rounds = RoundsSeen()
        self._plans: dict[str, RoundPlan] = {}
        """Round id -> what is planned, while bets are open."""
        self._rounds_planned = 0
        self._bets_placed = 0
        self._carried: list[PlacedBet] = []
        """Of another edge, and not yet sent to this one."""
        self._timers = Timers()
        """By the bet's id: when it is sent, or sent again."""
        self._news = asyncio.Event()
        """A bet was answered."""
        self._is_leaving = False

    # Rounds

    def note(self, news: RoundNews) -> tuple[str, ...]:
        """See whether the rules are kept; the states that are new."""
        broken, entered = self._rounds.on_news(news, self.is_reliable)
        for rule in broken:
            self._tally.on_broken_rule(rule)
        counts = self._tally.counts
        counts.rounds += "betting_open" in entered
        counts.rounds_settled += "settled" in entered
        counts.rounds_aborted += "aborted" in entered
        return entered

    def on_round(self, news: RoundNews) -> None:
        """A round has entered a state."""
        entered = self.note(news)
        if news.state == "betting_open" and entered:
            self._open_bets(news)
        elif news.state != "betting_open":
            self._close_bets(news)

    def _open_bets(self, news: RoundNews) -> None:
        if self._spec is None or not self.may_bet or self._is_leaving or len(self._plans) >= MAX_ROUNDS_BET_ON:
            return
        self._rounds_planned += 1
        planned = self._plans[news.round_id] = plan(self._spec, self._seed, self._rounds_planned, news.window_s)
        for after_s in planned.after_s:
            bet_id = self._next_bet_id()
            self._timers.set(bet_id, after_s, partial(self._bet_if_open, bet_id, news.round_id))

    def _close_bets(self, news: RoundNews) -> None:
        """What was planned later than bets were open comes to nothing; who wants to be late is so now."""
        planned = self._plans.pop(news.round_id, None)
        if planned is not None and news.state == "betting_closed":
            for _ in range(planned.late):
                self._bet(self._next_bet_id(), news.round_id, is_late=True)

    # Bets

    def _next_bet_id(self) -> str:
        """Unique: another run on the same server has the same seeds, but other instants."""
        self._bets_placed += 1
        return f"{self._seed:x}-{time.time_ns() // 1_000_000:x}-{self._bets_placed}"

    def _bet_if_open(self, bet_id: str, round_id: str) -> None:
        if round_id in self._plans:
            self._bet(bet_id, round_id, is_late=False)

    def _bet(self, bet_id: str, round_id: str, is_late: bool) -> None:
        self._send_bet(self._book.place(bet_id, round_id, time.time(), is_late))

    def _send_bet(self, placed: PlacedBet) -> None:
        self._send(messages.bet(placed.bet_id, placed.round_id))
        if not self.is_reliable and placed.messages < MAX_MESSAGES_A_BET:
            self._timers.set(placed.bet_id, RESEND_S, partial(self._resend, placed))

    def _resend(self, placed: PlacedBet) -> None:
        self._book.resend(placed)
        self._send_bet(placed)

    def on_ack(self, ack: Ack, arrival_s: float) -> None:
        """An answer, that arrived at unix seconds."""
        rtt_s = self._book.on_ack(ack, arrival_s)
        if rtt_s is not None:
            self._tally.on_bet_rtt(rtt_s)
            self._timers.cancel(ack.bet_id)
            self._news.set()

    def on_delivery(self, news: DeliveryNews) -> None:
        """What became of an accepted bet."""
        self._book.on_delivery(news, self.is_reliable)

    # From one edge to another

    def carry(self, placed: Iterable[PlacedBet]) -> None:
        """Bets that the edge before was sent: `send_carried` sends again what it has not answered since."""
        for each in placed:
            if each.final is None:
                self._book.adopt(each)
                self._carried.append(each)

    def send_carried(self) -> None:
        """There is a connection: send what was carried here."""
        carried, self._carried = self._carried, []
        for placed in carried:
            if self._book.is_open(placed.bet_id):
                self._resend(placed)

    def hand_over(self) -> tuple[PlacedBet, ...]:
        """Bet no more; the bets without an answer, which are for another edge to answer."""
        self._is_leaving = True
        self._plans.clear()
        self._timers.cancel_all()
        self._carried.clear()
        return self._book.hand_over()

    # The end

    def on_connection_lost(self) -> None:
        """By the server, or the path to it: no answer can come any more."""
        self._plans.clear()
        self._carried.clear()
        self._timers.cancel_all()
        self._book.close(is_own_doing=False)
        self._news.set()

    async def finish(self) -> None:
        """Bet no more, and wait until all bets are answered; those that are not after GRACE_S count as unanswered."""
        self._is_leaving = True
        self._plans.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                while self._book.has_open:
                    self._news.clear()
                    await self._news.wait()
        self._timers.cancel_all()
        self._book.close(is_own_doing=False)

    def abandon(self) -> None:
        """Vanish: who closes a tab does not wait for answers."""
        self._is_leaving = True
        self._plans.clear()
        self._timers.cancel_all()
        self._book.close(is_own_doing=True)
