"""Reading a load socket: what Linux tells with each datagram, and what it dropped.

With UDP_GRO a segmented send arrives as the one buffer that it was, so that a read costs what a send does; the size of
its segments and the kernel's time of arrival come beside it (udp(7), socket(7)).
"""

import errno
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.transport.address import Address

# Not in Python's socket module: include/uapi/linux/udp.h and asm-generic/socket.h.
UDP_GRO = 104
SO_TIMESTAMPNS = 35
_SO_MEMINFO = 55
_SO_RCVBUFFORCE = 33
_MEMINFO_DROPS_OFFSET = 8 * 4

_TIMESPEC = struct.Struct("@qq")
_SEGMENT = struct.Struct("@i")
unpack_timespec, unpack_segment = _TIMESPEC.unpack, _SEGMENT.unpack
ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size) + socket.CMSG_SPACE(_SEGMENT.size)

RECEIVE_BUFFER_BYTES = 4 << 20
"""Holds what a player gets in seconds: the load may be late, but is not to lose."""

MAX_READ_BYTES = 65_535

_ICMP_ERRORS = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENOPROTOOPT)
"""What a connected socket is told once each (icmp_err_convert in net/ipv4/icmp.c): a server may be gone for a while."""


class Arrival(NamedTuple):
    """One read: a datagram, or a run of datagrams of `segment_bytes`, the last perhaps shorter."""

    run: bytes
    segment_bytes: int
    arrival_ns: int
    """When the gateway's send reached this socket's queue, on the system's clock."""
    source: Address

    def datagrams(self) -> Iterator[bytes]:
        """The datagrams of the run."""
        for start in range(0, len(self.run), self.segment_bytes or 1):
            yield self.run[start : start + self.segment_bytes]


def load_socket(host: str) -> socket.socket:
    """A non-blocking UDP socket on a free port of `host` (a literal address; a wildcard binds its own family only)
    that takes whole runs and tells their time."""
    load = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        _prepare(load)
        load.bind((host, 0))
    except OSError:
        load.close()
        raise
    return load


def _prepare(load: socket.socket) -> None:
    load.setblocking(False)
    load.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    load.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    if load.family == socket.AF_INET6:
        load.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        load.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except PermissionError:
        load.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)


def receive(load: socket.socket) -> Arrival | None:
    """The next arrival, or None when there is none left."""
    while True:
        try:
            run, ancillary, _flags, source = load.recvmsg(MAX_READ_BYTES, ANCILLARY_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            _require_icmp(error)
            continue
        break
    segment_bytes, arrival_ns = arrival_of(ancillary, len(run))
    return Arrival(run, segment_bytes, arrival_ns, source)


def arrival_of(ancillary: Iterable[tuple[int, int, bytes]], size_bytes: int) -> tuple[int, int]:
    """`(segment_bytes, arrival_ns)` of a read of `size_bytes` by its ancillary data; now, where the kernel did not
    stamp it."""
    segment_bytes, arrival_ns = size_bytes, 0
    for level, kind, value in ancillary:
        if kind == SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
            seconds, nanoseconds = unpack_timespec(value)
            arrival_ns = seconds * 1_000_000_000 + nanoseconds
        elif kind == UDP_GRO and level == socket.IPPROTO_UDP:
            segment_bytes = unpack_segment(value)[0]
    return segment_bytes or 1, arrival_ns or time.time_ns()


def drain(load: socket.socket, buffer: bytearray) -> Iterator[int]:
    """Read the socket empty; yields the whole size of every read, of which `buffer` holds the beginning."""
    receive_into = load.recv_into
    while True:
        try:
            yield receive_into(buffer, 0, socket.MSG_TRUNC)
        except BlockingIOError:
            return
        except OSError as error:
            _require_icmp(error)


def _require_icmp(error: OSError) -> None:
    if error.errno not in _ICMP_ERRORS:
        raise error


def kernel_drops(load: socket.socket) -> int:
    """Datagrams that found this socket's receive buffer full."""
    meminfo = load.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 9 * 4)
    return int(struct.unpack_from("=I", meminfo, _MEMINFO_DROPS_OFFSET)[0])
