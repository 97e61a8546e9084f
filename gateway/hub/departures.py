"""What a drain does to whom: implements `drain.Premises` with the hub's parts."""

from collections.abc import Callable, Mapping
from math import inf
from typing import Final

from gateway.hls.presentations import Presentations
from gateway.hub.admission import Admission
from gateway.hub.drain import CAUSE, Remaining
from gateway.hub.elsewhere import Elsewhere
from gateway.hub.play import Play
from gateway.hub.studios import Studios
from gateway.hub.viewing import Viewing
from gateway.rounds.causes import AbortCause
from gateway.signals.connection import Connection
from gateway.signals.moving import spread
from gateway.signals.outbox import Outbox
from gateway.transport.peer import Leg
from gateway.transport.port import MediaPort
from gateway.viewers.viewer import Viewer

EVIDENCE: Final = {"rule": "drain"}

AGAIN_AFTER_S = 1.0
"""Whose end has failed has it tried again."""


class Departures:
    """Of one hub, for one `Drain` that calls; `tick` while it does."""

    def __init__(
        self,
        port: MediaPort,
        admission: Admission,
        studios: Studios,
        viewing: Mapping[str, Viewing],
        presentations: Presentations,
        play: Play,
        elsewhere: Elsewhere,
        monotonic: Callable[[], float],
    ) -> None:
        self.on_backlog: Callable[[], None] = lambda: None
        """Called when `pump` has more to do than one turn takes."""
        self.on_moved: Callable[[str], None] = lambda stream: None
        """Called with the stream of each player who is closed as it cannot be told."""
        self._port = port
        self._admission = admission
        self._studios = studios
        self._viewing = viewing
        self._presentations = presentations
        self._play = play
        self._elsewhere = elsewhere
        self._outbox: Outbox[Viewer] = Outbox(monotonic)
        self._due_s: dict[Viewer, float] = {}
        """When a player's session is closed, if it has no signals then."""
        self._sent_away: dict[Viewer | Connection, float] = {}
        """Those whose end has been begun, and when."""
        self._told: set[Viewer] = set()
        """Those who know, be it by their end: they are counted once."""

    # Premises

    def admit(self, is_admitting: bool) -> None:
        """See `Premises`."""
        self._admission.is_draining = not is_admitting
        if is_admitting:
            self._play.signals.stay()
            self._forget_told()
            self._due_s.clear()
            self._sent_away.clear()
            self._told.clear()

    def _forget_told(self) -> None:
        """By channels that are over, too, which `Signals` knows no more."""
        for viewing in self._viewing.values():
            for seat in viewing.viewers.values():
                if seat.signals is not None:
                    seat.signals.move = None

    def streams(self) -> set[str]:
        """See `Premises`."""
        rounds = self._play.rounds
        played = {name for name in rounds.streams() if rounds.open_rounds(name)}
        return played | {session.stream for session in self._port.sessions()} | set(self._play.signals.streams())

    def remaining(self) -> Remaining:
        """See `Premises`."""
        signals, legs = self._play.signals, [session.leg for session in self._port.sessions()]
        websockets = sum(len(signals.websockets_of(name)) for name in signals.streams())
        rounds = sum(len(self._play.rounds_in_play(name)) for name in self._play.rounds.streams())
        return Remaining(rounds, legs.count(Leg.INGEST), legs.count(Leg.EGRESS) + websockets)

    def is_played(self, stream: str) -> bool:
        """See `Premises`."""
        return bool(self._play.rounds_in_play(stream)) or self._play.bets_waiting(stream) > 0

    def has_bets(self) -> bool:
        """See `Premises`."""
        return self._play.has_bets_waiting

    def abort(self, stream: str, now_s: float) -> None:
        """See `Premises`."""
        self._play.abort_all(stream, AbortCause.POLICY, EVIDENCE, now_s)

    def move(self, stream: str, spread_s: float, now_s: float) -> None:
        """See `Premises`. Who has signals is told; who has none has to be sent away to learn of it."""
        viewers = self._viewers(stream)
        times = zip(viewers, spread(len(viewers), spread_s), strict=True)
        self._due_s |= {viewer: now_s + after_s for viewer, after_s in times}
        self._play.signals.move(stream, spread_s, self._elsewhere.next_edge, now_s)

    def has_players(self, stream: str, now_s: float) -> bool:
        """See `Premises`."""
        return self.has_sessions(stream) or self._presentations.is_watched(stream, now_s)

    def has_sessions(self, stream: str) -> bool:
        """See `Premises`."""
        return bool(self._viewers(stream)) or bool(self._play.signals.of_stream(stream))

    def send_away(self, stream: str, now_s: float) -> None:
        """See `Premises`."""
        connections = [each for each in self._play.signals.of_stream(stream) if self._is_due(each, now_s)]
        viewers = [viewer for viewer in self._viewers(stream) if self._is_due(viewer, now_s)]
        untold = self._untold(stream, viewers) if viewers else []  # before their signals end
        if connections:
            self._sent_away |= dict.fromkeys(connections, now_s)
            self._play.signals.send_away(connections)
        self._presentations.dismiss(stream)
        self._count(stream, untold)
        self._told |= set(viewers)  # by their end, at the latest
        self._close(viewers, now_s)

    def close(self, stream: str, now_s: float) -> None:
        """See `Premises`."""
        self.abort(stream, now_s)
        for publisher in tuple(self._studios.publishers.values()):
            if publisher.session.stream == stream:
                publisher.close(CAUSE)

    # Players without signals

    def tick(self, now_s: float) -> None:
        """Close the sessions that are due and cannot be told."""
        self._forget_gone()
        due: dict[str, list[Viewer]] = {}
        for viewer in [viewer for viewer, due_s in self._due_s.items() if due_s <= now_s]:
            del self._due_s[viewer]
            if not viewer.session.closed:
                due.setdefault(viewer.stream.name, []).append(viewer)
        for stream, viewers in due.items():
            untold = self._untold(stream, viewers)
            self._count(stream, untold)
            self._told |= set(viewers)
            self._close(untold, now_s)

    def pump(self, now_s: float) -> None:
        """Close for one turn: a session costs a tenth of a millisecond or more, and there may be thousands."""
        if self._outbox.pump():
            self.on_backlog()

    def _close(self, viewers: list[Viewer], now_s: float) -> None:
        if viewers:
            self._sent_away |= dict.fromkeys(viewers, now_s)
            self._outbox.put(viewers, _say_goodbye)
            self.pump(now_s)

    def _count(self, stream: str, viewers: list[Viewer]) -> None:
        for viewer in viewers:
            signals = self._viewing[stream].viewers[viewer].signals
            if viewer not in self._told and (signals is None or signals.move is None):
                self.on_moved(stream)

    def _is_due(self, each: Viewer | Connection, now_s: float) -> bool:
        """Whether its end is to be begun, or has failed."""
        return now_s >= self._sent_away.get(each, -inf) + AGAIN_AFTER_S and not _is_gone(each)

    def _forget_gone(self) -> None:
        self._sent_away = {each: at_s for each, at_s in self._sent_away.items() if not _is_gone(each)}
        self._told = {viewer for viewer in self._told if not viewer.session.closed}

    def _viewers(self, stream: str) -> list[Viewer]:
        viewing = self._viewing.get(stream)
        return list(viewing.viewers) if viewing is not None else []

    def _untold(self, stream: str, viewers: list[Viewer]) -> list[Viewer]:
        """Those of a stream's viewers who have no signals. A WebSocket goes with a viewer by their token or, where they
        have none, by their address: who shares it with such a player is left for the end."""
        seats = self._viewing[stream].viewers
        websockets = self._play.signals.websockets_of(stream)
        tokens = {each.identity.player for each in websockets}
        addresses = {each.identity.client for each in websockets if each.identity.player is None}

        def is_told(viewer: Viewer) -> bool:
            seat = seats[viewer]
            if seat.signals is not None and not seat.signals.is_over:
                return True
            return seat.player in tokens if seat.player is not None else viewer.session.client in addresses

        return [viewer for viewer in viewers if not is_told(viewer)]


def _is_gone(each: Viewer | Connection) -> bool:
    return each.is_over if isinstance(each, Connection) else each.session.closed


def _say_goodbye(viewer: Viewer) -> None:
    if viewer.session.closed:
        return
    try:
        viewer.say_bye()
    finally:
        viewer.session.close(CAUSE)
