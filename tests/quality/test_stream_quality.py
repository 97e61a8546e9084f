"""One stream: counters that only grow become windows, scores and plots."""

import pytest

from gateway.quality.stream_quality import COLUMNS, StreamQuality, Watching
from tests.quality.streams import NOBODY, watched_by


def test_only_what_has_grown_since_the_first_look_counts() -> None:
    quality = StreamQuality({"ingest_frames": 1000, "ingest_dropped": 500}, 0.0)
    quality.sample({"ingest_frames": 1030, "ingest_dropped": 501}, NOBODY, 1.0)
    total = quality.total("1m")
    assert (total.ingest_frames, total.ingest_dropped, total.window_ms) == (30, 1, 1000)
    assert quality.frames_due == {"ingest": 31, "egress": 0, "player": 0}


def test_counter_that_falls_and_comes_back_is_not_counted_again() -> None:
    quality = StreamQuality({"ingest_dropped": 100}, 0.0)
    quality.sample({"ingest_dropped": 0}, NOBODY, 1.0)
    quality.sample({"ingest_dropped": 103}, NOBODY, 2.0)
    assert quality.total("1m").ingest_dropped == 3


def test_counter_that_begins_later_counts_from_nothing() -> None:
    quality = StreamQuality({}, 0.0)
    quality.sample({"player_frames": 125}, NOBODY, 1.0)
    assert quality.total("1m").player_frames == 125


def test_frames_are_due_to_each_viewer_and_once_to_the_packager() -> None:
    quality = StreamQuality({}, 0.0)
    quality.sample({"ingest_frames": 30}, watched_by(4, hls=200), 1.0)
    assert quality.total("1m").egress_frames == 30 * 5
    assert quality.total("1m").viewers == 204


def test_frames_that_were_dropped_were_due() -> None:
    quality = StreamQuality({}, 0.0)
    quality.sample({"egress_dropped": 90}, NOBODY, 1.0)
    assert quality.total("1m").dropped_by_leg["egress"] == 1


def test_seconds_without_a_frame_are_still_while_somebody_watches() -> None:
    quality = StreamQuality({}, 0.0)
    quality.sample({"ingest_frames": 30}, watched_by(1), 1.0)
    quality.sample({"ingest_frames": 30}, watched_by(1), 2.0)
    quality.sample({"ingest_frames": 30}, NOBODY, 3.0)
    total = quality.total("1m")
    assert (total.attended_ms, total.still_ms, total.frozen_share) == (2000, 1000, 0.5)


def test_stream_without_video_does_not_stand_still() -> None:
    quality = StreamQuality({}, 0.0)
    listened_to = Watching(webrtc=1, hls=0, is_packaged=False, has_video=False, bitrate_bps=1e4)
    quality.sample({}, listened_to, 1.0)
    assert quality.total("1m").frozen_share is None


def test_round_trips_go_into_the_next_sample() -> None:
    quality = StreamQuality({}, 0.0)
    quality.rtt.add(0.3)
    quality.sample({}, NOBODY, 1.0)
    quality.sample({}, NOBODY, 2.0)
    assert quality.total("1m").rtt.count == 1
    assert quality.score("1m").worst is not None


def test_point_says_what_was_measured_since_the_last() -> None:
    quality = StreamQuality({}, 0.0)
    for second in range(1, 11):
        quality.rtt.add(0.05 if second <= 5 else 0.1)
        quality.sample({"ingest_dropped": second * 2, "ingest_frames": second * 30}, watched_by(3, hls=5), second)
        if second % 5 == 0:
            quality.add_point(second, 1000.0 + second, watched_by(3, hls=5))
    report = quality.history.report()
    assert tuple(report) == ("at_unix_s", *COLUMNS)
    assert report["at_unix_s"] == [1005.0, 1010.0]
    assert report["dropped_ingest_per_s"] == [2.0, 2.0]
    assert report["rtt_p50_ms"] == [pytest.approx(50, rel=0.01), pytest.approx(100, rel=0.01)]
    assert (report["viewers_webrtc"], report["viewers_hls"]) == ([3, 3], [5, 5])
    assert report["bitrate_bps"] == [1_000_000, 1_000_000]


def test_longer_windows_take_in_what_the_shortest_has_with_each_point() -> None:
    quality = StreamQuality({}, 0.0)
    for second in range(1, 6):
        quality.sample({"ingest_frames": 30 * second}, NOBODY, second)
    assert [quality.total(window).ingest_frames for window in ("1m", "5m", "1h")] == [150, 0, 0]
    assert quality.score("1h").points is None
    quality.add_point(5.0, 5.0, NOBODY)
    assert [quality.total(window).ingest_frames for window in ("1m", "5m", "1h")] == [150, 150, 150]
    assert quality.score("1h").points == 100


def test_point_without_data_has_none() -> None:
    quality = StreamQuality({}, 0.0)
    quality.sample({}, NOBODY, 1.0)
    quality.add_point(1.0, 1.0, NOBODY)
    report = quality.history.report()
    assert (report["score"], report["rtt_p95_ms"]) == ([None], [None])
