"""The bench's loss is counted as RFC 3550 counts it."""

from tests.bench.players import Sequence


def _counted(*sequence_numbers: int) -> tuple[int, int]:
    sequence = Sequence(sequence_numbers[0])
    for sequence_number in sequence_numbers[1:]:
        sequence.on_packet(sequence_number)
    return sequence.expected, sequence.received


def test_sequence_without_loss_across_the_wrap() -> None:
    assert _counted(65534, 65535, 0, 1) == (4, 4)


def test_sequence_counts_what_is_missing() -> None:
    assert _counted(65534, 1) == (4, 2)


def test_sequence_counts_what_comes_late() -> None:
    assert _counted(10, 12, 11) == (3, 3)
