"""The process's one UDP socket: batched reads, sends with segmentation offload, and what the kernel granted.

GSO (UDP_SEGMENT) hands the kernel a run of equal-sized datagrams to one destination in one call: it costs a third of
single sends. Where kernel or path refuses it, it is switched off for good and each datagram is sent by itself.
"""

import errno
import socket
import struct
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

import structlog

from gateway.transport.address import Address
from gateway.transport.marking import UNMARKED, Ancillary, Codepoints, Marks, mark_socket

log = structlog.get_logger()

# Not in Python's socket module: include/uapi/linux/udp.h and asm-generic/socket.h.
_UDP_SEGMENT = 103
_SO_MEMINFO = 55
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("=qq")
_TIMESTAMP_SPACE = socket.CMSG_SPACE(_TIMESPEC.size)
_MEMINFO = struct.Struct("=9I")
_MEMINFO_DROPS = 8

MAX_DATAGRAM_BYTES = 2048
"""A path carries at most 1500: what is longer is cut by the read, and so refused as malformed."""

MAX_SEGMENTS = 64
"""UDP_MAX_SEGMENTS of older kernels."""

MAX_RUN_BYTES = 65_000
"""A GSO send is one IP packet of at most 65535 bytes until the kernel cuts it."""

_UNSUPPORTED = {errno.EIO, errno.EOPNOTSUPP, errno.ENOPROTOOPT}
"""The kernel or the interface has no segmentation offload, for nobody."""

_UNFIT = {errno.EINVAL, errno.EMSGSIZE}
"""This run does not fit this path, such as a tunnel with a small MTU; other peers are none the worse."""

_FULL = {errno.EAGAIN, errno.ENOBUFS}

_OVERFLOWS = "a burst, or a moment of the event loop's absence, overflows it"


class Sent(Enum):
    """What became of a send."""

    OK = "ok"
    FULL = "full"
    FAILED = "failed"


class Buffers(NamedTuple):
    """Bytes asked for and granted of the socket's buffers. Linux grants twice what it was asked for: the other half is
    for its own bookkeeping (socket(7))."""

    receive_asked_bytes: int
    receive_granted_bytes: int
    send_asked_bytes: int
    send_granted_bytes: int

    @property
    def shortages(self) -> tuple["Shortage", ...]:
        """Those of which the kernel granted less than was asked for."""
        both = (
            Shortage("receive", self.receive_asked_bytes, self.receive_granted_bytes // 2, "net.core.rmem_max"),
            Shortage("send", self.send_asked_bytes, self.send_granted_bytes // 2, "net.core.wmem_max"),
        )
        return tuple(each for each in both if each.usable_bytes < each.asked_bytes)


class Shortage(NamedTuple):
    """A buffer that is smaller than it should be, and the sysctl that says so."""

    direction: str
    asked_bytes: int
    usable_bytes: int
    limit: str

    def __str__(self) -> str:
        return f"{self.direction}: {self.usable_bytes} of {self.asked_bytes} bytes, {self.limit} allows no more"


class MediaSocket:
    """A non-blocking UDP socket; `[::]` listens to IPv4 as well."""

    marks: Marks = UNMARKED
    """What to say beside sends that are no video."""

    codepoints: Codepoints | None = None
    """What it marks packets with; None: nothing."""

    def __init__(
        self,
        host: str,
        port: int,
        receive_buffer_bytes: int,
        send_buffer_bytes: int,
        codepoints: Codepoints | None = None,
    ) -> None:
        self._socket = _bound_socket(host, port)
        if codepoints is not None:
            self._mark(codepoints)
        self.buffers = Buffers(
            receive_buffer_bytes,
            _grow(self._socket, socket.SO_RCVBUF, receive_buffer_bytes),
            send_buffer_bytes,
            _grow(self._socket, socket.SO_SNDBUF, send_buffer_bytes),
        )
        for shortage in self.buffers.shortages:
            log.warning("socket buffer smaller than asked for", **shortage._asdict(), consequence=_OVERFLOWS)
        self.host, self.port = self._socket.getsockname()[:2]
        self.segmentation = _knows_segmentation(self._socket)
        self.failed_sends = 0

    def _mark(self, codepoints: Codepoints) -> None:
        try:
            mark_socket(self._socket, codepoints.video)
        except OSError as error:
            log.warning("dscp refused", error=str(error), consequence="packets leave unmarked")
            return
        self.codepoints, self.marks = codepoints, Marks.beside(codepoints)

    def fileno(self) -> int:
        """For the event loop."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def receive(self) -> tuple[bytes, Address, float] | None:
        """One datagram, where it is from, and when the kernel got it (Unix, seconds); None when there is none left."""
        try:
            datagram, ancillary, _, address = self._socket.recvmsg(MAX_DATAGRAM_BYTES, _TIMESTAMP_SPACE)
            return datagram, address, _unix_s(ancillary)
        except BlockingIOError:
            return None
        except OSError:
            # An ICMP error of an earlier send: the next read may well have a datagram, the event loop calls again.
            return None

    def send(self, datagram: bytes, address: Address, mark: Ancillary = ()) -> Sent:
        """Send one datagram; `mark` is one of `marks`."""
        try:
            if mark:
                self._socket.sendmsg((datagram,), mark, 0, address)
            else:
                self._socket.sendto(datagram, address)
        except OSError as error:
            return self._failure(error)
        return Sent.OK

    @property
    def sendmsg(self) -> Callable[[Sequence[bytes | bytearray], Ancillary, int, Address], int]:
        """The bare call, for the hot loop; raises OSError."""
        return self._socket.sendmsg

    @property
    def sendto(self) -> Callable[[bytes | bytearray, Address], int]:
        """The same for a datagram by itself."""
        return self._socket.sendto

    @property
    def max_segments(self) -> int:
        """How many datagrams one send may hold."""
        return MAX_SEGMENTS if self.segmentation else 1

    def ancillary(self, segment_bytes: int, count: int, mark: Ancillary = ()) -> Ancillary:
        """What `sendmsg` needs to cut `count` datagrams of `segment_bytes` with that mark; empty for one without."""
        return (*mark, (socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("H", segment_bytes))) if count > 1 else mark

    def send_run(
        self,
        buffers: Sequence[bytes | bytearray],
        segment_bytes: int,
        count: int,
        address: Address,
        mark: Ancillary = (),
    ) -> Sent:
        """Send `count` datagrams of `segment_bytes`, the last perhaps shorter, given as a gather list."""
        if count > 1 and not self.segmentation:
            return self._send_one_by_one(b"".join(buffers), segment_bytes, address, mark)
        try:
            self._socket.sendmsg(buffers, self.ancillary(segment_bytes, count, mark), 0, address)
        except OSError as error:
            return self._send_otherwise(error, buffers, segment_bytes, count, address, mark)
        return Sent.OK

    def _send_otherwise(
        self,
        error: OSError,
        buffers: Sequence[bytes | bytearray],
        segment_bytes: int,
        count: int,
        address: Address,
        mark: Ancillary,
    ) -> Sent:
        if count == 1 or error.errno not in _UNSUPPORTED | _UNFIT:
            return self._failure(error)
        if error.errno in _UNSUPPORTED:
            self._switch_segmentation_off(error)
        return self._send_one_by_one(b"".join(buffers), segment_bytes, address, mark)

    def kernel_receive_drops(self) -> int:
        """Datagrams that the kernel dropped because our receive buffer was full, since the socket was made."""
        raw = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        return int(_MEMINFO.unpack(raw)[_MEMINFO_DROPS])

    def _send_one_by_one(self, run: bytes, segment_bytes: int, address: Address, mark: Ancillary) -> Sent:
        for start in range(0, len(run), segment_bytes):
            sent = self.send(run[start : start + segment_bytes], address, mark)
            if sent is not Sent.OK:
                return sent
        return Sent.OK

    def _failure(self, error: OSError) -> Sent:
        if error.errno in _FULL:
            return Sent.FULL
        # No route, a firewall's veto: this peer's trouble. Its session ends by silence.
        self.failed_sends += 1
        return Sent.FAILED

    def _switch_segmentation_off(self, error: OSError) -> None:
        self.segmentation = False
        log.warning(
            "gso switched off", error=str(error), consequence="each datagram is sent by itself, at about twice the cost"
        )


def _bound_socket(host: str, port: int) -> socket.socket:
    try:
        return _bound(host, port)
    except OSError as error:
        if host != "::" or error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
        log.warning("this machine has no ipv6", consequence="media is taken by ipv4 only")
        return _bound("0.0.0.0", port)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
    )[0]
    media = socket.socket(family, kind, protocol)
    try:
        if family == socket.AF_INET6:
            media.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        media.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        media.setblocking(False)
        media.bind(address)
    except OSError:
        media.close()
        raise
    return media


def _unix_s(ancillary: list[tuple[int, int, bytes]]) -> float:
    if not ancillary:
        return float("inf")  # never late
    seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
    return float(seconds + nanoseconds * 1e-9)


def _knows_segmentation(media: socket.socket) -> bool:
    try:
        media.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
    except OSError:
        log.warning("this kernel has no gso", consequence="each datagram is sent by itself, at about twice the cost")
        return False
    return True


def _grow(media: socket.socket, option: int, asked_bytes: int) -> int:
    """Ask for a buffer; return what was granted. rmem_max and wmem_max clamp it unless we are privileged."""
    forced = {socket.SO_RCVBUF: 33, socket.SO_SNDBUF: 32}[option]  # SO_RCVBUFFORCE, SO_SNDBUFFORCE
    try:
        media.setsockopt(socket.SOL_SOCKET, forced, asked_bytes)
    except PermissionError:
        media.setsockopt(socket.SOL_SOCKET, option, asked_bytes)
    return media.getsockopt(socket.SOL_SOCKET, option)
