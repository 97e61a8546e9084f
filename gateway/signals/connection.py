"""One player's connection: what it says is judged and answered here. No clock of the player's is trusted."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from gateway.auth.identity import Identity, Role
from gateway.bets.bet import Bet
from gateway.bets.desk import BettingDesk
from gateway.clock import WallClock
from gateway.config import SignalSettings
from gateway.errors import WireError
from gateway.rates import Rates
from gateway.signals import outgoing
from gateway.signals.carrier import Carrier
from gateway.signals.messages import BetMessage, Message, Pong, Report, parse_message
from gateway.signals.moving import Move
from gateway.signals.pings import Pings
from gateway.signals.reports import Reporter, Reports

log = structlog.get_logger()

ERRORS_PER_S = 1.0
"""Answers to what was not understood: who sends only that gets no echo of it."""
FLOOD_FACTOR = 10.0
"""So many times `messages_per_s`, for longer than a burst, is no player's page: it is sent away."""
FLOOD_RECONNECT_S = 10.0


@dataclass(slots=True)
class SignalFigures:
    """Counters of all connections together."""

    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(stream, type) -> messages of players."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Cause -> messages of players that were refused."""
    unsent: Counter[str] = field(default_factory=Counter)
    """Carrier -> messages to players that did not go out, as too many waited already."""
    unanswered: Counter[str] = field(default_factory=Counter)
    """Stream -> pings without a pong in time."""


class Limits:
    """How often one connection may do what."""

    def __init__(self, settings: SignalSettings) -> None:
        self.messages = Rates(settings.messages_per_s, settings.connections)
        self.flood = Rates(settings.messages_per_s * FLOOD_FACTOR, settings.connections)
        self.errors = Rates(ERRORS_PER_S, settings.connections)


class Owner(Protocol):
    """What all connections share: `Signals`."""

    settings: SignalSettings
    desk: BettingDesk
    reports: Reports
    clock: WallClock
    figures: SignalFigures
    limits: Limits

    def measured(self, connection: "Connection", rtt_s: float) -> None:
        """A pong has come."""

    def left(self, connection: "Connection") -> None:
        """It is over. Called once."""


class Connection:
    """Implements `carrier.Receiver`."""

    __slots__ = (
        "_owner",
        "_reporter",
        "carrier",
        "identity",
        "is_over",
        "key",
        "move",
        "pings",
        "player",
        "since_s",
        "stream",
    )

    def __init__(self, stream: str, carrier: Carrier, identity: Identity, key: str, owner: Owner, now_s: float) -> None:
        """`key` tells this connection from all others; it stands for a player without a token."""
        self.stream = stream
        self.carrier = carrier
        self.identity = identity
        self.key = key
        self.player = identity.player if identity.player is not None else key
        self.since_s = now_s
        self.pings = Pings()
        self.is_over = False
        self.move: Move | None = None
        """Where it is to go on, while the gateway drains."""
        self._owner = owner
        self._reporter = Reporter(now_s)

    # Receiver

    def on_text(self, text: str, arrival_s: float) -> None:
        """See `Receiver`."""
        if not self.admits(arrival_s):
            return
        try:
            self._on_text(text, arrival_s)
        except WireError as error:
            self._owner.figures.dropped["malformed"] += 1
            self._say_error(str(error), arrival_s)
        except Exception:
            log.exception("signal failed", stream=self.stream)

    def refuse_binary(self, now_s: float) -> None:
        """A message came that is no text."""
        if self.admits(now_s):
            self._owner.figures.dropped["binary"] += 1
            self._say_error("A message is text, not bytes.", now_s)

    def admits(self, now_s: float) -> bool:
        """Count whatever came, be it a message or not. False for who floods, after a goodbye."""
        if self.is_over:
            return False
        if self._owner.limits.flood.allows(self.key, now_s):
            return True
        self._owner.figures.dropped["flood"] += 1
        self.end("Too many messages.", FLOOD_RECONNECT_S)
        return False

    def on_closed(self) -> None:
        """See `Receiver`."""
        self._leave()

    # What goes out

    def send(self, text: str) -> None:
        """Send a message; what cannot go out is counted."""
        if not self.is_over and not self.carrier.send(text):
            self._owner.figures.unsent[self.carrier.kind] += 1

    def ping(self, now_s: float) -> None:
        """Begin to measure a round trip."""
        if self.is_over:  # since its turn came: nothing may be counted of a stream that went with it
            return
        self._owner.figures.unanswered[self.stream] += self.pings.expire(now_s)
        self.send(outgoing.ping(self.pings.begin(now_s), self.pings.rtt_s))

    def say_move(self, now_s: float) -> None:
        """Tell the player to go on elsewhere, if it is to; again, with the time that is left."""
        if self.move is not None:
            self.send(outgoing.move(max(self.move.at_s - now_s, 0.0), self.move.to))

    def end(self, sentence: str, reconnect_after_s: float) -> None:
        """Say goodbye, and close."""
        if not self.is_over:
            self.send(outgoing.goodbye(sentence, reconnect_after_s))
            self.carrier.close()
            self._leave()

    def may_bet(self, now_s: float) -> bool:
        """Whether the token lets its bearer bet here at this time."""
        expires_unix_s = self.identity.expires_unix_s
        has_expired = expires_unix_s is not None and self._owner.clock.unix_s(now_s) >= expires_unix_s
        return not has_expired and self.identity.may(Role.BET, self.stream)

    # What comes in

    def _on_text(self, text: str, arrival_s: float) -> None:
        is_in_rate = self._owner.limits.messages.allows(self.key, arrival_s)
        message = parse_message(text, self._owner.settings.max_message_bytes)
        # Each bet gets its answer: how many of them a player may send is for the desk to say.
        if is_in_rate or isinstance(message, BetMessage):
            self._take(message, arrival_s)
        else:
            self._owner.figures.dropped["rate"] += 1

    def _take(self, message: Message, arrival_s: float) -> None:
        counts = self._owner.figures.messages
        if isinstance(message, Pong):
            counts[self.stream, "pong"] += 1
            self._on_pong(message, arrival_s)
        elif isinstance(message, BetMessage):
            counts[self.stream, "bet"] += 1
            self._on_bet(message, arrival_s)
        else:
            counts[self.stream, "report"] += 1
            self._on_report(message, arrival_s)

    def _on_pong(self, pong: Pong, arrival_s: float) -> None:
        rtt_s = self.pings.end(pong.ping_id, arrival_s)
        if rtt_s is None:
            self._owner.figures.dropped["unknown_pong"] += 1
        else:
            self._owner.measured(self, rtt_s)

    def _on_bet(self, message: BetMessage, arrival_s: float) -> None:
        bet = Bet(
            stream=self.stream,
            round_id=message.round_id,
            bet_id=message.bet_id,
            player=self.player,
            fields=message.fields,
            placed_s=arrival_s,
            placed_unix_s=self._owner.clock.unix_s(arrival_s),
            jurisdiction=self.identity.jurisdiction,
            traceparent=message.traceparent,
        )
        answer = self._owner.desk.place(bet, self.identity.client, arrival_s, self.may_bet(arrival_s))
        self.send(outgoing.ack(message, answer))

    def _on_report(self, report: Report, arrival_s: float) -> None:
        self._owner.reports.take(self.stream, report, self._reporter, arrival_s)

    def _say_error(self, sentence: str, now_s: float) -> None:
        if self._owner.limits.errors.allows(self.key, now_s):
            self.send(outgoing.error(sentence))

    def _leave(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._owner.left(self)
