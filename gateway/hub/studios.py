"""Brings studios to their streams: an offer becomes a session, and a publisher that is connected gets its stream."""

from collections.abc import Callable

from gateway.auth.audit import Audit, Deed
from gateway.auth.identity import Identity
from gateway.clock import WallClock, monotonic_s
from gateway.config import SecondPublisher
from gateway.errors import SignallingError
from gateway.hub.admission import Admission
from gateway.hub.sessions import Sessions
from gateway.ingest import whip
from gateway.ingest.publisher import Publisher
from gateway.metrics import Histograms
from gateway.stream.registry import Registry
from gateway.stream.stream import Stream
from gateway.transport.peer import Leg
from gateway.transport.session import Session
from gateway.wire.sdp import Offer


class Studios:
    """Implements `ingest.publisher.Hub`."""

    def __init__(
        self,
        second_publisher: SecondPublisher,
        registry: Registry,
        admission: Admission,
        sessions: Sessions,
        audit: Audit,
        clock: WallClock,
        histograms: Histograms,
        is_live: Callable[[Stream, float], bool],
    ) -> None:
        """`audit` is told who publishes and takes over."""
        self.publishers: dict[str, Publisher] = {}
        """By session."""
        self.takeovers = 0
        self.on_attached: Callable[[Stream, bool], None] = lambda _stream, _is_replaced: None
        """Called when a stream has got its publisher, and whether viewers have to negotiate its new formats."""
        self.is_awaited: Callable[[str], bool] = lambda _name: False
        """Whether a studio of that stream may come even while we drain: a round is played there."""
        self._who: dict[str, Identity] = {}
        """By session."""
        self._second_publisher = second_publisher
        self._registry = registry
        self._admission = admission
        self._sessions = sessions
        self._audit = audit
        self._clock = clock
        self._histograms = histograms
        self._is_live = is_live

    def open(self, name: str, offer: Offer, who: Identity) -> tuple[Session, str]:
        """A session for a studio, and the answer. SignallingError for what cannot be had."""
        self._registry.check_room(name)
        self._admission.admit(Leg.INGEST, who.client, self.is_awaited(name))
        stream = self._registry.stream(name)
        if stream is not None and self._is_taken(stream):
            raise SignallingError(
                409, "The stream is live and its publisher is not to be replaced.", {"Retry-After": "2"}
            )
        live = {kind: track.format for kind, track in stream.tracks.items()} if stream is not None else {}
        negotiation = whip.negotiate(offer, live)
        session, answer = self._sessions.open(Leg.INGEST, name, offer, who.client, negotiation.answers)
        publisher = Publisher(session, negotiation.published, self, self._clock)
        self.publishers[session.session_id] = publisher
        self._who[session.session_id] = who
        session.start(publisher)
        return session, answer

    def _is_taken(self, stream: Stream) -> bool:
        if self._second_publisher is SecondPublisher.TAKE_OVER:
            return False
        return self._is_live(stream, monotonic_s())

    def publish(self, publisher: Publisher, now_s: float) -> Stream | None:
        """See `ingest.publisher.Hub`. None when another was faster, and is not to be replaced."""
        try:
            stream = self._registry.open(publisher.session.stream)
        except SignallingError:
            self._refuse(publisher, now_s)
            return None
        before = stream.source
        if before is not None:
            if self._is_taken(stream):
                self._refuse(publisher, now_s)
                return None
            self.takeovers += 1
            self._note(Deed.TAKEOVER, "done", publisher, now_s, replacedSession=before.session_id)
        else:
            self._note(Deed.PUBLISH, "done", publisher, now_s)
        replaced = stream.attach(publisher, [track.media.format for track in publisher.tracks], now_s)
        publisher.session.log.info("publishing", tracks=[track.media.format.name for track in publisher.tracks])
        self.on_attached(stream, bool(replaced))
        return stream

    def _refuse(self, publisher: Publisher, now_s: float) -> None:
        self._note(Deed.PUBLISH, "refused", publisher, now_s)
        publisher.close("refused")

    def _note(self, deed: Deed, outcome: str, publisher: Publisher, now_s: float, **what: str) -> None:
        session = publisher.session
        who = self._who.get(session.session_id)
        self._audit.note(deed, outcome, now_s, who, stream=session.stream, session=session.session_id, **what)

    def unpublish(self, publisher: Publisher, cause: str, now_s: float) -> None:
        """See `ingest.publisher.Hub`."""
        self.publishers.pop(publisher.session_id, None)
        self._who.pop(publisher.session_id, None)
        self._sessions.ended[Leg.INGEST.value, cause] += 1
        stream = self._registry.stream(publisher.session.stream)
        if stream is not None:
            stream.ingest_before += publisher.figures
            stream.detach(publisher, now_s, cause)

    def measured_round_trip(self, seconds: float) -> None:
        """See `ingest.publisher.Hub`."""
        self._histograms.media_rtt_seconds.labels("ingest").observe(seconds)
