"""One media SSRC as a player receives it: what came, what did not, and in which order to take it.

The fast way is in `receiver.Receiver.read`: a packet whose sequence number is `expected`, of a frame that has begun,
costs two additions. Everything else comes here.
"""

from collections.abc import Callable

from gateway.errors import WireError
from gateway.transport.srtp import AuthenticationError, SrtpError
from gateway.wire.serial import unwrap16
from loadgen.figures import MediaCounts
from loadgen.players.holes import MAX_HOLES, Holes
from loadgen.players.packet import Packet

NOT_EXPECTED = -1
"""`expected` of a track whose next packet wants a closer look: no sequence number is this."""

MAX_SSRCS = 16
"""SSRCs of one session: audio, video, their retransmissions, and what a server uses after a restart of its source."""

MAX_HELD = 10_000
"""Packets that wait for one that is missing: libwebrtc asks for nothing older than that (kMaxPacketAge)."""

PayloadOpener = Callable[[bytes], bytes]
"""Authenticates and decrypts a datagram; raises SrtpError."""


class Track:
    """Sequence numbers, loss and repair of one SSRC. A subclass knows what its packets mean."""

    __slots__ = (
        "_checks_all",
        "_checks_next",
        "_has_rtx",
        "_held",
        "_highest",
        "_next",
        "_open",
        "counts",
        "expected",
        "first_index",
        "holes",
        "lost",
        "timestamp",
    )

    def __init__(
        self,
        counts: MediaCounts,
        open_payload: PayloadOpener,
        can_nack: bool,
        checks_all: bool,
        has_rtx: bool = False,
    ) -> None:
        """`counts` is the player's; `checks_all` decrypts every packet; with `has_rtx` what is asked for comes
        by an SSRC of its own."""
        self.counts = counts
        self.holes = Holes(can_nack)
        self.expected = NOT_EXPECTED
        self.timestamp = NOT_EXPECTED
        self.first_index: int | None = None
        self.lost = 0
        """Packets that are missing still, or were given up."""
        self._open = open_payload
        self._checks_all = checks_all
        self._has_rtx = has_rtx
        self._checks_next = True
        self._highest = 0
        self._next = 0
        self._held: dict[int, Packet] = {}

    # What a subclass knows

    def on_edge(self, marker: bool, timestamp: int, arrival_s: float) -> None:
        """On the fast way: a packet with another timestamp, or with the marker."""
        raise NotImplementedError

    def deliver(self, packet: Packet, now_s: float) -> None:
        """The next packet in order; `now_s` is when the last one that it had to wait for came."""
        raise NotImplementedError

    def on_gap(self) -> None:
        """The next packets in order will never come."""
        raise NotImplementedError

    def wants_payload(self) -> bool:
        """Whether the next packets have to be decrypted."""
        return self._checks_all or self._checks_next

    # Sequence

    @property
    def highest(self) -> int:
        """The extended highest sequence number that came (RFC 3550 appendix A.1); 0 before the first packet."""
        if self.expected != NOT_EXPECTED:
            self._highest = unwrap16((self.expected - 1) & 0xFFFF, self._highest)
        return self._highest

    @property
    def expected_packets(self) -> int:
        """How many packets were sent since the first that came (RFC 3550 appendix A.3)."""
        return self.highest - self.first_index + 1 if self.first_index is not None else 0

    def check_next(self) -> None:
        """Authenticate and decrypt the next packet: so do all players with one packet now and then, which also keeps
        their rollover counters near."""
        self._leave_fast_way()
        self._checks_next = True

    def on_packet(self, packet: Packet) -> None:
        """A packet that is not simply the next one."""
        self._leave_fast_way()
        if self.first_index is None:
            self._begin(packet.sequence_number)
        packet.index = unwrap16(packet.sequence_number, self._highest)
        if self._is_far(packet.index):
            self._on_far(packet)
        elif packet.index > self._highest:
            self._on_new(packet)
        elif packet.index in self.holes:
            self._on_missing(packet)
        else:
            self._on_repeat(packet)
        self._enter_fast_way()

    def _begin(self, sequence_number: int) -> None:
        self.first_index = self._next = sequence_number
        self._highest = sequence_number - 1

    def _is_far(self, index: int) -> bool:
        return abs(index - self._highest) > MAX_HOLES and index not in self.holes

    def _on_far(self, packet: Packet) -> None:
        """The sender began anew, if it was the sender: nothing between is missing."""
        if packet.is_retransmission or self.holes.was_given_up(packet.index):
            self._on_repeat(packet)
        elif not self._is_authentic(packet):
            return
        elif packet.payload is None:  # Older than the replay window.
            self._on_repeat(packet)
        else:
            self._restart(packet)

    def _restart(self, packet: Packet) -> None:
        self.holes.clear()
        self._held.clear()
        self.on_gap()
        self._begin(packet.sequence_number)
        packet.index = packet.sequence_number
        self._on_new(packet)

    def _on_new(self, packet: Packet) -> None:
        """Newer than any before. What it skips is missing."""
        if packet.is_retransmission:
            self.counts.retransmissions += 1
            return
        missing = packet.index - self._highest - 1
        if (missing or self.wants_payload()) and not self._is_authentic(packet):
            return
        if len(self.holes) + missing > MAX_HOLES or len(self._held) > MAX_HELD:
            self._pass_over(self._highest, packet.arrival_s)
        if missing:
            self.holes.open(self._highest + 1, packet.index, packet.arrival_s)
            self.counts.lost += missing
            self.lost += missing
        self._highest = packet.index
        self._accept(packet)

    def _on_missing(self, packet: Packet) -> None:
        if self._is_authentic(packet):
            packet.fills_hole = True
            self._count_missing(packet)
            self._accept(packet)

    def _on_repeat(self, packet: Packet) -> None:
        """It came before, or too late: nothing is done with it any more."""
        counts = self.counts
        if self.holes.was_given_up(packet.index):
            if self._is_authentic(packet):
                counts.packets += 1
                self._count_missing(packet)
        elif packet.is_retransmission:
            counts.retransmissions += 1
        elif self.holes.was_repaired(packet.index):
            # Its retransmission was faster: it was late, and not lost.
            counts.recovered -= 1
            counts.lost -= 1
            counts.reordered += 1
        else:
            counts.duplicates += 1

    def _count_missing(self, packet: Packet) -> None:
        self.lost -= 1
        was_asked = self.holes.close(packet.index)
        # Where retransmissions are told apart, what is none is the packet itself, however late.
        if packet.is_retransmission or (was_asked and not self._has_rtx):
            self.counts.recovered += 1
            self.counts.retransmissions += 1
            if packet.is_retransmission:
                self.holes.note_repair(packet.index)
        else:
            self.counts.reordered += 1
            self.counts.lost -= 1

    def _is_authentic(self, packet: Packet) -> bool:
        """Decrypt it. A packet that is not authentic was never there."""
        if packet.payload is not None:
            return True
        try:
            packet.payload = self._open(packet.datagram)
        except AuthenticationError:
            self.counts.authentication_failures += 1
            return False
        except SrtpError:  # Older than the replay window, of which only what is checked moves the edge.
            return True
        except WireError:  # Authentic, with a padding that cannot be.
            self.counts.malformed += 1
        return True

    def _accept(self, packet: Packet) -> None:
        self.counts.packets += 1
        self._checks_next = False
        self._held[packet.index] = packet
        self._release(packet.arrival_s)

    def _release(self, now_s: float) -> None:
        held = self._held
        while (packet := held.pop(self._next, None)) is not None:
            self._next += 1
            self.deliver(packet, now_s)

    def give_up(self, index: int, now_s: float) -> None:
        """Go on without the missing packets up to `index`."""
        self._leave_fast_way()
        self._pass_over(index, now_s)
        self._enter_fast_way()

    def _pass_over(self, index: int, now_s: float) -> None:
        self.holes.forget_until(index)
        while self._next <= index:
            if self._next in self._held:
                self._release(now_s)
                continue
            self._next += 1
            self.on_gap()
        self._release(now_s)

    def _leave_fast_way(self) -> None:
        if self.expected != NOT_EXPECTED:
            self._next = self.highest + 1
            self.expected = NOT_EXPECTED

    def _enter_fast_way(self) -> None:
        if not self.holes and self.first_index is not None and not self.wants_payload():
            self.expected = (self._highest + 1) & 0xFFFF


class AudioTrack(Track):
    """Sound: nothing depends on what is missing."""

    __slots__ = ()

    def on_edge(self, marker: bool, timestamp: int, arrival_s: float) -> None:
        """See `Track`."""
        self.timestamp = timestamp

    def deliver(self, packet: Packet, now_s: float) -> None:
        """See `Track`."""
        self.timestamp = packet.timestamp

    def on_gap(self) -> None:
        """See `Track`."""
