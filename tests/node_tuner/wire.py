"""What really leaves an end of a `namespaces.pair`: sends there, and captures at the other end with AF_PACKET.

A veth hands over what a network card would have been given: a checksum that is still to be finished (PARTIAL), and a
run of segments still whole. `offload(end, ...)` turns these off at the sender, so that its kernel does it, as it does
for a card that cannot.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pyroute2.ethtool import Ethtool  # type: ignore[import-untyped]

from tests.node_tuner.namespaces import LIMIT_S, End, Namespace
from tests.node_tuner.wire_packet import Packet

T = TypeVar("T")

CHECKSUM = "tx-checksum-ip-generic"
SEGMENTATION = "tx-udp-segmentation"

SINK_PORT = 9
"""RFC 863: nobody listens there."""

_UDP_SEGMENT = 103
_CLONE_NEWNET = 0x4000_0000
_ETH_P_ALL = 3
_PROTOCOLS_OF_IP = (0x0800, 0x86DD)
_MAX_FRAME_BYTES = 1 << 17
_QUIET_S = 0.2


def send(
    end: End,
    to: str,
    payload: bytes,
    *,
    source_port: int,
    port: int = SINK_PORT,
    tos: int = 0,
    segment_bytes: int | None = None,
    options: Sequence[tuple[int, int, int | bytes]] = (),
) -> None:
    """One datagram of IPv4 or IPv6 (as `to` is), or one run of them; `tos` is the DSCP and below it two bits of ECN.

    `options` are those of the socket: level, name, value.
    """
    with socket_in(end.namespace, family_of(to), socket.SOCK_DGRAM) as sender:
        prepare(sender, source_port, tos, options)
        ancillary = (
            [] if segment_bytes is None else [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("H", segment_bytes))]
        )
        sender.sendmsg([payload], ancillary, 0, (to, port))


def send_syn(end: End, to: str, *, source_port: int, port: int = SINK_PORT, tos: int = 0) -> None:
    """The first packet of a TCP connection."""
    with socket_in(end.namespace, family_of(to), socket.SOCK_STREAM) as sender:
        prepare(sender, source_port, tos)
        sender.setblocking(False)
        sender.connect_ex((to, port))


def prepare(
    sender: socket.socket, source_port: int, tos: int = 0, options: Sequence[tuple[int, int, int | bytes]] = ()
) -> None:
    """Give a socket its source port, its TOS or traffic class, and its options."""
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    is_ipv6 = sender.family == socket.AF_INET6
    mark = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos) if is_ipv6 else (socket.IPPROTO_IP, socket.IP_TOS, tos)
    for level, name, value in (mark, *options):
        sender.setsockopt(level, name, value)
    sender.bind(("::" if is_ipv6 else "0.0.0.0", source_port))


def family_of(address: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def offload(end: End, **wanted: bool) -> None:
    """Turn the interface's `checksum` and `segmentation` on or off."""
    names = {"checksum": CHECKSUM, "segmentation": SEGMENTATION}

    def change() -> None:
        with Ethtool() as ethtool:
            features = ethtool.get_features(end.interface)
            for name, is_on in wanted.items():
                features.features[names[name]].enable = is_on
            ethtool.set_features(end.interface, features)

    end.namespace.call(change)


class Capture:
    """Sees every packet of IP that arrives at an interface."""

    def __init__(self, sniffer: socket.socket) -> None:
        self._sniffer = sniffer

    def packets(self, count: int, source_port: int | None = None) -> list[Packet]:
        """The next `count` of UDP and TCP (from this port); AssertionError with what came where they do not come."""
        seen: list[Packet] = []
        until = time.monotonic() + LIMIT_S
        while len(seen) < count:
            packet = self._next(until - time.monotonic())
            if packet is None:
                raise AssertionError(f"{len(seen)} of {count} packets came: {seen}")
            seen += [packet] if source_port in (None, packet.source_port) else []
        return seen

    def rest(self) -> list[Packet]:
        """What else came until it was quiet for a moment."""
        return list(iter(lambda: self._next(_QUIET_S), None))

    def _next(self, timeout_s: float) -> Packet | None:
        until = time.monotonic() + timeout_s
        while (left_s := until - time.monotonic()) > 0:
            self._sniffer.settimeout(left_s)
            try:
                raw, (_, protocol, direction, *_) = self._sniffer.recvfrom(_MAX_FRAME_BYTES)
            except TimeoutError:
                return None
            if direction != socket.PACKET_OUTGOING and protocol in _PROTOCOLS_OF_IP:
                packet = Packet.parse(raw)
                if packet is not None:
                    return packet
        return None


@contextmanager
def capture(end: End) -> Iterator[Capture]:
    """Whatever arrives at `end` from now on."""
    with socket_in(end.namespace, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL)) as sniffer:
        sniffer.bind((end.interface, _ETH_P_ALL))
        yield Capture(sniffer)


def socket_in(namespace: Namespace, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A socket of that namespace, for use here."""
    return in_thread(namespace, lambda: socket.socket(family, kind, protocol))


def in_thread(namespace: Namespace, function: Callable[[], T]) -> T:
    """What `function` returns or raises in a thread that is in the namespace; for what a child cannot hand over."""

    def inside() -> T:
        with Path("/run/netns", namespace.name).open("rb") as handle:
            if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns: {os.strerror(ctypes.get_errno())}")
        return function()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(inside).result(LIMIT_S)
