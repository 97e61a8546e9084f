"""Leaving without ending a round: who orders it, and how far each stream has come (docs/drain.md).

    playing --no round is open nor a bet under way, or they had rounds_s; nobody watches, or they had notice_s--> moving
    moving --nobody is left, or they had spread_s and leave_s--> leaving --nobody is left, nor asks for HLS--> gone

A stream that is `playing` is let play. Of one that is `moving` the players are told to go on elsewhere; of one that is
`leaving` those who are left are sent away. Its studio goes last of all: then the stream is `gone`. Streams do not wait
for one another; the end waits for all bets that are under way, whoever is left, until rounds_s are over. Pure: time is
passed in, and what is done to whom is behind `Premises`.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Protocol

import structlog

from gateway.clock import WallClock
from gateway.clockwork import isolated
from gateway.config import DrainSettings
from gateway.config.drain import ASK_AGAIN_S
from gateway.metrics import Sample

log = structlog.get_logger()

TICK_S = 0.1
CAUSE = "moved"
"""Why sessions end that a drain ends."""


class Order(Enum):
    """Who wants it. The gateway drains while one of them stands."""

    SIGNAL = "signal"
    """SIGTERM: the process ends when it has drained. Never withdrawn."""
    FILE = "file"
    API = "api"


class Stage(Enum):
    """How far a stream has come."""

    PLAYING = "playing"
    MOVING = "moving"
    LEAVING = "leaving"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Remaining:
    """Who and what is still here."""

    rounds: int
    """Open ones that a drain waits for."""
    studios: int
    players: int
    """By WebRTC, and those WebSockets of signals."""


class Premises(Protocol):
    """What is left by a drain: the hub."""

    def admit(self, is_admitting: bool) -> None:
        """Take in who is new, or not. Taking them in ends all that `move` began."""

    def streams(self) -> Collection[str]:
        """Those that have a session, signals or an open round."""

    def remaining(self) -> Remaining:
        """Of all streams together."""

    def is_played(self, stream: str) -> bool:
        """Whether it has a round that is to be played to its end, or bets that are on their way."""

    def has_bets(self) -> bool:
        """Whether bets of any stream are on their way, even where nobody is left."""

    def abort(self, stream: str, now_s: float) -> None:
        """End its open rounds, by the drain's doing."""

    def move(self, stream: str, spread_s: float, now_s: float) -> None:
        """Let its players go on elsewhere, each at a time of its own within `spread_s`."""

    def has_players(self, stream: str, now_s: float) -> bool:
        """Whether anybody watches it or is connected for it."""

    def send_away(self, stream: str, now_s: float) -> None:
        """Begin to end the sessions of its players, however many. Again: nothing but for who has come since, and who
        is still here all the same."""

    def has_sessions(self, stream: str) -> bool:
        """Whether a player of it has a session or signals."""

    def close(self, stream: str, now_s: float) -> None:
        """Close its studios, and what was scheduled there."""


@dataclass(slots=True)
class _Stream:
    stage: Stage = Stage.PLAYING
    moving_until_s: float = 0.0
    """When who is left is sent away."""
    leaving_until_s: float = 0.0
    """When those are given up who have no session, and have not asked for anything since."""
    is_overdue: bool = False
    """Whether its rounds had their time."""


class Drain:
    """See the module. Serving until the first `order`."""

    def __init__(self, settings: DrainSettings, premises: Premises, clock: WallClock) -> None:
        self.orders: set[Order] = set()
        self.since_s: float | None = None
        """When the first of the orders came; None while the gateway serves."""
        self.is_drained = False
        self.moved: Counter[str] = Counter()
        """Stream -> players who were told to go on elsewhere."""
        self.on_leave: Callable[[], None] = lambda: None
        """Called when SIGTERM's order is carried out: the process may end."""
        self._settings = settings
        self._premises = premises
        self._clock = clock
        self._streams: dict[str, _Stream] = {}
        self._is_over = False

    # Orders

    def order(self, order: Order, now_s: float) -> bool:
        """Drain, or go on with it; whether this order is new."""
        if order in self.orders:
            return False
        self.orders.add(order)
        log.info("drain ordered", order=order.value)
        if self.since_s is None:
            self.since_s = now_s
            self._premises.admit(False)
            remaining = self._premises.remaining()
            log.info("draining", rounds=remaining.rounds, studios=remaining.studios, players=remaining.players)
        self.tick(now_s)
        return True

    def withdraw(self, order: Order) -> bool:
        """Serve again, where no other order stands; whether this one stood. SIGTERM's stays."""
        if order is Order.SIGNAL or order not in self.orders or self._is_over:
            return False
        self.orders.discard(order)
        log.info("drain withdrawn", order=order.value)
        if not self.orders:
            self.since_s, self.is_drained = None, False
            self._streams.clear()
            self._premises.admit(True)
            log.info("serving again")
        return True

    def end(self) -> None:
        """The process ends, drained or not: nobody is let in any more, and no order is withdrawn."""
        self._is_over = True
        self._premises.admit(False)

    # What happens

    def tick(self, now_s: float) -> None:
        """Go on; every TICK_S."""
        if self.since_s is None or self._is_over:
            return
        for name in self._premises.streams():
            isolated(partial(self._advance, name), now_s, stream=name)
        if not self._premises.streams() and (self._is_overdue(now_s) or not self._premises.has_bets()):
            self._end(now_s)
        elif self.is_drained:  # somebody has come after all, such as a studio whose handshake was under way
            self.is_drained = False

    def count_moved(self, stream: str) -> None:
        """A player of it was told to go on elsewhere, or sent there without a word as it has no signals."""
        self.moved[stream] += 1

    def has_left(self, name: str) -> bool:
        """Whether the players of that stream are sent away."""
        stream = self._streams.get(name)
        return stream is not None and stream.stage in (Stage.LEAVING, Stage.GONE)

    def _advance(self, name: str, now_s: float) -> None:
        """As many stages at once as need no waiting."""
        stream = self._streams.setdefault(name, _Stream())
        if stream.stage is Stage.PLAYING and self._may_move(name, stream, now_s):
            self._enter(name, Stage.MOVING)
            stream.moving_until_s = now_s + self._settings.spread_s + self._settings.leave_s
            self._premises.move(name, self._settings.spread_s, now_s)
        if stream.stage is Stage.MOVING:
            is_over = now_s >= stream.moving_until_s or not self._premises.has_players(name, now_s)
            if is_over:
                self._enter(name, Stage.LEAVING)
                stream.leaving_until_s = now_s + ASK_AGAIN_S
        if stream.stage in (Stage.LEAVING, Stage.GONE):  # of one that is gone, too: for who was under way
            self._premises.send_away(name, now_s)
            if not self._is_needed(name, stream, now_s):
                self._premises.close(name, now_s)
                self._enter(name, Stage.GONE)

    def _is_needed(self, name: str, stream: _Stream, now_s: float) -> bool:
        """Whether its studio is, for the last ones."""
        if now_s < stream.leaving_until_s:
            return self._premises.has_players(name, now_s)
        return self._premises.has_sessions(name)

    def _may_move(self, name: str, stream: _Stream, now_s: float) -> bool:
        if not stream.is_overdue and self._premises.is_played(name):
            if not self._is_overdue(now_s):
                return False
            stream.is_overdue = True
            log.warning("rounds did not end in time", stream=name, rounds_s=self._settings.rounds_s)
            self._premises.abort(name, now_s)
        return self._is_known(now_s) or not self._premises.has_players(name, now_s)

    def _is_overdue(self, now_s: float) -> bool:
        """Whether rounds, and bets, had their time."""
        return self._deadline_s is not None and now_s >= self._deadline_s

    def _is_known(self, now_s: float) -> bool:
        """Whether load balancers had the time to see that we are not ready: who is moved does not come back to us."""
        return self.since_s is None or now_s >= self.since_s + self._settings.notice_s

    def _enter(self, name: str, stage: Stage) -> None:
        stream = self._streams[name]
        if stream.stage is not stage:
            stream.stage = stage
            log.info("stream drains", stream=name, stage=stage.value)

    def _end(self, now_s: float) -> None:
        if not self.is_drained:
            self.is_drained = True
            log.info("drained", after_s=round(now_s - (self.since_s or now_s), 3))
        if Order.SIGNAL in self.orders:
            self.on_leave()

    # What is told

    @property
    def _deadline_s(self) -> float | None:
        """When rounds that are open are aborted."""
        return self.since_s + self._settings.rounds_s if self.since_s is not None else None

    @property
    def lines(self) -> tuple[str, ...]:
        """For people who ask whether we are ready: how far it is, and who is still here."""
        if self.since_s is None:  # the process ends without one
            return ("draining",)
        left = self._premises.remaining()
        told = f"draining: {_count(left.rounds, 'round')} open, {_count(left.studios + left.players, 'session')}"
        return ("drained" if self.is_drained else "draining", told)

    def report(self) -> dict[str, Any]:
        """JSON-ready; see `gateway.http.drain`."""
        left = self._premises.remaining()
        return {
            "isDraining": self.since_s is not None,
            "isDrained": self.is_drained,
            "orders": [order.value for order in Order if order in self.orders],
            "sinceUnixMs": self._unix_ms(self.since_s),
            "roundsOpen": left.rounds,
            "sessions": {"ingest": left.studios, "egress": left.players},
            "deadlineUnixMs": self._unix_ms(self._deadline_s),
        }

    def samples(self) -> Iterator[Sample]:
        """For a scrape: those of no stream."""
        is_draining = self.since_s is not None
        left = self._premises.remaining() if is_draining else Remaining(0, 0, 0)
        yield "railbird_draining", (), float(is_draining)
        for order in Order:
            yield "railbird_drain_orders", (order.value,), float(order in self.orders)
        yield "railbird_drain_rounds_remaining", (), left.rounds
        yield "railbird_drain_sessions_remaining", ("ingest",), left.studios
        yield "railbird_drain_sessions_remaining", ("egress",), left.players

    def stream_samples(self, streams: Collection[str]) -> Iterator[Sample]:
        """For a scrape: of `streams`, which are all that there are; what was counted of others is forgotten."""
        for gone in self.moved.keys() - set(streams):
            del self.moved[gone]
        for stream in streams:
            yield "railbird_players_moved_total", (stream,), self.moved[stream]

    def _unix_ms(self, at_s: float | None) -> int | None:
        return round(self._clock.unix_s(at_s) * 1000) if at_s is not None else None


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
