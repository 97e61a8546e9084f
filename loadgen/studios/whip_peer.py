"""What a studio uses of a `loadgen.peer.peer.Peer`."""

import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.transport.ice import Credentials
from gateway.transport.srtp import SrtpSession
from loadgen.peer.datagrams import Arrival
from loadgen.studios.outgoing_track import AcceptedMedia


class AcceptedTrack(AcceptedMedia, Protocol):
    """One section of the answer that was not refused."""

    @property
    def kind(self) -> str: ...
    @property
    def mime(self) -> str:
        """Lower case."""


class PublishAnswer(Protocol):
    """What the server answered."""

    @property
    def media(self) -> Sequence[AcceptedTrack]: ...


class WhipPeer(Protocol):
    """A session from its POST to its end."""

    @property
    def answer(self) -> PublishAnswer: ...
    @property
    def srtp(self) -> SrtpSession: ...
    @property
    def socket(self) -> socket.socket: ...
    @property
    def is_closed_by_server(self) -> bool: ...

    async def connect(self) -> None:
        """Raises SignallingError, and leaves nothing open then."""

    def take_over(self) -> list[Arrival]:
        """What came early; the socket is the studio's to read from then on."""

    def send(self, datagram: bytes) -> None: ...
    def on_control(self, datagram: bytes, arrival_unix_s: float) -> None: ...
    def check(self, now_unix_s: float) -> None: ...
    async def goodbye(self) -> object: ...
    def vanish(self) -> None: ...


OfferMaker = Callable[[Credentials, str, list[str]], str]
"""Our credentials, our fingerprint, our candidates -> an offer."""

PeerFactory = Callable[[OfferMaker], WhipPeer]
"""A new session with the studio's WHIP endpoint, not yet connected."""
