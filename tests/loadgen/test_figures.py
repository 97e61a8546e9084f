"""Figures of several processes and seconds, added up."""

import pytest

from loadgen.figures import (
    DISTRIBUTIONS,
    Generator,
    HlsCounts,
    Interval,
    MediaCounts,
    SessionFigures,
    StudioCounts,
)


def test_intervals_of_two_processes_are_merged() -> None:
    left = Interval(1.0, 1.0, viewers=2, joining=1, joins=3, media={"a": MediaCounts(packets=5)})
    right = Interval(1.0, 1.0, viewers=4, joins=1, media={"a": MediaCounts(packets=1), "b": MediaCounts(packets=7)})
    left.join_failures["http_503"] = right.join_failures["http_503"] = 1
    right.ended["hop"] = 2
    right.studios["a"] = StudioCounts(frames=30)
    right.hls["a"] = HlsCounts(parts=9)
    left.hls_failures["http_404"] = right.hls_failures["http_404"] = 2
    right.broken_rules["part_too_long"] = 1
    left.closed_untold, right.closed_untold = 2, 1
    left.merge(right)
    assert (left.all_hls, left.hls_failures) == (HlsCounts(parts=9), {"http_404": 4})
    assert (left.broken_rules, left.closed_untold) == ({"part_too_long": 1}, 3)
    assert (left.viewers, left.joining, left.joins) == (6, 1, 4)
    assert (left.join_failures, left.ended) == ({"http_503": 2}, {"hop": 2})
    assert {stream: counts.packets for stream, counts in left.media.items()} == {"a": 6, "b": 7}
    assert left.studios["a"].frames == 30
    assert left.all_media.packets == 13


def test_merged_interval_shares_nothing_with_the_other() -> None:
    left, right = Interval(1.0, 1.0), Interval(1.0, 1.0, media={"a": MediaCounts(packets=1)})
    right.delay_s.add(0.1)
    left.merge(right)
    left.media["a"].packets += 1
    left.delay_s.add(0.2)
    assert (right.media["a"].packets, right.delay_s.count) == (1, 1)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_every_distribution_of_an_interval_is_merged(name: str) -> None:
    left, right = Interval(1.0, 1.0), Interval(1.0, 1.0)
    getattr(right, name).add(0.25)
    left.merge(right)
    assert getattr(left, name).largest == 0.25


def test_generators_add_work_and_keep_the_worst() -> None:
    left, right = Generator(0.5, 0.5, 100, 1, 0.002), Generator(0.9, 0.9, 200, 2, 0.001)
    left.merge(right)
    assert left == Generator(1.4, 0.9, 300, 3, 0.002)


def test_session_bitrate_is_from_the_keys_to_the_end() -> None:
    session = SessionFigures("a", "g", started_s=10.0, ended_s=15.0, join_s=1.0, media=MediaCounts(bytes=1_000_000))
    assert session.bitrate_bps == 2_000_000


def test_session_bitrate_of_no_time_is_zero() -> None:
    assert SessionFigures("a", "g", started_s=10.0, ended_s=10.0).bitrate_bps == 0.0
