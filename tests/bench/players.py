"""The two kinds of player: one that only drains its socket and reports, one that checks and times every packet."""

import asyncio
from collections.abc import Mapping

from gateway.transport.srtp import AuthenticationError, ReplayError
from gateway.wire.rtp import parse_header
from gateway.wire.serial import delta16
from tests.bench.datagrams import Arrival, drain, kernel_drops, receive
from tests.bench.peer import Peer
from tests.bench.pictures import STAMP_BYTES
from tests.bench.reports import Reporter

_MEDIA_FROM = 128
_RTCP_TYPES = range(192, 224)


class DrainingPlayer:
    """Reads what came, in one go and without copying much; believes it unseen."""

    def __init__(self, peer: Peer, buffer: bytearray) -> None:
        """`buffer` may be shared by the players of a process."""
        self.peer = peer
        self.reporter = Reporter(peer.srtp)
        self.received_bytes = 0
        self._buffer = buffer
        peer.take_over()

    def drain(self) -> None:
        """Read the socket empty."""
        buffer = self._buffer
        for size in drain(self.peer.socket, buffer):
            if buffer[0] < _MEDIA_FROM:
                continue
            if buffer[1] in _RTCP_TYPES:
                self.reporter.on_rtcp(bytes(buffer[:size]))
                continue
            self.received_bytes += size
            self.reporter.on_rtp(int.from_bytes(buffer[8:12], "big"), buffer[2] << 8 | buffer[3])

    def kernel_drops(self) -> int:
        """Reads that the load lost because it was too slow."""
        return kernel_drops(self.peer.socket)

    def close(self) -> None:
        """Leave."""
        self.peer.close()


class Sequence:
    """What came of one SSRC, counted."""

    def __init__(self, first: int) -> None:
        self.expected = 1
        self.received = 1
        self._highest = first

    def on_packet(self, sequence_number: int) -> None:
        """A packet that was not received before."""
        self.received += 1
        ahead = delta16(sequence_number, self._highest)
        if ahead > 0:
            self.expected += ahead
            self._highest = sequence_number


class SampledPlayer:
    """Authenticates and decrypts everything, compares it with what the studio sent, and times it.

    `sent` are the studio's payloads by stamp. `delays_ns` and `runs` fill while `is_measured`.
    """

    def __init__(self, peer: Peer, sent: Mapping[int, bytes]) -> None:
        self.peer = peer
        self.reporter = Reporter(peer.srtp)
        self.is_measured = False
        self.delays_ns: list[int] = []
        self.runs: list[tuple[int, int, int]] = []
        """(arrival in ns, segment bytes, bytes of the whole run) of every media send that came."""
        self.wrong = 0
        self.duplicates = 0
        self._sent = sent
        self._sequences: dict[int, Sequence] = {}
        for arrival in peer.take_over():
            self._on_arrival(arrival)
        asyncio.get_running_loop().add_reader(peer.socket.fileno(), self._on_readable)

    @property
    def lost(self) -> int:
        """Packets missing up to now."""
        return sum(sequence.expected - sequence.received for sequence in self._sequences.values())

    def _on_readable(self) -> None:
        while (arrival := receive(self.peer.socket)) is not None:
            self._on_arrival(arrival)

    def _on_arrival(self, arrival: Arrival) -> None:
        if arrival.run[0] < _MEDIA_FROM:
            return
        if arrival.run[1] in _RTCP_TYPES:
            self.reporter.on_rtcp(arrival.run)
        else:
            self._on_media(arrival)

    def _on_media(self, arrival: Arrival) -> None:
        if self.is_measured:
            self.runs.append((arrival.arrival_ns, arrival.segment_bytes, len(arrival.run)))
        for datagram in arrival.datagrams():
            self._on_packet(datagram, arrival.arrival_ns)

    def _on_packet(self, datagram: bytes, arrival_ns: int) -> None:
        header = parse_header(datagram)
        try:
            payload = self.peer.srtp.opener.open_rtp(datagram, header)
        except ReplayError:
            self.duplicates += 1
            return
        except AuthenticationError:
            self.wrong += 1
            return
        stamp_ns = int.from_bytes(payload[-STAMP_BYTES:], "big")
        self.wrong += self._sent.get(stamp_ns) != payload
        if self.is_measured:
            self.delays_ns.append(arrival_ns - stamp_ns)
        self.reporter.on_rtp(header.ssrc, header.sequence_number)
        sequence = self._sequences.get(header.ssrc)
        if sequence is None:
            self._sequences[header.ssrc] = Sequence(header.sequence_number)
        else:
            sequence.on_packet(header.sequence_number)

    def close(self) -> None:
        """Leave."""
        asyncio.get_running_loop().remove_reader(self.peer.socket.fileno())
        self.peer.close()
