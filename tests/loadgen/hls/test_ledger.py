import pytest

from loadgen.figures import HlsCounts, Interval
from loadgen.hls.fetcher import Answer
from loadgen.hls.ledger import Ledger


def answer(status: int = 200, body: bytes = b"body") -> Answer:
    """That took a quarter of a second."""
    return Answer("http://h/", status, body, False, None, 10.0, 10.25)


def test_requests_are_counted_by_what_came_of_them() -> None:
    ledger, interval = Ledger(), Interval(0.0, 0.0)
    for status in (200, 404, 404):
        ledger.on_answer(answer(status))
    ledger.on_no_answer("http_timeout")
    media, counts = ledger.take(interval, "table")
    assert (counts.requests, counts.failures, media.bytes) == (4, 3, 12)
    assert interval.hls_failures == {"http_404": 2, "http_timeout": 1}
    assert interval.generator.hls_requests == 4


def test_time_of_a_request_is_to_its_last_byte() -> None:
    ledger, interval = Ledger(), Interval(0.0, 0.0)
    ledger.on_request(answer())
    ledger.on_awaited(answer(), 10.2)
    ledger.on_awaited(answer(), None)
    ledger.take(interval, "table")
    assert (interval.hls_request_s.count, interval.hls_lateness_s.count) == (1, 1)
    assert interval.hls_request_s.largest == pytest.approx(0.25)
    assert interval.hls_lateness_s.largest == pytest.approx(0.05)


def test_stall_is_a_freeze_to_who_watches() -> None:
    ledger, interval = Ledger(), Interval(0.0, 0.0)
    ledger.on_watched(3.0)
    ledger.on_stalls(2, 0.5)
    media, counts = ledger.take(interval, "table")
    assert counts == HlsCounts(stalls=2, stalled_s=0.5, watched_s=3.0)
    assert (media.freezes, media.frozen_s, media.watched_s) == (2, 0.5, 3.0)


def test_nothing_is_told_twice() -> None:
    ledger = Ledger()
    ledger.on_answer(answer(503))
    ledger.on_request(answer())
    ledger.on_playlist_error("part_too_long")
    first, second = Interval(0.0, 0.0), Interval(0.0, 0.0)
    ledger.take(first, "table")
    ledger.take(second, "table")
    assert (first.broken_rules, first.hls_request_s.count) == ({"part_too_long": 1}, 1)
    assert (second.broken_rules, second.hls_failures, second.hls_request_s.count) == ({}, {}, 0)
    assert second.all_hls == HlsCounts()
