"""A hub with a real port on loopback, studios and players that are let in without a handshake."""

import random
import socket

from prometheus_client import CollectorRegistry

from gateway.auth.identity import nobody
from gateway.clock import WallClock, monotonic_s
from gateway.config import Settings
from gateway.hub.hub import Hub
from gateway.ingest.publisher import Publisher
from gateway.metrics import Histograms
from gateway.stream.registry import Registry
from gateway.stream.stream import Stream, StreamSettings
from gateway.transport.port import MediaPort
from gateway.transport.session import Session
from gateway.transport.socket import MediaSocket
from gateway.transport.srtp import AEAD_AES_128_GCM, srtp_session
from gateway.viewers.viewer import Viewer
from gateway.wire.rtp import pack_header, parse_header
from gateway.wire.sdp import Offer
from tests.ingest.offers import Section, h264, offer_of, opus

BUFFER_BYTES = 65_536
MASTER = bytes(28)
VIDEO_TYPE, AUDIO_TYPE = 102, 111


def studio_offer(*sections: Section) -> Offer:
    """H264 and Opus, or `sections`."""
    video = h264(VIDEO_TYPE, rtx=103, feedback=("nack", "nack pli"))
    default = Section("video", "0", (video,)), Section("audio", "1", (opus(AUDIO_TYPE),))
    return offer_of(*(sections or default))


def player_offer(*sections: Section) -> Offer:
    """Receives H264 and Opus, or `sections`."""
    default = (
        Section("video", "0", (h264(96, rtx=97),), direction="recvonly"),
        Section("audio", "1", (opus(109),), direction="recvonly"),
    )
    return offer_of(*(sections or default))


class Desk:
    """A hub, what it stands on, and a socket that takes what is sent to peers."""

    def __init__(self, settings: Settings) -> None:
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sink.bind(("127.0.0.1", 0))
        self.sink.setblocking(False)
        self.socket = MediaSocket("127.0.0.1", 0, BUFFER_BYTES, BUFFER_BYTES)
        self.port = MediaPort(self.socket, 15.0, 10.0)
        self.registry = Registry(self.socket, StreamSettings(), settings.limits.streams, random.Random(1))
        self.metrics = CollectorRegistry()
        self.hub = Hub(settings, self.port, self.registry, WallClock.anchored(), Histograms(self.metrics))

    def arrived(self) -> list[bytes]:
        """What peers were sent since the last call: loopback delivers at once."""
        datagrams = []
        while True:
            try:
                datagrams.append(self.sink.recv(2048))
            except BlockingIOError:
                return datagrams

    def close(self) -> None:
        """End whoever is still there."""
        for session in self.port.sessions():
            session.close("test_over")
        self.socket.close()
        self.sink.close()

    def connect(self, session: Session) -> None:
        """As if the handshake had gone well."""
        assert session.peer is not None
        session.ice.selected = self.sink.getsockname()
        session.srtp = srtp_session(AEAD_AES_128_GCM, MASTER, MASTER)
        session.peer.on_connected(session.srtp, monotonic_s())

    def studio(self, name: str = "table", offer: Offer | None = None) -> Publisher:
        """A studio that is connected."""
        session, _ = self.hub.studios.open(name, offer or studio_offer(), nobody("192.0.2.1"))
        publisher = self.hub.studios.publishers[session.session_id]
        self.connect(session)
        return publisher

    def player(self, name: str = "table", offer: Offer | None = None) -> Viewer:
        """A player that is connected."""
        session, _ = self.hub.open_viewer(name, offer or player_offer(), nobody("192.0.2.2"))
        assert isinstance(session.peer, Viewer)
        viewer = session.peer
        self.connect(session)
        return viewer

    def stream(self, name: str = "table") -> Stream:
        """The stream of that name, which has to exist."""
        stream = self.registry.stream(name)
        assert stream is not None
        return stream

    def rtp(self, publisher: Publisher, sequence_number: int, payload: bytes, payload_type: int = VIDEO_TYPE) -> None:
        """A packet of a studio arrives, and goes out to its viewers."""
        header = parse_header(pack_header(payload_type, True, sequence_number, 3000 * sequence_number, payload_type))
        publisher.on_rtp(header, payload, monotonic_s())
        self.stream(publisher.session.stream).flush(monotonic_s())

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of a sample of the histograms' registry."""
        return self.metrics.get_sample_value(name, labels)
