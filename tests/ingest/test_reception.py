"""Reception of an SSRC against a plain translation of RFC 3550's appendices A.1, A.3 and A.8."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.reception import MAX_DROPOUT, Reception
from gateway.wire.rtcp import ReportBlock, SenderReport

CLOCK_RATE_HZ = 90_000
SSRC = 0xABCDEF


@dataclass
class Appendix:
    """Appendix A of RFC 3550 without probation, in its own names and with 32-bit integers."""

    base_seq: int = 0
    max_seq: int = 0
    cycles: int = 0
    received: int = 0
    expected_prior: int = 0
    received_prior: int = 0
    transit: int | None = None
    jitter: float = 0.0
    seen: list[int] = field(default_factory=list)

    def update_seq(self, seq: int) -> None:
        if not self.seen:
            self.base_seq = self.max_seq = seq
        else:
            udelta = (seq - self.max_seq) & 0xFFFF
            if udelta < MAX_DROPOUT:
                if seq < self.max_seq:
                    self.cycles += 0x10000
                self.max_seq = seq
        self.seen.append(seq)
        self.received += 1

    def update_jitter(self, rtp_timestamp: int, arrival_ticks: int) -> None:
        transit = (arrival_ticks - rtp_timestamp) & 0xFFFFFFFF
        if self.transit is not None:
            d = (transit - self.transit) & 0xFFFFFFFF
            d = min(d, (1 << 32) - d)
            self.jitter += (d - self.jitter) / 16
        self.transit = transit

    def report(self) -> tuple[int, int, int]:
        """(extended highest, cumulative lost, fraction lost)."""
        extended_max = self.cycles + self.max_seq
        expected = extended_max - self.base_seq + 1
        expected_interval = expected - self.expected_prior
        received_interval = self.received - self.received_prior
        self.expected_prior, self.received_prior = expected, self.received
        lost_interval = expected_interval - received_interval
        fraction = 0 if expected_interval == 0 or lost_interval <= 0 else (lost_interval << 8) // expected_interval
        return extended_max, expected - self.received, min(fraction, 255)


def receive(reception: Reception, sequence_number: int, timestamp: int = 0, arrival_s: float = 0.0) -> int | None:
    """One packet, as a publisher's track takes it in."""
    extended = reception.extend(sequence_number)
    if extended is not None:
        reception.on_packet(timestamp, arrival_s)
    return extended


def reception_of(*sequence_numbers: int) -> Reception:
    reception = Reception(SSRC, CLOCK_RATE_HZ)
    for number in sequence_numbers:
        receive(reception, number)
    return reception


def block_of(reception: Reception, now_s: float = 0.0) -> ReportBlock:
    block = reception.report_block(now_s)
    assert block is not None
    return block


# Numbers


def test_extended_numbers_keep_order_over_the_wrap() -> None:
    reception = Reception(SSRC, CLOCK_RATE_HZ)
    extended = [reception.extend(number) for number in (65534, 65535, 0, 1, 65535, 2)]
    first = extended[0]
    assert first is not None
    assert [each - first for each in extended if each is not None] == [0, 1, 2, 3, 1, 4]


def test_packet_reordered_before_the_first_has_a_positive_number() -> None:
    reception = Reception(SSRC, CLOCK_RATE_HZ)
    reception.extend(1)
    before = reception.extend(65535)
    assert before is not None
    assert before > 0


def test_low_sixteen_bits_are_the_sequence_number() -> None:
    reception = reception_of(65530)
    for number in (65535, 3, 7, 2):
        extended = reception.extend(number)
        assert extended is not None
        assert extended & 0xFFFF == number


@pytest.mark.parametrize("jump", [MAX_DROPOUT + 1, 30_000, -MAX_DROPOUT - 2])
def test_jump_is_a_restart_when_the_next_packet_confirms_it(jump: int) -> None:
    reception = reception_of(20_000)
    highest = reception.highest
    assert highest is not None
    assert receive(reception, 20_000 + jump) is None
    restarted = receive(reception, 20_001 + jump)
    assert restarted is not None
    assert restarted > highest
    assert restarted & 0xFFFF == 20_001 + jump
    assert reception.restarts == 1


@pytest.mark.parametrize("jump", [MAX_DROPOUT, -MAX_DROPOUT])
def test_jump_within_the_dropout_is_loss_or_reordering(jump: int) -> None:
    reception = reception_of(20_000)
    assert receive(reception, 20_000 + jump) is not None
    assert reception.restarts == 0


def test_retransmission_before_the_first_packet_has_no_place() -> None:
    assert Reception(SSRC, CLOCK_RATE_HZ).place(5) is None


def test_retransmission_has_its_place_and_is_no_restart() -> None:
    reception = reception_of(65_535, 0, 1)
    highest = reception.highest
    assert highest is not None
    assert reception.place(65_535) == highest - 2
    assert reception.place((1 - MAX_DROPOUT - 5) & 0xFFFF) == highest - MAX_DROPOUT - 5
    assert (reception.highest, reception.restarts, reception.received) == (highest, 0, 3)


def test_stray_packet_changes_nothing() -> None:
    reception = reception_of(20_000, 20_001)
    assert receive(reception, 50_000) is None
    assert receive(reception, 20_002) is not None
    assert receive(reception, 50_001) is None
    assert (reception.restarts, reception.packets_lost, reception.received) == (0, 0, 3)


def test_restart_begins_the_counts_anew() -> None:
    reception = reception_of(100, 105)
    assert reception.packets_lost == 4
    receive(reception, 40_000)
    receive(reception, 40_001)
    assert (reception.received, reception.packets_lost) == (1, 0)
    receive(reception, 40_003)
    assert reception.packets_lost == 1


# Reports


def test_report_before_the_first_packet_is_none() -> None:
    assert Reception(SSRC, CLOCK_RATE_HZ).report_block(0.0) is None


def test_report_names_the_highest_number_without_our_offset() -> None:
    assert block_of(reception_of(5, 6)).highest_sequence_number == 6
    assert block_of(reception_of(65535, 0)).highest_sequence_number == 0x10000


def test_fraction_lost_is_of_the_interval() -> None:
    reception = reception_of(0, 1, 2, 4)
    assert block_of(reception).fraction_lost == 256 // 5
    for number in (5, 6, 7, 8):
        receive(reception, number)
    block = block_of(reception)
    assert (block.fraction_lost, block.packets_lost) == (0, 1)


def test_fraction_lost_of_nearly_everything_is_255() -> None:
    reception = reception_of(0)
    block_of(reception)
    receive(reception, 2900)
    assert block_of(reception).fraction_lost == 255


def test_fraction_lost_without_new_packets_is_zero() -> None:
    reception = reception_of(0, 9)
    block_of(reception)
    assert block_of(reception).fraction_lost == 0


def test_duplicates_make_the_loss_negative() -> None:
    block = block_of(reception_of(0, 1, 1, 1))
    assert (block.packets_lost, block.fraction_lost) == (-2, 0)


def test_last_report_before_any_is_zero() -> None:
    block = block_of(reception_of(0), now_s=99.0)
    assert (block.last_sr, block.delay_since_last_sr) == (0, 0)


def test_last_report_is_named_with_the_delay_since() -> None:
    reception = reception_of(0)
    reception.on_sender_report(SenderReport(SSRC, 0x1122_3344_5566_7788, 0, 0, 0), 10.0)
    block = block_of(reception, now_s=10.5)
    assert (block.ssrc, block.last_sr, block.delay_since_last_sr) == (SSRC, 0x3344_5566, 32768)


def unseen_after(reception: Reception, packet_count: int) -> int:
    reception.on_sender_report(SenderReport(SSRC, 1, 0, packet_count & 0xFFFFFFFF, 0), 10.0)
    return reception.unseen


def test_packets_that_a_report_counts_and_that_never_came_are_unseen() -> None:
    reception = reception_of(10, 11, 12)
    assert unseen_after(reception, 1003) == 0
    assert unseen_after(reception, 1003) == 0
    assert unseen_after(reception, 1043) == 40
    receive(reception, 52, 0, 2.0)
    assert unseen_after(reception, 1043) == 0


def test_report_from_before_the_first_packet_is_no_beginning() -> None:
    reception = reception_of(10)
    unseen_after(reception, 0)
    receive(reception, 11, 0, 2.0)
    assert unseen_after(reception, 2) == 0
    assert unseen_after(reception, 5) == 3


def test_unseen_packets_are_counted_over_the_wrap_of_the_sender() -> None:
    reception = reception_of(10)
    assert unseen_after(reception, 0xFFFFFFFE) == 0
    assert unseen_after(reception, 3) == 5


def test_report_that_was_overtaken_leaves_nothing_unseen() -> None:
    reception = reception_of(10)
    unseen_after(reception, 100)
    receive(reception, 15, 0, 2.0)
    assert unseen_after(reception, 102) == 0


def test_numbers_that_begin_anew_leave_nothing_unseen() -> None:
    reception = reception_of(10, 11)
    unseen_after(reception, 2)
    for sequence_number in (40_000, 40_001):
        reception.extend(sequence_number)
    assert reception.restarts == 1
    assert unseen_after(reception, 4) == 0


def test_jitter_of_an_even_stream_is_none() -> None:
    reception = Reception(SSRC, CLOCK_RATE_HZ)
    for frame in range(100):
        receive(reception, frame, 3000 * frame, frame / 30)
    assert block_of(reception).jitter_rtp_ticks == 0


def test_jitter_grows_to_the_spread() -> None:
    reception = Reception(SSRC, CLOCK_RATE_HZ)
    for frame in range(300):
        receive(reception, frame, 3000 * frame, frame / 30 + (0.01 if frame % 2 else 0.0))
    assert block_of(reception).jitter_rtp_ticks == pytest.approx(900, abs=2)


steps = st.lists(
    st.tuples(
        st.integers(-20, 60).filter(bool),  # step of the sequence number
        st.integers(0, 6000),  # step of the timestamp
        st.floats(0, 0.2),  # time until the arrival
        st.booleans(),  # whether a report is due after it
    ),
    max_size=80,
)


@given(first=st.integers(100, 0xFFFF), first_timestamp=st.integers(0, 0xFFFFFFFF), plan=steps)
def test_reports_agree_with_the_appendix(
    first: int, first_timestamp: int, plan: list[tuple[int, int, float, bool]]
) -> None:
    reception, appendix = Reception(SSRC, CLOCK_RATE_HZ), Appendix()
    number, timestamp, arrival_s = first, first_timestamp, 0.0
    for step, timestamp_step, pause_s, reports in [(0, 0, 0.0, True), *plan]:
        number, timestamp = (number + step) & 0xFFFF, (timestamp + timestamp_step) & 0xFFFFFFFF
        arrival_s += pause_s
        receive(reception, number, timestamp, arrival_s)
        appendix.update_seq(number)
        appendix.update_jitter(timestamp, round(arrival_s * CLOCK_RATE_HZ))
        if reports:
            block = block_of(reception)
            assert (block.highest_sequence_number, block.packets_lost, block.fraction_lost) == appendix.report()
            assert block.jitter_rtp_ticks == pytest.approx(appendix.jitter, abs=2)
