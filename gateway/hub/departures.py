"""What a drain does to whom: implements `drain.Premises` with the hub's parts."""

from collections.abc import Callable, Mapping
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
        self._sent_away: set[Viewer | Connection] = set()
        """Those whose end has been begun."""

    # Premises

    def admit(self, is_admitting: bool) -> None:
        """See `Premises`."""
        self._admission.is_draining = not is_admitting
        if is_admitting:
            self._play.signals.stay()
            self._due_s.clear()
            self._sent_away.clear()

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

    def send_away(self, stream: str) -> None:
        """See `Premises`."""
        connections = [each for each in self._play.signals.of_stream(stream) if each not in self._sent_away]
        if connections:
            self._sent_away.update(connections)
            self._play.signals.send_away(connections)
        self._presentations.dismiss(stream)
        self._close([viewer for viewer in self._viewers(stream) if viewer not in self._sent_away])

    def close(self, stream: str, now_s: float) -> None:
        """See `Premises`."""
        self.abort(stream, now_s)
        for publisher in tuple(self._studios.publishers.values()):
            if publisher.session.stream == stream:
                publisher.close(CAUSE)

    # Players without signals

    def tick(self, now_s: float) -> None:
        """Close the sessions that are due and cannot be told."""
        due = [viewer for viewer, due_s in self._due_s.items() if due_s <= now_s]
        for viewer in due:
            del self._due_s[viewer]
        self._close([viewer for viewer in due if not viewer.session.closed and not self._has_signals(viewer)])

    def pump(self, now_s: float) -> None:
        """Close for one turn: a session costs a tenth of a millisecond or more, and there may be thousands."""
        if self._outbox.pump():
            self.on_backlog()

    def _close(self, viewers: list[Viewer]) -> None:
        for viewer in viewers:
            if not self._has_signals(viewer):
                self.on_moved(viewer.stream.name)
        if viewers:
            self._sent_away.update(viewers)
            self._outbox.put(viewers, _say_goodbye)
            self.pump(0.0)

    def _viewers(self, stream: str) -> list[Viewer]:
        viewing = self._viewing.get(stream)
        return list(viewing.viewers) if viewing is not None else []

    def _has_signals(self, viewer: Viewer) -> bool:
        seat = self._viewing[viewer.stream.name].viewers[viewer]
        if seat.signals is not None and not seat.signals.is_over:
            return True
        websockets = self._play.signals.websockets_of(viewer.stream.name)
        return seat.player is not None and any(each.player == seat.player for each in websockets)


def _say_goodbye(viewer: Viewer) -> None:
    viewer.say_bye()
    viewer.session.close(CAUSE)
