"""Datagrams by sendmmsg(2): hundreds a call, so that Python's own share of a packet is next to nothing.

A batch is built once and sent again and again, by ctypes: nothing is allocated meanwhile.
"""

import ctypes
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

DATAGRAM_BYTES = 1_100
CALL_MESSAGES = 250
"""Of a call: it lasts a quarter of a millisecond."""

_IPPROTO_UDP, _UDP_SEGMENT = 17, 103
_IP_PKTINFO = 8


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """struct mmsghdr: a struct msghdr, and how much of it was sent; the last two are int, and padded."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_bytes", ctypes.c_uint32),
        ("iovec", ctypes.c_void_p),
        ("iovec_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_bytes", ctypes.c_size_t),
        ("flags", ctypes.c_size_t),
        ("sent_bytes", ctypes.c_size_t),
    )


_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where one datagram goes."""

    destination: str
    port: int
    source: str | None = None
    """None: what the route says."""


class Batch:
    """The same payload on many ways, `segments` datagrams of it to each."""

    def __init__(self, ways: Sequence[Way], first_bytes: bytes, segments: int = 1) -> None:
        payload = first_bytes.ljust(DATAGRAM_BYTES, b"\0") * segments
        self._payload = ctypes.create_string_buffer(payload, len(payload))
        self._iovec = _Iovec(ctypes.addressof(self._payload), len(payload))
        self._addresses = [ctypes.create_string_buffer(_address(way), 16) for way in ways]
        controls = [_segment_control(segments) + _source_control(way) for way in ways]
        self._controls = [ctypes.create_string_buffer(each, len(each)) if each else None for each in controls]
        self._messages = (_Message * len(ways))(*map(self._message, self._addresses, self._controls))
        self._segments = segments
        self._next = 0

    def send(self, sender: socket.socket) -> int:
        """The next call's; how many datagrams it sent. OSError."""
        count = min(CALL_MESSAGES, len(self._messages) - self._next)
        at = ctypes.byref(self._messages, self._next * ctypes.sizeof(_Message))
        sent: int = _libc.sendmmsg(sender.fileno(), at, count, 0)
        if sent < 0:
            raise OSError(ctypes.get_errno(), "sendmmsg")
        self._next = (self._next + sent) % len(self._messages)
        return sent * self._segments

    def _message(
        self, address: "ctypes.Array[ctypes.c_char]", control: "ctypes.Array[ctypes.c_char] | None"
    ) -> _Message:
        control_bytes = ctypes.sizeof(control) if control is not None else 0
        at = ctypes.addressof(control) if control is not None else None
        return _Message(ctypes.addressof(address), 16, ctypes.addressof(self._iovec), 1, at, control_bytes, 0, 0)


def _address(way: Way) -> bytes:
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", way.port) + IPv4Address(way.destination).packed


def _segment_control(segments: int) -> bytes:
    if segments == 1:
        return b""
    return _control(_IPPROTO_UDP, _UDP_SEGMENT, struct.pack("=H", DATAGRAM_BYTES))


def _source_control(way: Way) -> bytes:
    if way.source is None:
        return b""
    return _control(socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("=i", 0) + IPv4Address(way.source).packed + bytes(4))


def _control(level: int, kind: int, value: bytes) -> bytes:
    """A struct cmsghdr, padded as CMSG_SPACE does."""
    whole = struct.pack("@Nii", 16 + len(value), level, kind) + value
    return whole.ljust(-(-len(whole) // 8) * 8, b"\0")
