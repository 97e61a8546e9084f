"""A reader that stands still for a moment while datagrams come in, and which of them it still gets."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from node_tuner.controls.sysctl import Sysctl
from node_tuner.errors import UnavailableError
from node_tuner.machine.roots import Roots
from tests.bench.node.load import Batch, Way
from tests.bench.node.sending import PLAYERS_PORT, Site, inside
from tests.bench.node.variants import MEDIA_PORT, VIDEO

RMEM_MAX = "net.core.rmem_max"
TUNED_BYTES = 26_214_400
LIMITS_BYTES = (212_992, 4_194_304, TUNED_BYTES)
"""Linux's own limit for long, that of 6.18, and the profile's, which sockets ask for each time."""

STALLS_S = (0.1, 0.2)
RATE_PPS = 50_000
"""Of incoming datagrams: 440 Mb/s, what some 250 studios of 1.5 Mb/s send."""

_TICK_S = 0.001
_TICK_PACKETS = round(RATE_PPS * _TICK_S)


@dataclass(frozen=True, slots=True)
class Burst:
    """One moment of standing still."""

    rmem_max_bytes: int
    granted_bytes: int
    """As getsockopt says it: twice of what was asked for, for the kernel's own share."""
    stall_s: float
    """As long as it really was."""
    sent: int
    received: int

    @property
    def dropped(self) -> int:
        """Datagrams that the buffer had no room for."""
        return self.sent - self.received

    @property
    def dropped_share(self) -> float:
        """Of those that were sent."""
        return self.dropped / self.sent


@contextmanager
def rmem_max(limit_bytes: int) -> Iterator[None]:
    """The node's limit meanwhile, set and put back by the tuner's own control. UnavailableError."""
    control = Sysctl(RMEM_MAX, Roots())
    before = control.read()
    obstacle = control.obstacle()
    if obstacle is not None:
        raise UnavailableError(obstacle)
    try:
        control.write(str(limit_bytes))
        yield
    finally:
        control.write(before)


def stand_still(site: Site, limit_bytes: int, stall_s: float) -> Burst:
    """In the node's namespace, in which we are."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TUNED_BYTES)
        granted_bytes = reader.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        reader.bind(("0.0.0.0", MEDIA_PORT))
        reader.setblocking(False)
        with inside(site.far):
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            sender.bind(("0.0.0.0", PLAYERS_PORT))
            began_s = time.monotonic()
            sent = _send(sender, Batch([Way(site.near_ipv4, MEDIA_PORT)] * _TICK_PACKETS, VIDEO), stall_s)
            stalled_s = time.monotonic() - began_s
        return Burst(limit_bytes, granted_bytes, stalled_s, sent, _drain(reader))


def _send(sender: socket.socket, batch: Batch, stall_s: float) -> int:
    """At an even pace; the reader is this very thread, which does not read."""
    sent, due_s = 0, time.monotonic()
    for _ in range(round(stall_s / _TICK_S)):
        sent += batch.send(sender)
        due_s += _TICK_S
        time.sleep(max(due_s - time.monotonic(), 0.0))
    return sent


def _drain(reader: socket.socket) -> int:
    received, into = 0, bytearray(2_048)
    while True:
        try:
            reader.recv_into(into)
        except BlockingIOError:
            return received
        received += 1
