"""Sends what leaves together in as few calls as its sizes allow: UDP_SEGMENT (udp(7)) takes a run of equal-sized
datagrams, the last perhaps shorter. A call costs more than all that is done for its packets before."""

import itertools
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Protocol

from gateway.transport.socket import MAX_RUN_BYTES, MAX_SEGMENTS

_UDP_SEGMENT = 103  # include/uapi/linux/udp.h; not in Python's socket module


class ConnectedPeer(Protocol):
    """Whose socket it is."""

    @property
    def socket(self) -> socket.socket:
        """Connected."""

    def send(self, datagram: bytes) -> None:
        """One datagram; counts what the kernel does not take."""


class RunSender:
    """Sends for one peer."""

    def __init__(self, peer: ConnectedPeer) -> None:
        self._peer = peer
        self._max_segments = MAX_SEGMENTS

    def send(self, datagrams: Sequence[bytes]) -> None:
        """In order; never raises."""
        for run in runs(datagrams, self._max_segments):
            if len(run) == 1 or not self._is_sent(run):
                for datagram in run:
                    self._peer.send(datagram)

    def _is_sent(self, run: Sequence[bytes]) -> bool:
        ancillary = ((socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("H", len(run[0]))),)
        try:
            self._peer.socket.sendmsg(run, ancillary)
        except (BlockingIOError, ConnectionRefusedError):
            return False  # full, or an ICMP error of an earlier send
        except OSError:
            self._max_segments = 1  # this path takes no runs
            return False
        return True


def runs(datagrams: Sequence[bytes], max_segments: int) -> Iterator[Sequence[bytes]]:
    """`datagrams` in order, cut where a longer one comes, or one after a shorter."""
    start = 0
    for order, (earlier, later) in enumerate(itertools.pairwise(datagrams), 1):
        count, segment_bytes = order - start, len(datagrams[start])
        is_full = count >= max_segments or (count + 1) * segment_bytes > MAX_RUN_BYTES
        if is_full or len(earlier) < segment_bytes or len(later) > segment_bytes:
            yield datagrams[start:order]
            start = order
    if datagrams:
        yield datagrams[start:]
