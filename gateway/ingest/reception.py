"""Reception of one SSRC: extended sequence numbers, loss and jitter (RFC 3550 appendix A.1, A.3, A.8)."""

from gateway.clock import middle32_from_seconds, ntp_middle32
from gateway.wire.rtcp import ReportBlock, SenderReport
from gateway.wire.serial import delta16, delta32, unwrap16

MAX_DROPOUT = 3000
"""A jump of more than this is a restart, not loss (RFC 3550 appendix A.1)."""


class Reception:
    """What a receiver knows of one SSRC. `extend` first; sequence numbers below are extended."""

    def __init__(self, ssrc: int, clock_rate_hz: int) -> None:
        self.ssrc = ssrc
        self.received = 0
        self.highest: int | None = None
        self.restarts = 0
        self.unseen = 0
        """Packets that the newest sender report counts, since the first one, beyond the highest number that came."""
        self._clock_rate_hz = clock_rate_hz
        self._first = 0
        self._suspect: int | None = None
        self._transit: tuple[float, int] | None = None
        self._jitter_rtp_ticks = 0.0
        self._first_beyond: int | None = None
        self._last_sr: tuple[int, float] | None = None
        self._expected_prior = self._received_prior = 0

    def extend(self, sequence_number: int) -> int | None:
        """`sequence_number` extended to the space of this SSRC; None while a jump is not yet known to be a restart.

        A restart (two packets in sequence after a jump) counts in `restarts` and goes on above the highest so far.
        """
        if self.highest is None:
            # One cycle up, so that a packet reordered before the first still has a positive number.
            self.highest = self._first = sequence_number + 0x10000
            return self.highest
        step = delta16(sequence_number, self.highest & 0xFFFF)
        if abs(step) <= MAX_DROPOUT:
            self._suspect = None
            self.highest = max(self.highest, self.highest + step)
            return self.highest + min(step, 0)
        if self._suspect != sequence_number:
            self._suspect = (sequence_number + 1) & 0xFFFF
            return None
        return self._restart(sequence_number)

    def place(self, sequence_number: int) -> int | None:
        """`sequence_number` of a retransmission, extended; it never is a restart. None before the first packet."""
        return None if self.highest is None else unwrap16(sequence_number, self.highest)

    def _restart(self, sequence_number: int) -> int:
        self.restarts += 1
        self._suspect = None
        self.highest = self._first = (self.highest or 0) // 0x10000 * 0x10000 + 0x10000 + sequence_number
        self.received = self._expected_prior = self._received_prior = 0
        self._transit = self._first_beyond = None
        return self.highest

    def on_packet(self, timestamp: int, arrival_s: float) -> None:
        """Count a packet that came on its own SSRC, for loss and jitter."""
        self.received += 1
        if self._transit is not None:
            last_arrival_s, last_timestamp = self._transit
            spread = (arrival_s - last_arrival_s) * self._clock_rate_hz - delta32(timestamp, last_timestamp)
            self._jitter_rtp_ticks += (abs(spread) - self._jitter_rtp_ticks) / 16
        self._transit = (arrival_s, timestamp)

    def on_sender_report(self, report: SenderReport, arrival_s: float) -> None:
        """Remember the report, for LSR and DLSR, and what it says of packets of which nothing came."""
        # FFmpeg's first one comes before its first packet, and is looked at after it: it has nothing to compare.
        if self.highest is not None and report.packet_count:
            beyond = (report.packet_count - self.highest) & 0xFFFFFFFF
            self._first_beyond = beyond if self._first_beyond is None else self._first_beyond
            self.unseen = max(delta32(beyond, self._first_beyond), 0)
        self._last_sr = (ntp_middle32(report.ntp_timestamp), arrival_s)

    @property
    def packets_lost(self) -> int:
        """Expected minus received since the first; retransmissions on an RTX SSRC do not count as received."""
        return 0 if self.highest is None else self.highest - self._first + 1 - self.received

    def report_block(self, now_s: float) -> ReportBlock | None:
        """What a receiver report says of this SSRC; None before its first packet. Begins a new interval."""
        if self.highest is None:
            return None
        last_sr, arrival_s = self._last_sr or (0, now_s)
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=self._interval_loss(),
            packets_lost=min(max(self.packets_lost, -0x800000), 0x7FFFFF),
            highest_sequence_number=(self.highest - 0x10000) & 0xFFFFFFFF,
            jitter_rtp_ticks=int(self._jitter_rtp_ticks) & 0xFFFFFFFF,
            last_sr=last_sr,
            delay_since_last_sr=middle32_from_seconds(now_s - arrival_s) if last_sr else 0,
        )

    def _interval_loss(self) -> int:
        assert self.highest is not None
        expected = self.highest - self._first + 1
        expected_now = expected - self._expected_prior
        lost_now = expected_now - (self.received - self._received_prior)
        self._expected_prior, self._received_prior = expected, self.received
        return min(lost_now * 256 // expected_now, 255) if expected_now > 0 and lost_now > 0 else 0
