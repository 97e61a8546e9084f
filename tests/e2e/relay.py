"""A UDP relay in front of the gateway's media port: it keeps, delays, loses and adds datagrams as a path might.

The gateway listens at 127.0.0.1 and names 127.0.0.2 in its candidates; the relay listens there, at the same port. Each
client gets a socket of its own towards the gateway, so that to the gateway it has an address of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from tests.e2e.gateway_process import GatewayProcess

GATEWAY_HOST = "127.0.0.1"
RELAY_HOST = "127.0.0.2"
LISTEN: Mapping[str, str] = {"udp": f"{GATEWAY_HOST}:0", "PUBLIC_ADDRESSES": f'["{RELAY_HOST}"]'}
"""For `start_gateway`: all media goes by the relay."""

Address = tuple[str, int]

_KEPT_OF_EACH_KIND = 64
_DATAGRAMS_PER_TURN = 64
_MAX_DATAGRAM_BYTES = 65_535


def kind_of(datagram: bytes) -> str:
    """`stun`, `dtls`, `rtcp` or `rtp` (RFC 7983 section 7, RFC 5761 section 4)."""
    if datagram[0] < 64:
        return "stun" if datagram[0] < 4 else "dtls"
    return "rtcp" if 192 <= datagram[1] <= 223 else "rtp"


@dataclass
class Path:
    """The way of one client through the relay."""

    client: Address
    upstream: socket.socket
    loss: float
    """Share of the datagrams, of either direction, that get lost."""
    draws: random.Random
    max_bytes: int = _MAX_DATAGRAM_BYTES
    """What is larger gets lost as well, and nobody is told: a path with a small MTU and a firewall."""
    passed: Counter[str] = field(default_factory=Counter)
    """Datagrams by kind."""
    lost: Counter[str] = field(default_factory=Counter)
    kept: dict[str, list[bytes]] = field(default_factory=dict)
    """The client's first datagrams of each kind, as they were."""

    def passes(self, datagram: bytes) -> bool:
        """Draw whether this datagram gets through, and count it."""
        through = self.draws.random() >= self.loss and len(datagram) <= self.max_bytes
        (self.passed if through else self.lost)[kind_of(datagram)] += 1
        return through

    def keep(self, datagram: bytes) -> None:
        """Keep a copy of a datagram of the client, for as long as there is room."""
        kept = self.kept.setdefault(kind_of(datagram), [])
        if len(kept) < _KEPT_OF_EACH_KIND:
            kept.append(datagram)

    def inject(self, datagram: bytes) -> None:
        """Send a datagram to the gateway as if it were the client's."""
        self.upstream.send(datagram)


class Relay:
    """See the module. `loss` is for clients that come from now on; the same seed draws the same losses. `delay_s` holds
    all datagrams from now on, in each direction."""

    def __init__(self, gateway_port: int, seed: int = 1) -> None:
        self.paths: dict[Address, Path] = {}
        self.loss = 0.0
        self.delay_s = 0.0
        self._gateway: Address = (GATEWAY_HOST, gateway_port)
        self._seed = seed
        self._loop = asyncio.get_running_loop()
        self._socket = _bound((RELAY_HOST, gateway_port))
        self._loop.add_reader(self._socket, self._from_clients)

    @property
    def newest(self) -> Path:
        """The path of the client that came last."""
        return next(reversed(self.paths.values()))

    def close(self) -> None:
        """Close all sockets."""
        for each in (self._socket, *(path.upstream for path in self.paths.values())):
            self._loop.remove_reader(each)
            each.close()

    def rebind(self, path: Path) -> None:
        """Let the client come from another port from now on, as after a reboot of its router."""
        self._loop.remove_reader(path.upstream)
        path.upstream.close()
        path.upstream = _upstream_to(self._gateway)
        self._loop.add_reader(path.upstream, self._from_gateway, path)

    def _from_clients(self) -> None:
        for _ in range(_DATAGRAMS_PER_TURN):
            try:
                datagram, client = self._socket.recvfrom(_MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                return
            path = self.paths.get(client) or self._open(client)
            path.keep(datagram)
            if path.passes(datagram):
                self._later(path.inject, datagram)

    def _open(self, client: Address) -> Path:
        path = self.paths[client] = Path(client, _upstream_to(self._gateway), self.loss, random.Random(self._seed))
        self._loop.add_reader(path.upstream, self._from_gateway, path)
        return path

    def _from_gateway(self, path: Path) -> None:
        for _ in range(_DATAGRAMS_PER_TURN):
            try:
                datagram = path.upstream.recv(_MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # The gateway is being restarted.
            if path.passes(datagram):
                self._later(self._socket.sendto, datagram, path.client)

    def _later(self, send: Callable[..., object], *arguments: object) -> None:
        if self.delay_s:
            self._loop.call_later(self.delay_s, self._send, send, arguments)
        else:
            send(*arguments)

    def _send(self, send: Callable[..., object], arguments: tuple[object, ...]) -> None:
        with contextlib.suppress(OSError):  # Closed meanwhile, as the test is over.
            send(*arguments)


@contextlib.asynccontextmanager
async def relay_before(gateway: GatewayProcess) -> AsyncIterator[Relay]:
    """A relay before `gateway`, which was started with LISTEN."""
    relay = Relay(gateway.udp_port)
    try:
        yield relay
    finally:
        relay.close()


def _bound(address: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind(address)
    return made


def _upstream_to(gateway: Address) -> socket.socket:
    made = _bound((GATEWAY_HOST, 0))
    made.connect(gateway)
    return made
