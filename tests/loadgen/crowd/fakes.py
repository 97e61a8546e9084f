"""A server that is none, and peers of it: real sockets and keys, and HTTP that a test decides about."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadgen.crowd.casting import Casting
from loadgen.crowd.lives import Visit
from loadgen.errors import SignallingError
from loadgen.peer.datagrams import Arrival, load_socket
from loadgen.target.edges import Edges
from loadgen.target.safety import Permission
from loadgen.target.urls import Endpoints
from tests.loadgen.players import origins

HOUR_S = 3600.0
TARGET = "http://127.0.0.1:8080"


def visit(
    stream: str = "table",
    stay_s: float | None = None,
    leave: str | None = None,
    away_s: float | None = None,
    ice_restart_every_s: float | None = None,
) -> Visit:
    """One session, to the end of the run where nothing else is said."""
    return Visit(stream, stay_s, leave, away_s, ice_restart_every_s, False, None, 1)  # type: ignore[arg-type]


def edges(*own_hosts: str) -> Edges:
    """Of a run against TARGET, whose operator has named `own_hosts`, too."""
    return Edges(Endpoints(TARGET), Permission("127.0.0.1", frozenset(), frozenset(own_hosts)))


def casting(peer_of: Any = None, hls_player_of: Any = None, signals_of: Any = None) -> Casting:
    """With what a test makes of each visit; what it does not name does not come."""
    return Casting(peer_of, hls_player_of, signals_of, 0.15, edges())


@dataclass
class ShortLife:
    """In the place of `Life`: what it says, and no more."""

    of: Sequence[Visit]
    arrives_s: float = 0.0

    def visits(self) -> Iterator[Visit]:
        """See `Life`."""
        yield from self.of


@dataclass
class FakeServer:
    """What it was asked, and what it does about it."""

    peers: "list[FakePeer]" = field(default_factory=list)
    refusals: list[BaseException] = field(default_factory=list)
    """Of the next joins, one each."""
    post: asyncio.Event = field(default_factory=asyncio.Event)
    """POSTs are answered once it is set, as it is at first."""
    unanswered: set[str] = field(default_factory=set)
    """Streams whose POSTs never are."""
    answers_delete: asyncio.Event = field(default_factory=asyncio.Event)
    takes_deletes: bool = True
    restarts_ice: bool = True
    deletes: Counter[str] = field(default_factory=Counter)
    """By the name of the session."""
    deleting: int = 0
    most_deleting: int = 0

    def __post_init__(self) -> None:
        self.post.set()
        self.answers_delete.set()

    def peer(self, stream: str) -> "FakePeer":
        """The next session."""
        post = asyncio.Event() if stream in self.unanswered else self.post
        peer = FakePeer(self, f"{stream}/{len(self.peers) + 1}", post)
        self.peers.append(peer)
        return peer

    @property
    def open(self) -> set[str]:
        """Sessions that nobody has deleted."""
        return {peer.name for peer in self.peers if peer.is_opened} - set(self.deletes)

    def close(self) -> None:
        """Give all sockets back."""
        for peer in self.peers:
            peer.vanish()
            peer.remote.close()


class FakePeer:
    """As much of `Peer` as a crowd and its players use."""

    def __init__(self, server: FakeServer, name: str, post: asyncio.Event) -> None:
        """Its POST is answered once `post` is set."""
        self.name = name
        self.answer = origins.answer()
        self.servers, self.srtp = origins.srtp_pair()
        self.video = origins.Origin(self.servers)
        self.socket = load_socket("127.0.0.1")
        self.remote = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.remote.bind(("127.0.0.1", 0))
        self._meet()
        self.is_closed_by_server = False
        self.is_opened = False
        self.is_closed = False
        self.has_said_close_notify = False
        self.restarts = 0
        self.restart_failure = "http_405"
        self.checks = 0
        self.raises: set[str] = set()
        self.last_frame: list[bytes] = []
        """What the server sends when it gets the DELETE."""
        self._server = server
        self._post = post

    def _meet(self) -> None:
        self.socket.connect(self.remote.getsockname())
        self.remote.connect(self.socket.getsockname())

    # As the server

    def show(self, frame: list[bytes]) -> None:
        """Send it."""
        for packet in frame:
            self.remote.send(packet)

    # As the peer

    async def connect(self) -> None:
        """See `Peer`."""
        try:
            await self._post.wait()
            if self._server.refusals:
                raise self._server.refusals.pop(0)
        except BaseException:
            self.vanish()
            raise
        finally:
            self.is_opened = True

    def take_over(self) -> list[Arrival]:
        """See `Peer`."""
        self._fail("take_over")
        return []

    def take_rtts_s(self) -> list[float]:
        """See `Peer`."""
        self._fail("take_rtts_s")
        return []

    def send(self, datagram: bytes) -> None:
        """See `Peer`."""
        with contextlib.suppress(OSError):
            self.socket.send(datagram)

    def on_control(self, _datagram: bytes, _arrival_s: float) -> None:
        """See `Peer`."""

    def check(self, _now_s: float) -> None:
        """See `Peer`."""
        self._fail("check")
        self.checks += 1

    async def restart_ice(self) -> bool:
        """See `Peer`."""
        self._fail("restart_ice")
        self.restarts += 1
        if not self._server.restarts_ice:
            return False
        old, self.socket = self.socket, load_socket("127.0.0.1")
        old.close()
        self.remote.close()
        self.remote = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.remote.bind(("127.0.0.1", 0))
        self._meet()
        return True

    async def goodbye(self) -> bool:
        """See `Peer`."""
        try:
            return await self.delete()
        finally:
            self.close()

    async def delete(self) -> bool:
        """See `Peer`."""
        server = self._server
        server.deleting += 1
        server.most_deleting = max(server.most_deleting, server.deleting)
        try:
            if self.last_frame:
                self.show(self.last_frame)
            await asyncio.sleep(0)
            await server.answers_delete.wait()
        finally:
            server.deleting -= 1
        server.deletes[self.name] += 1
        return server.takes_deletes

    def close(self) -> None:
        """See `Peer`."""
        self.has_said_close_notify = not self.is_closed
        self.vanish()

    def vanish(self) -> None:
        """See `Peer`."""
        self.is_closed = True
        self.socket.close()

    def _fail(self, what: str) -> None:
        if what in self.raises:
            raise ZeroDivisionError(what)


def refusal(cause: str) -> SignallingError:
    """Of a join."""
    return SignallingError(cause, "no")
