"""A run's history: exact sums, bounded memory."""

import dataclasses
from collections import Counter

import pytest

from loadgen.distribution import Distribution
from loadgen.figures import DISTRIBUTIONS, GatewaySample, Interval, MediaCounts, SessionFigures
from loadgen.run import history as history_module
from loadgen.run.history import History
from tests.loadgen.results import MadeUpRun


def _session(
    longest_gap_s: float = 0.1, first_frame_s: float | None = 0.2, group: str = "viewers", frames: int = 0
) -> SessionFigures:
    return SessionFigures(
        stream="table",
        group=group,
        started_s=0.0,
        join_s=0.05,
        first_frame_s=first_frame_s,
        media=MediaCounts(frames_complete=frames),
        longest_gap_s=longest_gap_s,
    )


def _made_up(seconds: int) -> list[Interval]:
    return MadeUpRun(seconds=seconds, viewers=40).result().intervals


def _sum(intervals: list[Interval]) -> MediaCounts:
    total = MediaCounts()
    for interval in intervals:
        total.add(interval.all_media)
    return total


def _of(intervals: list[Interval]) -> History:
    history = History()
    for interval in intervals:
        history.add(interval, [])
    return history


def _assert_same_sums(totals: MediaCounts, expected: MediaCounts) -> None:
    assert dataclasses.asdict(totals) == pytest.approx(dataclasses.asdict(expected), rel=1e-9)


def test_totals_are_the_sums_of_all_intervals() -> None:
    intervals = _made_up(20)
    totals = _of(intervals).totals
    _assert_same_sums(totals.all_media, _sum(intervals))
    assert totals.joins == sum(interval.joins for interval in intervals) == 40
    assert totals.join_failures == Counter({"http_503": 2})
    assert totals.peak_viewers == 40
    assert totals.generator.received_packets == sum(each.generator.received_packets for each in intervals)
    assert totals.generator.busiest_share == max(each.generator.busiest_share for each in intervals)
    assert totals.studios["table-1"].frames == 20 * 30
    for name in set(DISTRIBUTIONS) - {"gap_s"}:
        assert totals.distributions[name].count == sum(getattr(each, name).count for each in intervals)


def test_totals_leave_the_intervals_as_they_were() -> None:
    history = History()
    first = Interval(at_s=1.0, seconds=1.0, media={"table": MediaCounts(packets=5)}, join_s=Distribution([0.1]))
    second = Interval(at_s=2.0, seconds=1.0, media={"table": MediaCounts(packets=7)}, join_s=Distribution([0.2]))
    for interval in (first, second):
        history.add(interval, [])
    assert history.totals.all_media.packets == 12
    assert history.totals.distributions["join_s"].count == 2
    assert [each.all_media.packets for each in history.intervals] == [5, 7]
    assert [each.join_s.count for each in history.intervals] == [1, 1]


def test_gaps_are_of_sessions_that_saw_something() -> None:
    history = History()
    interval = Interval(at_s=1.0, seconds=1.0, gap_s=Distribution([9.0]))
    history.add(interval, [_session(0.5), _session(0.0, first_frame_s=None)])
    gaps = history.totals.distributions["gap_s"]
    assert (gaps.count, gaps.largest) == (1, 0.5)


def test_sessions_are_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MAX_SESSIONS_KEPT", 5)
    history = History()
    for number in range(4):
        history.add(Interval(at_s=1.0, seconds=1.0), [_session(number + 0.1), _session(number + 0.2)])
    assert [session.longest_gap_s for session in history.sessions] == [0.1, 0.2, 1.1, 1.2, 2.1]
    assert history.sessions_ended == 8
    assert history.totals.distributions["gap_s"].count == 8


def test_groups_are_of_all_sessions_and_not_of_those_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MAX_SESSIONS_KEPT", 1)
    history = History()
    for second in (1.0, 2.0):
        ended = [_session(second, group="seated", frames=10), _session(9.0, group="late", frames=1)]
        history.add(Interval(at_s=second, seconds=1.0), ended)
    assert len(history.sessions) == 1
    groups = history.totals.groups
    assert {name: (group.sessions, group.media.frames_complete) for name, group in groups.items()} == {
        "seated": (2, 20),
        "late": (2, 2),
    }
    assert groups["seated"].distributions["gap_s"].largest == 2.0
    assert history.sessions[0].media.frames_complete == 10, "the session stays as it was"


def test_long_run_is_folded_and_its_sums_stay_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MAX_INTERVALS", 8)
    intervals = _made_up(75)
    history = History()
    for interval in intervals:
        history.add(interval, [])
        assert len(history.intervals) < 8
    folded = history.all_intervals()
    assert len(folded) == 5, "75 seconds by 16, the last of 11"
    assert [interval.at_s for interval in folded] == [16.0, 32.0, 48.0, 64.0, 75.0]
    assert [interval.seconds for interval in folded] == [16.0, 16.0, 16.0, 16.0, 11.0]
    _assert_same_sums(_sum(folded), _sum(intervals))
    _assert_same_sums(history.totals.all_media, _sum(intervals))
    assert sum(each.joins for each in folded) == sum(each.joins for each in intervals)
    assert sum((each.join_failures for each in folded), Counter()) == Counter({"http_503": 2})
    assert sum(each.delay_s.count for each in folded) == sum(each.delay_s.count for each in intervals)


def test_folded_states_are_the_highest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MAX_INTERVALS", 2)
    history = History()
    history.add(Interval(1.0, 1.0, viewers=5, joining=3, gateway=GatewaySample(0.5, None)), [])
    history.add(Interval(2.0, 1.0, viewers=9, joining=1, gateway=GatewaySample(None, None)), [])
    (folded,) = history.intervals
    assert (folded.viewers, folded.joining) == (9, 3)
    assert folded.gateway == GatewaySample(0.5, None)
    assert history.totals.peak_viewers == 9


def test_pending_intervals_are_told_though_not_folded_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MAX_INTERVALS", 2)
    history = _of([Interval(float(second), 1.0, joins=1) for second in range(1, 6)])
    assert [(each.at_s, each.joins) for each in history.all_intervals()] == [(4.0, 4), (5.0, 1)]
    assert [(each.at_s, each.joins) for each in history.all_intervals()] == [(4.0, 4), (5.0, 1)], (
        "asking changes nothing"
    )


def test_moves_and_edges_are_added_up() -> None:
    history = History()
    for _ in range(2):
        interval = Interval(at_s=1.0, seconds=1.0)
        interval.moved["a"] = interval.joins_at["http://a"] = interval.moves_refused["no_url"] = 1
        interval.closed_untold = 3
        interval.move_s.add(0.5)
        history.add(interval, [])
    totals = history.totals
    assert (totals.moved, totals.joins_at, totals.moves_refused) == ({"a": 2}, {"http://a": 2}, {"no_url": 2})
    assert totals.distributions["move_s"].count == 2
    assert (totals.closed_untold, totals.back_lost) == (6, 6)
