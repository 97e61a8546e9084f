"""The two kinds of player: one that only drains its socket and reports, one that checks and times every packet."""

import asyncio
import time
from collections.abc import Mapping

from gateway.transport.srtp import AuthenticationError, ReplayError
from gateway.wire.rtp import parse_header
from loadgen.peer.datagrams import Arrival, drain, kernel_drops, receive
from loadgen.peer.peer import Peer
from loadgen.players.reports import Reporter
from tests.bench.pictures import STAMP_BYTES
from tests.bench.reception import Reception

_MEDIA_FROM = 128
_RTCP_TYPES = range(192, 224)


class DrainingPlayer:
    """Reads what came, in one go and without copying much; believes it unseen."""

    def __init__(self, peer: Peer, buffer: bytearray) -> None:
        """`buffer` may be shared by the players of a process."""
        self.peer = peer
        self.received_bytes = 0
        self._reporter = Reporter(peer.srtp)
        self._reception = Reception()
        self._buffer = buffer

    def drain(self) -> None:
        """Read the socket empty."""
        buffer = self._buffer
        for size in drain(self.peer.socket, buffer):
            if buffer[0] < _MEDIA_FROM:
                continue
            if buffer[1] in _RTCP_TYPES:
                self._reporter.on_compound(self.peer.srtp.opener.open_rtcp(bytes(buffer[:size])), time.time())
                continue
            self.received_bytes += size
            self._reception.skip_to(int.from_bytes(buffer[8:12], "big"), buffer[2] << 8 | buffer[3])

    def report(self) -> None:
        """Tell the gateway what came."""
        self.peer.send(self._reporter.report(self._reception.tracks, time.time()))

    def kernel_drops(self) -> int:
        """Reads that the load lost because it was too slow."""
        return kernel_drops(self.peer.socket)


class SampledPlayer:
    """Authenticates and decrypts everything, compares it with what the studio sent, and times it.

    `sent` are the studio's payloads by stamp. `delays_ns` and `runs` fill while `is_measured`.
    """

    def __init__(self, peer: Peer, sent: Mapping[int, bytes]) -> None:
        self.peer = peer
        self.is_measured = False
        self.delays_ns: list[int] = []
        self.runs: list[tuple[int, int, int]] = []
        """(arrival in ns, segment bytes, bytes of the whole run) of every media send that came."""
        self.wrong = 0
        self.duplicates = 0
        self._sent = sent
        self._reporter = Reporter(peer.srtp)
        self._reception = Reception()
        for arrival in peer.take_over():
            self._on_arrival(arrival)
        asyncio.get_running_loop().add_reader(peer.socket.fileno(), self._on_readable)

    @property
    def lost(self) -> int:
        """Packets missing up to now."""
        return self._reception.lost

    def report(self) -> None:
        """Tell the gateway what came."""
        self.peer.send(self._reporter.report(self._reception.tracks, time.time()))

    def _on_readable(self) -> None:
        while (arrival := receive(self.peer.socket)) is not None:
            self._on_arrival(arrival)

    def _on_arrival(self, arrival: Arrival) -> None:
        if arrival.run[0] < _MEDIA_FROM:
            self.peer.on_control(arrival.run, arrival.arrival_ns / 1e9)
        elif arrival.run[1] in _RTCP_TYPES:
            self._reporter.on_compound(self.peer.srtp.opener.open_rtcp(arrival.run), arrival.arrival_ns / 1e9)
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
        self._reception.on_packet(header.ssrc, header.sequence_number, arrival_ns / 1e9)
