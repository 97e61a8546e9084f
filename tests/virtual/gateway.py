"""The gateway on virtual time: sessions, publishers, streams and viewers are real, socket and timers are not."""

import random
from collections.abc import Callable, Sequence
from typing import cast

from gateway.clock import WallClock
from gateway.ingest.incoming import PublishedMedia
from gateway.ingest.publisher import Publisher
from gateway.stream.layout import Layout, LayoutKey, PlayoutDelay
from gateway.stream.stream import Stream, StreamSettings
from gateway.transport.address import Address
from gateway.transport.marking import Ancillary
from gateway.transport.peer import Leg, PeerDescription
from gateway.transport.port import MediaPort
from gateway.transport.session import Session
from gateway.transport.socket import MediaSocket, Sent
from gateway.transport.srtp import AEAD_AES_128_GCM, srtp_session
from gateway.viewers.retransmission import RetransmissionFigures
from gateway.viewers.viewer import Viewer, ViewerEvents, ViewerFigures
from gateway.wire.header_extensions import MID, PLAYOUT_DELAY
from tests.stream.doubles import BareSends
from tests.virtual import player, studio
from tests.virtual.content import OPUS
from tests.virtual.scheduler import Scheduler

PUBLISHER_TICK_S, PACER_TICK_S, VIEWER_TICK_S, STREAM_TICK_S = 0.05, 0.005, 0.2, 0.25


class Socket(BareSends):
    """Takes datagrams to where their address leads, unless it is full for sends of that size."""

    port = 8189

    def __init__(self) -> None:
        self.routes: dict[Address, Callable[[bytes], None]] = {}
        self.is_full_for: Callable[[int], bool] = lambda _size_bytes: False

    def send(self, datagram: bytes, address: Address, mark: Ancillary = ()) -> Sent:
        self.routes[address](datagram)
        return Sent.OK

    def send_run(
        self,
        buffers: Sequence[bytes | bytearray],
        segment_bytes: int,
        count: int,
        address: Address,
        mark: Ancillary = (),
    ) -> Sent:
        run = b"".join(buffers)
        if self.is_full_for(len(run)):
            return Sent.FULL
        datagrams = [run[start : start + segment_bytes] for start in range(0, len(run), segment_bytes)]
        assert len(datagrams) == count
        for datagram in datagrams:
            self.routes[address](datagram)
        return Sent.OK


class VirtualGateway:
    """One stream, its publishers and its viewers, and the timers that an event loop would run."""

    def __init__(self, scheduler: Scheduler, settings: StreamSettings, random_source: random.Random) -> None:
        self.socket = Socket()
        self.stream = Stream("table", self.socket, settings, random_source)
        self.publishers: list[Publisher] = []
        self.viewers: list[Viewer] = []
        self.viewer_figures, self.retransmissions = ViewerFigures(), RetransmissionFigures()
        self.first_frames = 0
        self.dropped: list[str] = []
        self._port = MediaPort(cast(MediaSocket, self.socket), 1e9, 1e9)
        self._scheduler = scheduler
        self._clock = WallClock(studio.UNIX_S)
        self._random = random_source
        self._flush_is_set = self._pacer_is_set = False
        scheduler.every(PUBLISHER_TICK_S, self._tick_publishers)
        scheduler.every(VIEWER_TICK_S, self._tick_viewers)
        scheduler.every(STREAM_TICK_S, self._tick_stream)

    # Peers

    def connect_studio(
        self, settings: studio.StudioSettings, address: Address, masters: tuple[bytes, bytes]
    ) -> Session:
        """A studio that is through with ICE and DTLS. `masters` are ours and its own."""
        feedback = frozenset({"nack", "nack pli"})
        rtx = studio.RTX_TYPE if settings.has_rtx else None
        media = [
            PublishedMedia(settings.format, studio.VIDEO_TYPE, rtx, {}, feedback),
            PublishedMedia(OPUS, studio.AUDIO_TYPE, None, {}, feedback),
        ]
        session = self._open_session(Leg.INGEST)
        publisher = Publisher(session, media, self, self._clock)
        self.publishers.append(publisher)
        session.peer = publisher
        self._connect(session, address, masters)
        return session

    def connect_player(self, address: Address, masters: tuple[bytes, bytes], *, has_rtx: bool) -> Session:
        """A player that is through with ICE and DTLS."""
        layouts = {kind: self._layout(kind, has_rtx) for kind in self.stream.tracks}
        session = self._open_session(Leg.EGRESS)
        events = ViewerEvents(
            lambda _viewer, _seconds: self._set_pacer(), self._on_first_frame, lambda *_: None, lambda *_: None
        )
        viewer = Viewer(
            session,
            self.stream,
            layouts,
            self.socket,
            self._clock,
            self.viewer_figures,
            self.retransmissions,
            events,
        )
        self.viewers.append(viewer)
        session.peer = viewer
        self._connect(session, address, masters)
        return session

    def _layout(self, kind: str, has_rtx: bool) -> Layout:
        track = self.stream.tracks[kind]
        types = (
            (player.VIDEO_TYPE, player.RTX_TYPE if has_rtx else None) if track.is_video else (player.AUDIO_TYPE, None)
        )
        ids = ((MID, 4), (PLAYOUT_DELAY, 5)) if track.is_video else ((MID, 4),)
        return Layout(LayoutKey(track.ssrc, track.rtx_ssrc, *types, kind[0], ids, PlayoutDelay(0, 0)))

    def _open_session(self, leg: Leg) -> Session:
        session = self._port.open_session(PeerDescription(leg, "table", "peer", "0", "", [], "server"))
        session.created_s = session.last_seen_s = self._scheduler.now_s
        return session

    def _connect(self, session: Session, address: Address, masters: tuple[bytes, bytes]) -> None:
        assert session.peer is not None
        session.ice.selected = address
        session.srtp = srtp_session(AEAD_AES_128_GCM, *masters)
        session.peer.on_connected(session.srtp, self._scheduler.now_s)

    def move(self, session: Session, address: Address) -> None:
        """ICE has selected another address of a peer."""
        assert session.peer is not None
        session.ice.selected = address
        session.peer.on_moved(address)

    def publish(self, publisher: Publisher, now_s: float) -> Stream | None:
        """See `ingest.publisher.Hub`."""
        replaced = self.stream.attach(publisher, [track.media.format for track in publisher.tracks], now_s)
        assert not replaced
        for viewer in self.viewers:
            viewer.expect_new_clock()
        return self.stream

    def unpublish(self, publisher: Publisher, cause: str, now_s: float) -> None:
        """See `ingest.publisher.Hub`."""
        self.stream.detach(publisher, now_s)

    def measured_round_trip(self, seconds: float) -> None:
        """See `ingest.publisher.Hub`."""

    def _on_first_frame(self, _viewer: Viewer, _seconds: float) -> None:
        self.first_frames += 1

    # What the event loop does

    def on_datagram(self, session: Session, datagram: bytes) -> None:
        """A datagram of a peer has arrived; a batch of one."""
        if session.closed:
            return
        session.on_media(datagram, self._scheduler.now_s)
        self._after_batch()

    @property
    def refused(self) -> dict[str, int]:
        """Datagrams that a session refused, by cause."""
        return dict(self._port.dropped)

    def _after_batch(self) -> None:
        now_s = self._scheduler.now_s
        for publisher in self.publishers:
            publisher.ask_for_missing(now_s)
        wait_s = self.stream.wait_s(now_s)
        if wait_s is not None and wait_s <= 0:
            self.stream.flush(now_s)
        elif wait_s is not None and not self._flush_is_set:
            self._flush_is_set = True
            self._scheduler.after(wait_s, self._on_flush_alarm)
        self._set_pacer()

    def _on_flush_alarm(self) -> None:
        self._flush_is_set = False
        self._after_batch()

    def _set_pacer(self) -> None:
        if self.stream.catch_up.is_pacing and not self._pacer_is_set:
            self._pacer_is_set = True
            self._scheduler.after(PACER_TICK_S, self._on_pacer)

    def _on_pacer(self) -> None:
        self._pacer_is_set = False
        self.stream.pace(self._scheduler.now_s)
        self._set_pacer()

    def _tick_publishers(self) -> None:
        for publisher in self.publishers:
            publisher.tick(self._scheduler.now_s)

    def _tick_viewers(self) -> None:
        for viewer in self.viewers:
            viewer.tick(self._scheduler.now_s)

    def _tick_stream(self) -> None:
        self.stream.sample_rate(self._scheduler.now_s)
        self.stream.refresh_keyframe(self._scheduler.now_s)
