"""Ticks on a clock that the test holds."""

import pytest

from gateway.demo.schedule import Ticks, until_beat_s


def test_ticks_come_once_each_in_order() -> None:
    ticks = Ticks(start_s=100.0, period_s=0.02, catch_up=10)
    taken = [number for step in range(200) for number in ticks.due(100.0 + step * 0.005)]
    assert taken == list(range(50))


def test_ticks_are_due_exactly_at_next_s() -> None:
    ticks = Ticks(start_s=12345.678, period_s=1 / 30, catch_up=1)
    for expected in range(1000):
        assert list(ticks.due(ticks.next_s)) == [expected]


def test_ticks_none_before_the_start() -> None:
    ticks = Ticks(start_s=5.0, period_s=1.0, catch_up=1)
    assert list(ticks.due(4.5)) == []
    assert ticks.next_s == 5.0


@pytest.mark.parametrize(("catch_up", "expected"), [(0, [60]), (1, [59, 60]), (3, [57, 58, 59, 60])])
def test_ticks_after_a_pause_are_made_up_for_only_so_far(catch_up: int, expected: list[int]) -> None:
    ticks = Ticks(start_s=0.0, period_s=0.5, catch_up=catch_up)
    ticks.due(0.0)
    assert list(ticks.due(30.0)) == expected
    assert ticks.next_s == 30.5


@pytest.mark.parametrize(
    ("unix_s", "expected_s"),
    [
        (1_700_000_000.0, 0.002),
        (1_700_000_000.001, 0.001),
        (1_700_000_000.003, 1 / 30 - 0.001),
        (1_700_000_000.9, 0.002),
        (1_700_000_000.99, 0.012),
    ],
)
def test_beat_is_a_phase_behind_the_fractions_of_the_wall_clock(unix_s: float, expected_s: float) -> None:
    assert until_beat_s(unix_s, 30, 0.002) == pytest.approx(expected_s, abs=1e-6)
