import pytest

from loadgen.distribution import Distribution
from loadgen.figures import GatewaySample, Interval, MediaCounts
from loadgen.report.steps import drawable, step_of, steps, summed
from tests.loadgen.results import MadeUpRun


def _interval(at_s: float, viewers: int, cpu_share: float | None) -> Interval:
    return Interval(
        at_s=at_s,
        seconds=1.0,
        viewers=viewers,
        joins=2,
        media={"a": MediaCounts(packets=10, lost=1), "b": MediaCounts(packets=5)},
        join_s=Distribution([0.1 * at_s]),
        gateway=GatewaySample(cpu_share, None),
    )


def test_step_adds_counts_and_keeps_the_highest_level() -> None:
    step = step_of([_interval(1, 7, None), _interval(2, 9, 0.8), _interval(3, 4, 0.2)])
    assert (step.at_s, step.seconds, step.viewers, step.joins) == (3, 3.0, 9, 6)
    assert (step.media.packets, step.media.lost) == (45, 3)
    assert (step.gateway.cpu_share, step.gateway.rss_bytes) == (0.8, None)
    assert step.distributions["join_s"].count == 3
    assert step.distributions["join_s"].largest == pytest.approx(0.3)


def test_step_leaves_its_intervals_as_they_are() -> None:
    intervals = [_interval(1, 7, 0.5), _interval(2, 9, 0.8)]
    step_of(intervals)
    assert [interval.join_s.count for interval in intervals] == [1, 1]
    assert intervals[0].media["a"].packets == 10


def test_steps_of_a_short_run_are_its_intervals() -> None:
    intervals = MadeUpRun(seconds=30, viewers=20).result().intervals
    assert [step.at_s for step in steps(intervals, 600)] == [interval.at_s for interval in intervals]


def test_steps_of_a_long_run_are_few_and_lose_nothing() -> None:
    result = MadeUpRun(seconds=100, viewers=20).result()
    cut = steps(result.intervals, 30)
    assert len(cut) == 25
    assert sum(step.joins for step in cut) == result.totals.joins
    assert sum(step.media.packets for step in cut) == result.totals.all_media.packets


def test_steps_do_not_span_a_gap() -> None:
    intervals = MadeUpRun(seconds=40, viewers=20, hole=range(15, 25)).result().intervals
    cut = steps(intervals, 4)
    assert all(step.at_s - step.seconds >= 24 or step.at_s <= 14 for step in cut)
    assert sum(step.seconds for step in cut) == 30


def test_rest_of_a_run_is_not_drawn() -> None:
    cut = steps([_interval(1, 7, 0.5), Interval(at_s=1.02, seconds=0.02)], 600)
    assert [step.at_s for step in cut] == [1, 1.02]
    assert [step.at_s for step in drawable(cut)] == [1]


def test_sum_of_nothing_is_zero() -> None:
    assert summed(MediaCounts, []) == MediaCounts()
