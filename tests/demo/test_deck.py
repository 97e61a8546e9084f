"""What cards count."""

import pytest

from gateway.demo.deck import RANKS, SUITS, Card


@pytest.mark.parametrize(("name", "points"), [("A", 1), ("2", 2), ("9", 9), ("10", 0), ("J", 0), ("K", 0)])
def test_card_counts_as_at_baccarat(name: str, points: int) -> None:
    assert [Card(RANKS.index(name), suit).points for suit in SUITS] == [points] * 4
