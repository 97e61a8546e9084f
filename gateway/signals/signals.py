"""All players with bet signals: who is connected, whose ping is due, who is told what."""

import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from gateway.auth.identity import Identity
from gateway.bets.bet import Bet, Delivery
from gateway.bets.desk import BettingDesk
from gateway.clock import WallClock, monotonic_s
from gateway.config import SignalSettings
from gateway.errors import SignallingError
from gateway.metrics import Histograms, Sample
from gateway.rounds.description import describe
from gateway.rounds.round import Round
from gateway.rounds.rounds import Rounds
from gateway.signals import outgoing
from gateway.signals.carrier import Carrier
from gateway.signals.connection import Connection, Limits, SignalFigures
from gateway.signals.messages import PROTOCOL
from gateway.signals.moving import Move, Moving, spread
from gateway.signals.outbox import Outbox, Repeats
from gateway.signals.reports import Reports
from gateway.signals.roster import Roster, unavailable
from gateway.signals.untold import Untold

TICK_S = 0.1
"""How often `tick` is called: pings of `ping_s` are spread over so many ticks."""
RECONNECT_OVER_S = 3.0
"""Who is sent away comes back within so long, each at a time of its own."""
WELCOME_AGAIN_S = 0.5
"""Who has answered no ping for so long may not have got the welcome either: a data channel loses messages."""
CONNECTION_KEY = "connection:"
"""Begins the key of a connection, which is a player by itself where there is no token."""
RETRY_S = 10.0
"""Who finds no room comes again after so long."""
_ENDED_ROUNDS = 1
"""Of the rounds that are over, how many a player is told of who comes: it shows the last result."""


class Signals:
    """See the module."""

    def __init__(
        self,
        settings: SignalSettings,
        rounds: Rounds,
        desk: BettingDesk,
        histograms: Histograms,
        clock: WallClock,
        is_known: Callable[[str], bool],
        monotonic: Callable[[], float] = monotonic_s,
    ) -> None:
        """`is_known` says whether there is such a stream now; `monotonic` is read at each ping."""
        self.settings = settings
        self.desk = desk
        self.clock = clock
        self.reports = Reports(settings, histograms)
        self.figures = SignalFigures()
        self.limits = Limits(settings)
        self.on_rtt: Callable[[str, float], None] = lambda stream, seconds: None
        """Called with each measured round trip: (stream, seconds)."""
        self.on_backlog: Callable[[], None] = lambda: None
        """Called when `pump` has more to do than one turn takes."""
        self.on_told_to_move: Callable[[str], None] = lambda stream: None
        """Called with the stream of each player who is told to go on elsewhere, once."""
        self._moving: dict[str, Moving] = {}
        self._rounds = rounds
        self._histograms = histograms
        self._monotonic = monotonic
        self._is_draining = False
        self._outbox: Outbox[Connection] = Outbox(monotonic)
        self._repeats = Repeats()
        self._untold = Untold()
        self._roster = Roster(settings, is_known, round(settings.ping_s / TICK_S))

    def __len__(self) -> int:
        return len(self._roster)

    # Who comes, who goes

    def check_room(self, stream: str, identity: Identity, kind: str) -> None:
        """SignallingError 503 with Retry-After where `connect` would have no room."""
        if self._is_draining:
            raise unavailable("This gateway is shutting down.", 1)
        self._roster.check_room(stream, identity, kind)

    def connect(
        self, stream: str, carrier: Carrier, identity: Identity, now_s: float, told: Move | None = None
    ) -> Connection:
        """A connection, which has been welcomed. SignallingError 503 when there is no room. `told`: what its player was
        told by a channel of the same session before."""
        self.check_room(stream, identity, carrier.kind)
        key = CONNECTION_KEY + secrets.token_urlsafe(12)
        connection = Connection(stream, carrier, identity, key, self, now_s)
        welcome = self._welcome(connection, now_s)  # before it is on the roster, from which only its end removes it
        self._roster.add(connection)
        connection.send(welcome)
        if stream in self._moving:
            self._move_newcomer(connection, told or self._roster.told_beside(connection), now_s)
            self._surely(connection, lambda: self._say_move(connection), now_s)
        for text in self._untold.of_player(connection.player, now_s):
            self._send_surely(connection, text, now_s)
        connection.ping(self._monotonic())
        return connection

    def accept(
        self,
        stream: str,
        carrier: Carrier,
        protocol: str,
        identity: Identity,
        now_s: float,
        told: Move | None = None,
    ) -> Connection | None:
        """See `connect`, on a channel that its player has opened already; None, after a goodbye, where it gets none."""
        # A channel without a protocol is taken for one of this version.
        if protocol not in (PROTOCOL, ""):
            carrier.send(outgoing.goodbye(f"Signals speak {PROTOCOL}.", RETRY_S))
            return None
        try:
            return self.connect(stream, carrier, identity, now_s, told)
        except SignallingError as error:
            carrier.send(outgoing.goodbye(error.sentence, RETRY_S))
            return None

    def left(self, connection: Connection) -> None:
        """See `connection.Owner`."""
        self._roster.remove(connection)
        self.forget(connection.stream)

    def forget(self, stream: str) -> None:
        """The stream may be gone. Who waits for it may stay; what was counted goes, at the latest with them."""
        if self._roster.is_over(stream):
            self._drop_figures(stream)

    def close(self) -> None:
        """Admit nobody any more, and send all away: the gateway stops."""
        self._is_draining = True
        while self._outbox.pump():
            pass  # what was said last is said to all
        for connection in self._roster:
            _say_goodbye(connection)

    # Who is to go on elsewhere

    def move(self, stream: str, spread_s: float, next_edge: Callable[[], str | None], now_s: float) -> None:
        """Tell the players of a stream, and who still comes, to go on elsewhere, each within `spread_s` at a time of
        its own. `next_edge` has the base URL for the next one."""
        self._moving[stream] = Moving(now_s + spread_s, next_edge)
        connections = self._roster.of_stream(stream)
        for connection, after_s in zip(connections, spread(len(connections), spread_s), strict=True):
            self._move(connection, Move(now_s + after_s, next_edge()))
        self._outbox.put(connections, self._say_move)
        self.pump(now_s)
        if any(map(_is_lossy, connections)):
            self._repeats.put(lambda: self._move_again(stream), now_s)

    def stay(self) -> None:
        """Nobody is to go any more; who was told may go all the same."""
        self._moving.clear()
        for connection in self._roster:
            connection.move = None

    def send_away(self, connections: Iterable[Connection]) -> None:
        """Say goodbye to them."""
        self._outbox.put(connections, _say_goodbye)
        self.pump(self._monotonic())

    def streams(self) -> tuple[str, ...]:
        """Those that somebody is connected for."""
        return tuple(self._roster.by_stream)

    def of_stream(self, stream: str) -> tuple[Connection, ...]:
        """The connections for a stream."""
        return self._roster.of_stream(stream)

    def websockets_of(self, stream: str) -> list[Connection]:
        """Players of a stream whose signals do not go along with their media."""
        return [each for each in self._roster.of_stream(stream) if not _is_lossy(each)]

    def _move(self, connection: Connection, move: Move) -> None:
        connection.move = move
        self.on_told_to_move(connection.stream)

    def _move_newcomer(self, connection: Connection, told: Move | None, now_s: float) -> None:
        if told is None:
            self._move(connection, self._moving[connection.stream].move_of_newcomer(now_s))
        else:  # the same again, as who opens channel after channel is one player
            connection.move = told

    def _say_move(self, connection: Connection) -> None:
        connection.say_move(self._monotonic())  # at each: those before it took their time

    def _move_again(self, stream: str) -> None:
        self._outbox.put(filter(_is_lossy, self._roster.of_stream(stream)), self._say_move)
        self.pump(self._monotonic())

    # What they are told

    def tick(self, now_s: float) -> None:
        """Send the pings that are due, and what is due again; every TICK_S."""
        self._repeats.tick(now_s)
        if not self._outbox:  # else the ones before are still under way, and pings wait for a quieter moment
            self._outbox.put(self._roster.wheel.turn(), self._ping)
        self.pump(now_s)

    def pump(self, now_s: float) -> None:
        """Send for one turn. Where something is left, `on_backlog` is called."""
        if self._outbox.pump():
            self.on_backlog()

    def broadcast(self, told: Round, now_s: float) -> None:
        """Tell the players of its stream where a round stands (`rounds.Listener`)."""
        connections = self._roster.of_stream(told.stream)
        self._tell(connections, outgoing.round_message(describe(told)))
        if any(map(_is_lossy, connections)):
            self._repeats.put(lambda: self._repeat(told), now_s)

    def tell_delivery(self, bet: Bet, outcome: Delivery, now_s: float) -> None:
        """Tell who placed it what became of an accepted bet."""
        text = outgoing.delivery(bet.bet_id, bet.round_id, outcome)
        for connection in self._roster.of_player(bet.player):
            self._send_surely(connection, text, now_s)
        is_nobody = bet.player.startswith(CONNECTION_KEY)  # and comes back as somebody else
        # Whoever is connected: that what was sent has arrived is not known, as the connection may be dying.
        if outcome is Delivery.UNDELIVERED and not is_nobody:
            self._untold.keep(bet.player, text, now_s)

    def _welcome(self, connection: Connection, now_s: float) -> str:
        shown = [describe(each) for each in self._shown_at_first(connection.stream)]
        may_bet, now_unix_s = connection.may_bet(now_s), self.clock.unix_s(now_s)
        return outgoing.welcome(connection.stream, may_bet, self.settings, shown, now_unix_s)

    def _send_surely(self, connection: Connection, text: str, now_s: float) -> None:
        self._surely(connection, lambda: connection.send(text), now_s)

    def _surely(self, connection: Connection, say: Callable[[], None], now_s: float) -> None:
        """Say it, and again where it may get lost."""
        say()
        if _is_lossy(connection):
            self._repeats.put(say, now_s)

    def _ping(self, connection: Connection) -> None:
        now_s = self._monotonic()  # at each: those before it took their time
        is_new = connection.pings.rtt_s is None
        if is_new and _is_lossy(connection) and now_s - connection.since_s > WELCOME_AGAIN_S:
            connection.send(self._welcome(connection, now_s))
        connection.ping(now_s)

    def _repeat(self, told: Round) -> None:
        """As it stands now: whoever missed a step needs no older one."""
        self._tell(filter(_is_lossy, self._roster.of_stream(told.stream)), outgoing.round_message(describe(told)))

    def _tell(self, connections: Iterable[Connection], text: str) -> None:
        self._outbox.put(connections, lambda connection: connection.send(text))
        self.pump(self._monotonic())

    # What they tell

    def measured(self, connection: Connection, rtt_s: float) -> None:
        """See `connection.Owner`."""
        self._histograms.bet_signal_rtt_seconds.labels(connection.stream, connection.carrier.kind).observe(rtt_s)
        self.on_rtt(connection.stream, rtt_s)

    def carriers(self) -> dict[str, Counter[str]]:
        """Stream -> kind of carrier -> connections."""
        return self._roster.carriers()

    def samples(self, streams: Iterable[str] = ()) -> Iterator[Sample]:
        """For a scrape. `streams`: those that there are."""
        yield from self._roster.samples()
        for labels, count in self.figures.messages.items():
            yield "railbird_signal_messages_total", labels, count
        for cause, count in self.figures.dropped.items():
            yield "railbird_signal_messages_dropped_total", (cause,), count
        for stream, count in self.figures.unanswered.items():
            yield "railbird_signal_pings_unanswered_total", (stream,), count
        for carrier, count in self.figures.unsent.items():
            yield "railbird_signal_messages_unsent_total", (carrier,), count
        yield from self.reports.samples(streams)

    def _shown_at_first(self, stream: str) -> list[Round]:
        newest_first = reversed(tuple(self._rounds.of_stream(stream)))
        ended = islice((each for each in newest_first if each.is_over), _ENDED_ROUNDS)
        return [*ended, *self._rounds.open_rounds(stream)]

    def _drop_figures(self, stream: str) -> None:
        self.reports.forget(stream)
        self.figures.unanswered.pop(stream, None)
        for labels in [labels for labels in self.figures.messages if labels[0] == stream]:
            del self.figures.messages[labels]
        self._histograms.forget_stream(stream)


def _say_goodbye(connection: Connection) -> None:
    connection.end("This gateway is shutting down.", random.uniform(0, RECONNECT_OVER_S))


def _is_lossy(connection: Connection) -> bool:
    return connection.carrier.kind == "data_channel"
