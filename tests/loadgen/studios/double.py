"""A peer without a server: it counts what a studio does with it, and keeps what is sent."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from gateway.transport.ice import Credentials
from gateway.transport.srtp import SrtpSession
from loadgen.errors import SignallingError
from loadgen.peer.datagrams import Arrival
from loadgen.studios.whip_peer import OfferMaker
from tests.loadgen.studios.receiver import AUDIO, VIDEO, Media, Receiver

RECEIVE_BUFFER_BYTES = 1 << 20
"""A second's packets and more: a studio that was held up for so long sends them at once."""


@dataclass(frozen=True, slots=True)
class Answer:
    media: tuple[Media, ...] = (VIDEO, AUDIO)


class PeerDouble:
    """Implements `WhipPeer`. `server` is the other end of its socket."""

    def __init__(self, make_offer: OfferMaker, answer: Answer | None = None, refusal: str | None = None) -> None:
        self.offer = make_offer(Credentials.generate(), "sha-256 AB:CD", [])
        self.answer = answer or Answer()
        self.receiver = Receiver()
        self.early: list[Arrival] = []
        self.control: list[bytes] = []
        self.checks = 0
        self.end: str | None = None
        """goodbye or vanish, once it came."""
        self.made_s = time.monotonic()
        self.ended_s: float | None = None
        self.is_closed_by_server = False
        self._refusal = refusal
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.server.bind(("127.0.0.1", 0))
        self.server.setblocking(False)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.socket.connect(self.server.getsockname())
        self.server.connect(self.socket.getsockname())

    @property
    def srtp(self) -> SrtpSession:
        return self.receiver.studio

    async def connect(self) -> None:
        if self._refusal is not None:
            self.close("refused")
            raise SignallingError(self._refusal, "refused")

    def take_over(self) -> list[Arrival]:
        return self.early

    def send(self, datagram: bytes) -> None:
        self.socket.send(datagram)

    def on_control(self, datagram: bytes, arrival_unix_s: float) -> None:
        self.control.append(datagram)

    def check(self, now_unix_s: float) -> None:
        self.checks += 1

    async def goodbye(self) -> bool:
        self.close("goodbye")
        return True

    def vanish(self) -> None:
        self.close("vanish")

    def close(self, end: str) -> None:
        if self.end is None:
            self.end, self.ended_s = end, time.monotonic()
            self.take()
            self.socket.close()
            self.server.close()

    def take(self) -> Receiver:
        """Everything that was sent until now."""
        while self.end is None or self.server.fileno() >= 0:
            try:
                self.receiver.take(self.server.recv(2048))
            except BlockingIOError:
                break
        return self.receiver
