"""Sums, added up and taken."""

from dataclasses import fields

import pytest

from loadgen.counts import BET_STATES, Counts, HlsCounts, MediaCounts, SignalCounts, StudioCounts


@pytest.mark.parametrize("kind", [MediaCounts, HlsCounts, SignalCounts, StudioCounts])
def test_counts_add_field_by_field(kind: type[Counts]) -> None:
    names = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    total = kind(**{name: place for place, name in enumerate(names)})
    total.add(kind(**dict.fromkeys(names, 100)))
    assert [getattr(total, name) for name in names] == [100 + place for place in range(len(names))]


def test_signals_have_a_sum_of_each_answer_to_a_bet() -> None:
    assert set(BET_STATES) <= set(SignalCounts.__slots__)


def test_expected_packets_are_all_that_were_sent_first() -> None:
    """Of 100 packets 5 are lost on the way, and retransmissions bring 3 of them."""
    assert MediaCounts(packets=98, retransmissions=3, lost=5, recovered=3).expected == 100


def test_counts_that_are_taken_begin_anew() -> None:
    counts = HlsCounts(parts=3, gap_s=0.5)
    assert counts.take() == HlsCounts(parts=3, gap_s=0.5)
    assert counts == HlsCounts()
