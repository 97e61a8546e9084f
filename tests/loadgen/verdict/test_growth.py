"""A leak is told from a plateau, a ramp and a spike."""

import random

import pytest

from loadgen.figures import Interval
from loadgen.verdict.growth import MAX_SETTLING_S, MIN_STEADY_S, growth_per_s, steady_part

PER_HOUR = 1 / 3600


def intervals(*viewers: int) -> list[Interval]:
    return [Interval(float(second + 1), 1.0, viewers=count) for second, count in enumerate(viewers)]


def line(seconds: int, first: float, per_s: float) -> list[tuple[float, float]]:
    return [(float(second), first + per_s * second) for second in range(seconds)]


def test_growth_of_a_line_is_its_slope_by_its_first_value() -> None:
    assert growth_per_s(line(60, 80e6, 8e3)) == pytest.approx(0.0001)


def test_growth_of_a_level_line_is_zero() -> None:
    assert growth_per_s(line(60, 80e6, 0.0)) == 0.0


def test_growth_of_falling_memory_is_negative() -> None:
    assert growth_per_s(line(60, 80e6, -8e3)) == pytest.approx(-0.0001)


def test_growth_does_not_follow_spikes() -> None:
    source = random.Random(3)
    points = [(at_s, value + (50e6 if source.random() < 0.15 else 0)) for at_s, value in line(600, 80e6, 800.0)]
    assert growth_per_s(points) == pytest.approx(1e-5, rel=0.15)


def test_growth_over_two_days_of_seconds_is_found_at_once() -> None:
    source = random.Random(3)
    leak = 0.01 * PER_HOUR
    points = [(float(second), 80e6 * (1 + leak * second) + source.gauss(0, 1e5)) for second in range(172_800)]
    assert growth_per_s(points) == pytest.approx(leak, rel=0.05)


def test_growth_of_a_moment_is_not_known() -> None:
    assert growth_per_s(line(int(MIN_STEADY_S), 80e6, 8e3)) is None
    assert growth_per_s(line(int(MIN_STEADY_S) + 1, 80e6, 8e3)) is not None


def test_growth_of_nothing_is_not_known() -> None:
    assert growth_per_s([]) is None
    assert growth_per_s(line(60, 0.0, 8e3)) is None


def test_steady_part_is_without_ramp_settling_and_end() -> None:
    run = intervals(0, 50, 89, 90, 100, 95, 92, 100, 89, 10)
    assert [each.at_s for each in steady_part(run)] == [6.0, 7.0, 8.0]


def test_steady_part_settles_for_ten_minutes_at_most() -> None:
    run = intervals(*[100] * 2000)
    assert steady_part(run)[0].at_s == 1.0 + MAX_SETTLING_S


def test_steady_part_keeps_dips_between() -> None:
    run = intervals(*[100] * 100, *[60] * 10, *[100] * 50)
    assert len([each for each in steady_part(run) if each.viewers == 60]) == 10


def test_steady_part_of_a_run_without_viewers_is_empty() -> None:
    assert steady_part(intervals(0, 0, 0)) == []
    assert steady_part([]) == []
