"""When each player is to go."""

import itertools

import pytest

from gateway.signals.moving import Moving, spread


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_times_are_spread_evenly_and_in_no_order(count: int) -> None:
    times_s = list(spread(count, 3.0))
    assert len(times_s) == count
    for place, time_s in enumerate(sorted(times_s)):
        assert place * 3.0 / count <= time_s <= (place + 1) * 3.0 / count
    assert count < 100 or times_s != sorted(times_s)


def test_nobody_needs_no_time() -> None:
    assert list(spread(0, 3.0)) == []


def test_newcomer_goes_with_the_others() -> None:
    moving = Moving(103.0, itertools.cycle(["https://b.example", None]).__next__)
    early = [moving.move_of_newcomer(100.0) for _ in range(50)]
    assert all(100.0 <= move.at_s <= 103.0 for move in early)
    assert {move.to for move in early} == {"https://b.example", None}
    assert moving.move_of_newcomer(200.0).at_s == 200.0
