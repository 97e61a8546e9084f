"""Which DSCP leaves with which packet (RFC 8837), asked of the kernel by a process without privileges.

Most datagrams are video, and theirs is the socket's own mark: a datagram by itself still goes out by `sendto`. What is
of another class says so beside each send. RTCP and STUN have the socket's mark as well: they measure and keep up the
path that most of the media takes.
"""

import socket
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

Ancillary = Sequence[tuple[int, int, bytes]]
"""Control messages of a send."""

_TOS = struct.Struct("=i")


@dataclass(frozen=True, slots=True)
class Codepoints:
    """A DSCP, 0 to 63, for each class of traffic."""

    bet_signals: int
    audio: int
    video: int
    retransmission: int


@dataclass(frozen=True, slots=True)
class Marks:
    """What is to be said beside a send, by its class. Empty: it leaves with the socket's own mark."""

    bet_signals: Ancillary = ()
    audio: Ancillary = ()
    retransmission: Ancillary = ()

    @classmethod
    def beside(cls, codepoints: Codepoints) -> "Marks":
        """For a socket whose own mark is that of video."""
        own = codepoints.video
        others = (codepoints.bet_signals, codepoints.audio, codepoints.retransmission)
        return cls(*(_control_messages(dscp) if dscp != own else () for dscp in others))


UNMARKED = Marks()


class Markable(Protocol):
    """A socket, or what an event loop shows of one."""

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""

    def setsockopt(self, level: int, option: int, value: int, /) -> None:
        """See socket(2)."""


def mark_socket(marked: Markable, dscp: int) -> None:
    """Let all that leaves by `marked` have that DSCP. OSError where the kernel refuses."""
    for level, option in _options(marked.family):
        marked.setsockopt(level, option, _tos(dscp))


def _options(family: int) -> tuple[tuple[int, int], ...]:
    """An IPv6 socket may send to IPv4-mapped addresses, whose packets take the mark of IPv4."""
    ipv4, ipv6 = (socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)
    return (ipv4, ipv6) if family == socket.AF_INET6 else (ipv4,) if family == socket.AF_INET else ()


def _control_messages(dscp: int) -> Ancillary:
    """For any destination: the kernel reads the message of its family and skips the other."""
    value = _TOS.pack(_tos(dscp))
    return tuple((level, option, value) for level, option in _options(socket.AF_INET6))


def _tos(dscp: int) -> int:
    """The byte of the IP header: DSCP, then ECN, which is not ours to set (RFC 3168 section 5)."""
    return dscp << 2


def told(codepoints: Codepoints) -> str:
    """For people."""
    return ", ".join(f"{name} {dscp}" for name, dscp in asdict(codepoints).items())
