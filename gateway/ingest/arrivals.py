"""Arrival times for transport-wide congestion control (draft-holmer-rmcat-transport-wide-cc-extensions-01)."""

from gateway.wire.serial import unwrap16
from gateway.wire.twcc import TransportFeedback, build_feedback

MAX_ARRIVALS = 2_000
"""Packets between two feedbacks: 100 ms at 20 000 packets a second, more than any publisher sends."""


class ArrivalRecorder:
    """Collects arrivals by transport-wide sequence number and turns them into feedback."""

    def __init__(self) -> None:
        self._arrivals: dict[int, int] = {}
        self._highest: int | None = None
        self._next_expected: int | None = None
        self._feedback_packet_count = 0

    def on_packet(self, transport_sequence_number: int, arrival_s: float) -> None:
        """A packet with that 16-bit number arrived."""
        if len(self._arrivals) >= MAX_ARRIVALS:
            return
        if self._highest is None:
            self._highest = transport_sequence_number + 0x10000
        number = unwrap16(transport_sequence_number, self._highest)
        self._highest = max(self._highest, number)
        self._arrivals.setdefault(number, int(arrival_s * 1_000_000))

    def feedback(self, sender_ssrc: int, media_ssrc: int) -> list[TransportFeedback]:
        """Feedback for what arrived since the last call; empty when nothing did."""
        if not self._arrivals:
            return []
        arrivals = sorted(self._arrivals.items())
        # What was reordered past the last feedback gets one of its own: it must not make what was reported look lost.
        expected = self._next_expected if self._next_expected is not None else arrivals[0][0]
        late = [arrival for arrival in arrivals if arrival[0] < expected]
        packets = self._packets(sender_ssrc, media_ssrc, late, None)
        packets += self._packets(sender_ssrc, media_ssrc, arrivals[len(late) :], expected)
        self._next_expected = max(self._next_expected or 0, arrivals[-1][0] + 1)
        self._arrivals.clear()
        return packets

    def _packets(
        self, sender_ssrc: int, media_ssrc: int, arrivals: list[tuple[int, int]], first_expected: int | None
    ) -> list[TransportFeedback]:
        packets = build_feedback(sender_ssrc, media_ssrc, self._feedback_packet_count, arrivals, first_expected)
        self._feedback_packet_count = (self._feedback_packet_count + len(packets)) & 0xFF
        return packets
