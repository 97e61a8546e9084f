"""Brings players to the streams of the studios, and keeps both going.

Viewers of a stream whose formats changed are sent away to negotiate anew.
"""

from collections.abc import Callable, Iterator

import structlog

from gateway.auth.audit import Audit
from gateway.auth.identity import Identity
from gateway.bets.upstream import WebhookUpstream
from gateway.clock import WallClock, monotonic_s
from gateway.clockwork import isolated
from gateway.config import Settings
from gateway.errors import SignallingError
from gateway.hls.presentations import Presentations
from gateway.hub.admission import Admission
from gateway.hub.departures import Departures
from gateway.hub.drain import Drain
from gateway.hub.elsewhere import Elsewhere
from gateway.hub.play import Play
from gateway.hub.readiness import Readiness
from gateway.hub.sessions import Sessions
from gateway.hub.studios import Studios
from gateway.hub.viewing import Seat, Viewing
from gateway.log import PlayerHash
from gateway.metrics import Histograms, Sample
from gateway.node.node import Node
from gateway.stream.layout import PlayoutDelay
from gateway.stream.registry import Registry, check_name
from gateway.stream.stream import Stream
from gateway.transport.data_channel import Channel, Receiver
from gateway.transport.peer import Leg
from gateway.transport.port import MediaPort
from gateway.transport.session import Session
from gateway.viewers import whep
from gateway.viewers.viewer import Viewer, ViewerEvents
from gateway.wire.sdp import Offer

log = structlog.get_logger()

NO_PUBLISHER_RETRY_S = 2
"""What a player is told to wait when nobody publishes."""


class Hub:
    """See the module."""

    def __init__(
        self,
        settings: Settings,
        port: MediaPort,
        registry: Registry,
        clock: WallClock,
        histograms: Histograms,
        upstream: WebhookUpstream | None = None,
        audit: Audit | None = None,
        node: Node | None = None,
    ) -> None:
        """`upstream` is where accepted bets go, `node` what the tuner says of this one; their owner starts and stops
        them."""
        self.port = port
        self.registry = registry
        self.sessions = Sessions(settings, port)
        self.admission = Admission(port, settings.limits, settings.drain.retry_after_s)
        self.readiness = Readiness(self.admission, port.socket, node)
        self.audit = audit if audit is not None else Audit(PlayerHash())
        """Who published, took over, was sent away; without a trail of its own it is only logged."""
        self.studios = Studios(
            settings.second_publisher,
            registry,
            self.admission,
            self.sessions,
            self.audit,
            clock,
            histograms,
            self.is_live,
        )
        self.studios.on_attached = self._on_attached
        self.viewing: dict[str, Viewing] = {}
        self.presentations = Presentations(registry, settings.hls, self.is_live)
        self.play = Play(settings, registry, self.admission, self.presentations, clock, histograms, upstream)
        # An encoder that lost its connection is back before the old one counts as silent: two would cost the round.
        self.studios.is_awaited = lambda name: bool(self.play.rounds_in_play(name))
        self.elsewhere = Elsewhere(settings.drain.elsewhere)
        self.departures = Departures(
            port,
            self.admission,
            self.studios,
            self.viewing,
            self.presentations,
            self.play,
            self.elsewhere,
            monotonic_s,
        )
        self.draining = Drain(settings.drain, self.departures, clock)
        self.play.signals.on_told_to_move = self.draining.count_moved
        self.departures.on_moved = self.draining.count_moved
        self.readiness.drain_lines = lambda: self.draining.lines
        self.on_joined: Callable[[], None] = lambda: None
        """Called when a viewer begins to watch: it has to be paced to the live end."""
        self._settings = settings
        self._clock = clock
        self._histograms = histograms
        self._layouts = whep.Layouts()
        delay = settings.playout_delay
        self._playout_delay = PlayoutDelay(delay.min_ms, delay.max_ms) if delay is not None else None

    # Players

    def open_viewer(self, name: str, offer: Offer, who: Identity) -> tuple[Session, str]:
        """A session for a player, and the answer. SignallingError for what cannot be had."""
        check_name(name)
        self.admission.admit(Leg.EGRESS, who.client)
        stream = self.registry.stream(name)
        if stream is None or not self.is_live(stream, monotonic_s()):
            raise SignallingError(409, "Nobody publishes this stream now.", {"Retry-After": str(NO_PUBLISHER_RETRY_S)})
        max_message_bytes = self._settings.signals.max_message_bytes
        negotiation = whep.negotiate(offer, name, stream.tracks, self._playout_delay, self._layouts, max_message_bytes)
        session, answer = self.sessions.open(
            Leg.EGRESS, name, offer, who.client, negotiation.answers, negotiation.channel
        )
        viewing = self.viewing_of(stream)
        viewer = Viewer(
            session,
            stream,
            negotiation.layouts,
            self.port.socket,
            self._clock,
            viewing.figures,
            viewing.retransmissions,
            ViewerEvents(
                self._on_joined,
                self._on_first_frame,
                self._on_round_trip,
                self._on_viewer_closed,
                lambda viewer, channel: self._on_channel(viewer, channel, who),
            ),
        )
        viewing.viewers[viewer] = Seat(who.player)
        session.start(viewer)
        return session, answer

    def is_live(self, stream: Stream, now_s: float) -> bool:
        """Whether a publisher sends. One that hangs has only an old picture to show, which would look live."""
        return not stream.is_stale(now_s, self._settings.timeouts.stale_publisher_s)

    def viewing_of(self, stream: Stream) -> Viewing:
        """The viewers of `stream`."""
        return self.viewing.setdefault(stream.name, Viewing())

    def _on_channel(self, viewer: Viewer, channel: Channel, who: Identity) -> Receiver | None:
        stream = viewer.stream
        seat = self.viewing_of(stream).viewers.get(viewer)
        told = seat.signals.move if seat is not None and seat.signals is not None else None
        protocol = channel.opening.protocol
        connection = self.play.signals.accept(stream.name, channel, protocol, who, monotonic_s(), told)
        if seat is not None and connection is not None:
            seat.signals = connection
        return connection

    def _on_joined(self, viewer: Viewer, seconds: float) -> None:
        self._histograms.join_seconds.labels("webrtc").observe(seconds)
        self.on_joined()

    def _on_first_frame(self, viewer: Viewer, seconds: float) -> None:
        self._histograms.first_frame_seconds.labels("webrtc").observe(seconds)

    def _on_round_trip(self, viewer: Viewer, seconds: float) -> None:
        self._histograms.media_rtt_seconds.labels("egress").observe(seconds)

    def _on_viewer_closed(self, viewer: Viewer, cause: str) -> None:
        self.viewing_of(viewer.stream).viewers.pop(viewer, None)
        self.sessions.ended[Leg.EGRESS.value, cause] += 1

    def _on_attached(self, stream: Stream, is_replaced: bool) -> None:
        for viewer in tuple(self.viewing_of(stream).viewers):
            if is_replaced:
                viewer.session.close("stream_changed")
            else:
                viewer.expect_new_clock()

    # Upkeep

    def ask_for_missing(self, now_s: float) -> None:
        """NACK what studios' packets show to be missing; after each batch."""
        for publisher in self.studios.publishers.values():
            isolated(publisher.ask_for_missing, now_s, session=publisher.session_id)

    def tick_publishers(self, now_s: float) -> None:
        """Feedback to studios; every 50 to 100 ms."""
        for publisher in tuple(self.studios.publishers.values()):
            isolated(publisher.tick, now_s, session=publisher.session_id)

    def tick_viewers(self, now_s: float) -> None:
        """Reports to players; several times a second."""
        for viewing in self.viewing.values():
            for viewer in tuple(viewing.viewers):
                isolated(viewer.tick, now_s, session=viewer.session.session_id)

    def tick_streams(self, now_s: float) -> None:
        """Rates, keyframes and abandoned streams; several times a second."""
        for stream in self.registry:
            isolated(stream.sample_rate, now_s, stream=stream.name)
            isolated(stream.refresh_keyframe, now_s, stream=stream.name)
        for stream in self.registry.close_abandoned(now_s, self._settings.timeouts.publisher_grace_s):
            log.info("stream forgotten", stream=stream.name)
            self.play.forget(stream, now_s)
            for viewer in tuple(self.viewing_of(stream).viewers):
                viewer.session.close("stream_ended")
            self.viewing.pop(stream.name, None)
        self.presentations.tick(now_s)

    def tick_drain(self, now_s: float) -> None:
        """While the gateway drains, go on with it; several times a second."""
        if self.draining.since_s is not None:
            self.departures.tick(now_s)
            self.draining.tick(now_s)

    def drain_samples(self) -> Iterator[Sample]:
        """What a scrape reads of players who were moved."""
        return self.draining.stream_samples([stream.name for stream in self.registry])

    def drain(self) -> None:
        """The end, after a drain or at once: admit nobody, and tell all sessions goodbye: RTCP BYE to players,
        close_notify to everyone."""
        self.draining.end()
        self.play.drain(monotonic_s())
        for viewing in self.viewing.values():
            for viewer in viewing.viewers:
                viewer.say_bye()
        for session in self.port.sessions():
            session.close("shutdown")
        self.presentations.stop()
