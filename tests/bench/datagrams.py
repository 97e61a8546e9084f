"""Reading a load socket: what Linux tells with each datagram, and what it dropped.

With UDP_GRO a segmented send arrives as the one buffer that it was, so that a read costs what a send does; the size of
its segments and the kernel's time of arrival come beside it (udp(7), socket(7)).
"""

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

# Not in Python's socket module: include/uapi/linux/udp.h and asm-generic/socket.h.
_UDP_GRO = 104
_SO_TIMESTAMPNS = 35
_SO_MEMINFO = 55
_SO_RCVBUFFORCE = 33
_MEMINFO_DROPS_OFFSET = 8 * 4

_TIMESPEC = struct.Struct("@qq")
_SEGMENT = struct.Struct("@i")
_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size) + socket.CMSG_SPACE(_SEGMENT.size)

RECEIVE_BUFFER_BYTES = 4 << 20
"""Holds what a player gets in seconds: the load may be late, but is not to lose."""

MAX_READ_BYTES = 65_535


class Arrival(NamedTuple):
    """One read: a datagram, or a run of datagrams of `segment_bytes`, the last perhaps shorter."""

    run: bytes
    segment_bytes: int
    arrival_ns: int
    """When the gateway's send reached this socket's queue, on the system's clock."""

    def datagrams(self) -> Iterator[bytes]:
        """The datagrams of the run."""
        for start in range(0, len(self.run), self.segment_bytes):
            yield self.run[start : start + self.segment_bytes]


def load_socket(host: str) -> socket.socket:
    """A non-blocking UDP socket on a free port of `host` that takes whole runs and tells their time."""
    load = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    load.setblocking(False)
    load.setsockopt(socket.IPPROTO_UDP, _UDP_GRO, 1)
    load.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    try:
        load.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except PermissionError:
        load.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    load.bind((host, 0))
    return load


def receive(load: socket.socket) -> Arrival | None:
    """The next arrival, or None when there is none left."""
    try:
        run, ancillary, _flags, _address = load.recvmsg(MAX_READ_BYTES, _ANCILLARY_BYTES)
    except BlockingIOError:
        return None
    segment_bytes, arrival_ns = len(run), 0
    for level, kind, value in ancillary:
        if level == socket.IPPROTO_UDP and kind == _UDP_GRO:
            segment_bytes = _SEGMENT.unpack(value)[0]
        elif level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(value)
            arrival_ns = seconds * 1_000_000_000 + nanoseconds
    return Arrival(run, segment_bytes, arrival_ns)


def drain(load: socket.socket, buffer: bytearray) -> Iterator[int]:
    """Read the socket empty; yields the whole size of every read, of which `buffer` holds the beginning."""
    receive_into = load.recv_into
    while True:
        try:
            yield receive_into(buffer, 0, socket.MSG_TRUNC)
        except BlockingIOError:
            return


def kernel_drops(load: socket.socket) -> int:
    """Datagrams that found this socket's receive buffer full."""
    meminfo = load.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 9 * 4)
    return int(struct.unpack_from("=I", meminfo, _MEMINFO_DROPS_OFFSET)[0])
