"""The bench's loss is counted as RFC 3550 counts it."""

import pytest

from loadgen.players.holes import MAX_HOLES
from tests.bench.reception import Reception

SSRC = 0x1111


def _looked_at(*sequence_numbers: int, interval_s: float = 0.001) -> Reception:
    reception = Reception()
    for order, sequence_number in enumerate(sequence_numbers):
        reception.on_packet(SSRC, sequence_number, order * interval_s)
    return reception


@pytest.mark.parametrize(
    ("sequence_numbers", "expected", "lost"),
    [
        ((65534, 65535, 0, 1), 4, 0),
        ((65534, 1), 4, 2),
        ((10, 12, 11), 3, 0),
        ((10, 12, 13, 15), 6, 2),
    ],
)
def test_packets_missing_and_late(sequence_numbers: tuple[int, ...], expected: int, lost: int) -> None:
    reception = _looked_at(*sequence_numbers)
    assert reception.tracks[SSRC].expected_packets == expected
    assert reception.lost == lost


def test_packet_that_comes_after_long_is_not_lost() -> None:
    assert _looked_at(10, 12, 13, 11, interval_s=1.0).lost == 0


def test_packets_after_a_loss_are_taken_without_a_closer_look() -> None:
    reception = _looked_at(10, 12, 13, interval_s=1.0)
    assert reception.tracks[SSRC].expected == 14


def test_leap_that_no_retransmission_repairs_is_lost() -> None:
    assert _looked_at(10, 12 + MAX_HOLES, 13 + MAX_HOLES).lost == 1 + MAX_HOLES


def test_packets_that_were_skipped_are_not_lost() -> None:
    reception = Reception()
    for sequence_number in (65530, 65535, 3):
        reception.skip_to(SSRC, sequence_number)
    track = reception.tracks[SSRC]
    assert (track.highest, track.expected_packets, reception.lost) == (0x1_0003, 10, 0)
