"""One player's signals: connected, answering, betting, for as long as the player watches."""

import asyncio
from collections.abc import Callable, Iterable

from gateway.errors import WireError
from loadgen.errors import SignallingError
from loadgen.figures import Interval, SessionFigures
from loadgen.scenario.players import BetsSpec
from loadgen.signals import messages
from loadgen.signals.bet_book import PlacedBet
from loadgen.signals.bettor import Bettor
from loadgen.signals.carrier import Carrier, Connect, Listener
from loadgen.signals.messages import Ack, Complaint, DeliveryNews, Goodbye, Move, Ping, RoundNews, Welcome
from loadgen.signals.reporter import Reporter
from loadgen.signals.tally import Tally
from loadgen.signals.timers import Timers

WELCOME_WITHIN_S = 5.0
"""From the connection to the first message."""

RECONNECT_S = 1.0
MAX_RECONNECT_S = 30.0
"""Each failure in a row doubles it."""

_REPORT = "report"


def _stay(_move: Move) -> None:
    """Of a player that nobody moves."""


class SignalsClient:
    """`connect`, or `keep` as a task; then `finish` or `abandon`, `close` or `vanish`, and a last `take`."""

    def __init__(self, connect: Connect, figures: SessionFigures, bets: BetsSpec | None, seed: int) -> None:
        """`figures` is the record of the player that this belongs to; `seed` is of its visit."""
        self.closed = asyncio.Event()
        """Set when a connection has ended that was there, and not by us."""
        self.on_move: Callable[[Move], None] = _stay
        """Told each time that the server says that the player is to move; by data channel it says so several times."""
        self._connect = connect
        self._figures = figures
        self._tally = Tally()
        self._bettor = Bettor(bets, seed, self._tally, self._send)
        self._reporter = Reporter(figures)
        self._timers = Timers()
        self._carrier: Carrier | None = None
        self._welcomed = asyncio.Event()
        self._reconnect_after_s = 0.0
        self._is_leaving = False
        """Whether the connection may end with the session: the player has said that it goes."""

    # Being connected

    async def connect(self) -> None:
        """Until the welcome. SignallingError with its cause, which is counted, too."""
        self.closed.clear()
        self._welcomed.clear()
        self._reconnect_after_s = 0.0
        try:
            await self._connect(Listener(self._on_open, self._on_text, self._on_closed))
            await self._until_welcomed()
        except SignallingError as error:
            self._tally.failures[error.cause] += 1
            carrier, self._carrier = self._carrier, None
            if carrier is not None:
                await carrier.close()
            raise
        self._tally.counts.connections += 1
        self._bettor.send_carried()

    async def _until_welcomed(self) -> None:
        try:
            async with asyncio.timeout(WELCOME_WITHIN_S):
                await self._welcomed.wait()
        except TimeoutError:
            raise SignallingError("welcome_timeout", f"No welcome in {WELCOME_WITHIN_S:.0f} s.") from None
        if self.closed.is_set():
            raise SignallingError("closed", "The server ended the connection before its welcome.")

    async def keep(self) -> None:
        """Connect, and connect again, until cancelled."""
        wait_s = RECONNECT_S
        while True:
            try:
                await self.connect()
                wait_s = RECONNECT_S
                await self.closed.wait()
            except SignallingError:
                wait_s = min(2 * wait_s, MAX_RECONNECT_S)
            await asyncio.sleep(max(wait_s, self._reconnect_after_s))

    def _on_open(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._bettor.is_reliable = carrier.is_reliable

    def _on_closed(self) -> None:
        self._tally.counts.connections_lost += self._welcomed.is_set() and not self._is_leaving
        self._timers.cancel_all()
        self._bettor.on_connection_lost()
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.abandon()
        self.closed.set()
        self._welcomed.set()

    # What comes

    def _on_text(self, text: str, arrival_s: float) -> None:
        self._tally.counts.messages += 1
        try:
            message = messages.parse(text)
        except WireError:
            self._tally.on_broken_rule("unreadable")
            return
        match message:
            case Ping():
                self._on_ping(message)
            case Ack():
                self._bettor.on_ack(message, arrival_s)
            case RoundNews():
                self._bettor.on_round(message)
            case DeliveryNews():
                self._bettor.on_delivery(message)
            case Welcome():
                self._on_welcome(message)
            case Complaint():
                self._tally.counts.complaints += 1
            case Move():
                self.on_move(message)
            case Goodbye():
                self._reconnect_after_s = min(max(message.reconnect_after_s, 0.0), MAX_RECONNECT_S)

    def _on_ping(self, ping: Ping) -> None:
        self._send(messages.pong(ping.ping_id))
        self._tally.counts.pings += 1
        if ping.rtt_s is not None:
            self._tally.on_ping_rtt(ping.rtt_s)

    def _on_welcome(self, welcome: Welcome) -> None:
        self._bettor.may_bet = welcome.may_bet
        if self._welcomed.is_set():
            # By data channel it comes again until a ping is answered: the first one may be lost.
            if self._bettor.is_reliable:
                self._tally.on_broken_rule("two_welcomes")
            return
        for news in welcome.rounds:
            # Since when bets are open is on the server's clock: who comes in the middle waits for the next round.
            self._bettor.note(news)
        if self._reporter.has_picture and welcome.report_interval_s >= 1:
            self._reporter.begin()
            self._timers.set(_REPORT, welcome.report_interval_s, lambda: self._report(welcome.report_interval_s))
        self._welcomed.set()

    def _report(self, interval_s: float) -> None:
        self._send(self._reporter.report())
        self._tally.counts.reports += 1
        self._timers.set(_REPORT, interval_s, lambda: self._report(interval_s))

    def _send(self, text: str) -> None:
        if self._carrier is not None:
            self._carrier.send(text)

    # From one edge to another

    def carry(self, placed: Iterable[PlacedBet]) -> None:
        """Bets that the edge before did not answer: they are sent again, once there is a connection."""
        self._bettor.carry(placed)
        if self._carrier is not None and self._welcomed.is_set():
            self._bettor.send_carried()

    def hand_over(self) -> tuple[PlacedBet, ...]:
        """Bet no more; the bets that have no answer, to `carry` to the next edge. The session may end from now on."""
        self._is_leaving = True
        return self._bettor.hand_over()

    # Leaving

    async def finish(self) -> None:
        """Bet no more, and wait a moment for the answers that are still to come."""
        await self._bettor.finish()

    def abandon(self) -> None:
        """Bet no more, and do not care for answers."""
        self._bettor.abandon()

    async def close(self) -> None:
        """Give the connection back."""
        self._timers.cancel_all()
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            await carrier.close()

    def vanish(self) -> None:
        """`abandon` and `close`, where nobody can wait for it."""
        self.abandon()
        self._timers.cancel_all()
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.abandon()

    def take(self, interval: Interval) -> None:
        """Add what happened since the last call to `interval`, and to the player's record."""
        self._tally.take(interval, self._figures, is_stamped=not self._bettor.is_reliable)
