"""What browsers report: taken as often as asked for, believed as far as it can be."""

import pytest
from prometheus_client import CollectorRegistry

from gateway.config import SignalSettings
from gateway.metrics import FAMILIES, Histograms
from gateway.signals.messages import Report
from gateway.signals.reports import (
    COUNTED_FRAME_RATE,
    COUNTED_FREEZE_RATE,
    MAX_FRAME_RATE,
    MAX_FREEZE_RATE,
    PlayerFigures,
    Reporter,
    Reports,
)

REPORT = Report("webrtc", 5.0, 150, 3, 1, 0.5, 0.04, 0.03, 0.2, 1000, 10)
REPORT_S = SignalSettings().report_s


class Desk:
    """Reports of a stream, by one player."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reports = Reports(SignalSettings(), Histograms(self.registry))
        self.reporter = Reporter(0.0)

    def take(self, report: Report = REPORT, now_s: float = 5.0, stream: str = "table") -> None:
        self.reports.take(stream, report, self.reporter, now_s)

    def histogram(self, name: str, **labels: str) -> tuple[float | None, float | None]:
        """(count, sum)"""
        read = self.registry.get_sample_value
        return read(f"{name}_count", labels), read(f"{name}_sum", labels)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_reports_are_summed_a_protocol(desk: Desk) -> None:
    desk.take()
    desk.take(now_s=10.0)
    desk.take(Report("hls", 4.0, 100, 0, 0, 0.0), now_s=15.0)
    assert desk.reports.figures("table") == {
        "webrtc": PlayerFigures(2, 300, 6, 2, 1.0, 10.0, 2 * (5.0 * 3 / 153), 2000, 20),
        "hls": PlayerFigures(1, 100, 0, 0, 0.0, 4.0),
    }
    assert desk.reports.figures("other") == {}
    assert desk.reports.states == {("table", "taken"): 3}


def test_distributions_have_what_the_browser_had(desk: Desk) -> None:
    desk.take()
    desk.take(Report("webrtc", 5.0, 150, 0, 0, 0.0), now_s=10.0)
    of_stream = {"stream": "table", "protocol": "webrtc"}
    assert desk.histogram("railbird_player_rtt_seconds", **of_stream) == (1, 0.03)
    assert desk.histogram("railbird_player_delay_seconds", **of_stream) == (1, 0.2)
    assert desk.histogram("railbird_player_jitter_buffer_seconds", stream="table") == (1, 0.04)


def test_report_that_comes_too_often_is_not_taken(desk: Desk) -> None:
    desk.take(now_s=5.0)
    desk.take(now_s=5.0 + REPORT_S / 2 - 0.01)
    assert desk.reports.states == {("table", "taken"): 1, ("table", "too_often"): 1}
    assert desk.reports.figures("table")["webrtc"].reports == 1
    desk.take(now_s=5.0 + REPORT_S / 2)
    assert desk.reports.states["table", "taken"] == 2


def test_report_over_more_time_than_there_was_is_not_taken(desk: Desk) -> None:
    desk.take(Report("webrtc", 5.0 + 2 * REPORT_S, 0, 0, 0, 0.0), now_s=5.0)
    desk.take(Report("webrtc", REPORT_S + 2 * REPORT_S + 0.1, 0, 0, 0, 0.0), now_s=5.0 + REPORT_S)
    assert desk.reports.states == {("table", "taken"): 1, ("table", "implausible"): 1}


def test_report_of_more_frames_than_a_browser_shows_is_not_taken(desk: Desk) -> None:
    most = int(MAX_FRAME_RATE * 5)
    desk.take(Report("webrtc", 5.0, most, 1, 0, 0.0))
    assert desk.reports.states == {("table", "implausible"): 1}
    desk.take(Report("webrtc", 5.0, most - 1, 1, 0, 0.0))
    assert desk.reports.states["table", "taken"] == 1


def test_report_of_longer_freezes_than_there_was_time_is_not_taken(desk: Desk) -> None:
    desk.take(Report("webrtc", 5.0, 0, 0, 1, 600.0), now_s=5.0)
    assert desk.reports.states == {("table", "implausible"): 1}
    desk.take(Report("webrtc", 5.0, 0, 0, 1, 5.0 + 2 * REPORT_S), now_s=5.0)
    assert desk.reports.states["table", "taken"] == 1


def test_freeze_that_lasted_over_several_reports_is_taken_once(desk: Desk) -> None:
    """Browsers count it when it ends."""
    for now_s in range(5, 65, 5):
        desk.take(Report("webrtc", 5.0, 0, 0, 0, 0.0), now_s=now_s)
    desk.take(Report("webrtc", 5.0, 0, 0, 1, 60.0), now_s=65.0)
    desk.take(Report("webrtc", 5.0, 0, 0, 1, 60.0), now_s=70.0)
    assert desk.reports.states == {("table", "taken"): 13, ("table", "implausible"): 1}


def test_freeze_that_is_longer_than_its_report_counts_over_the_next_ones_too(desk: Desk) -> None:
    for now_s in range(5, 25, 5):
        desk.take(Report("webrtc", 5.0, 0, 0, 0, 0.0), now_s=now_s)
    frozen_s = []
    for now_s, reported_s in ((25, 12.0), (30, 0.0), (35, 1.0), (40, 0.0)):
        desk.take(Report("webrtc", 5.0, 100, 0, 0, reported_s), now_s=now_s)
        frozen_s.append(desk.reports.figures("table")["webrtc"].frozen_s)
    assert frozen_s == [5.0, 10.0, 13.0, 13.0]


def test_report_counts_for_no_more_time_than_has_passed(desk: Desk) -> None:
    desk.take(Report("webrtc", 5.0 + 2 * REPORT_S, 150, 150, 1, 5.0 + REPORT_S), now_s=5.0)
    figures = desk.reports.figures("table")["webrtc"]
    assert (figures.watched_s, figures.frozen_s, figures.dropped_s) == (5.0, 5.0, 2.5)


def test_frames_beyond_what_studios_send_count_as_the_share_that_was_dropped(desk: Desk) -> None:
    """Of a hundred players at 30 frames a second one that says 240 were dropped would be 7 % of all frames."""
    desk.take(Report("webrtc", 5.0 + REPORT_S, 1200, 400, 0, 0.0), now_s=5.0)
    figures = desk.reports.figures("table")["webrtc"]
    assert (figures.frames_decoded, figures.frames_dropped) == (225, 75)
    assert COUNTED_FRAME_RATE * 5.0 == 225 + 75


def test_freezes_count_once_a_second(desk: Desk) -> None:
    desk.take(Report("webrtc", 5.0, 0, 0, 50, 1.0), now_s=5.0)
    assert desk.reports.figures("table")["webrtc"].freezes == 5 * COUNTED_FREEZE_RATE


def test_freezes_are_held_against_all_the_time_that_there_was_and_that_had_no_picture(desk: Desk) -> None:
    for now_s in range(5, 605, 5):
        desk.take(Report("webrtc", 5.0, 150, 0, 0, 0.0), now_s=now_s)
    desk.take(Report("webrtc", 5.0, 150, 0, 1, 5.0 + 5.0 + 2 * REPORT_S + 0.1), now_s=605.0)
    assert desk.reports.states["table", "implausible"] == 1
    for now_s in range(605, 1205, 5):
        desk.take(Report("webrtc", 5.0, 150, 0, 1, 20.0), now_s=now_s)
    assert desk.reports.figures("table")["webrtc"].frozen_s <= 600.0 + 5.0 + 2 * REPORT_S


def test_report_of_more_freezes_than_can_be_in_its_time_is_not_taken(desk: Desk) -> None:
    most = int(MAX_FREEZE_RATE * 5)
    desk.take(Report("webrtc", 5.0, 0, 0, most + 1, 1.0))
    assert desk.reports.states == {("table", "implausible"): 1}
    desk.take(Report("webrtc", 5.0, 0, 0, most, 1.0))
    assert desk.reports.states["table", "taken"] == 1


def test_stream_that_is_gone_is_forgotten(desk: Desk) -> None:
    desk.take()
    desk.take(now_s=10.0, stream="other")
    desk.reports.forget("table")
    assert desk.reports.figures("table") == {}
    assert desk.reports.states == {("other", "taken"): 1}
    assert {labels[0] for _, labels, _ in desk.reports.samples()} == {"other"}


def test_samples_have_the_labels_of_their_families(desk: Desk) -> None:
    desk.take()
    desk.take(Report("hls", 4.0, 100, 2, 0, 0.0), now_s=10.0)
    samples = {(name, *labels): value for name, labels, value in desk.reports.samples()}
    assert samples == {
        ("railbird_player_reports_total", "table", "taken"): 2,
        ("railbird_frames_dropped_total", "table", "player", "browser"): 5,
        ("railbird_player_frames_total", "table", "webrtc"): 150,
        ("railbird_player_freezes_total", "table", "webrtc"): 1,
        ("railbird_player_frozen_seconds_total", "table", "webrtc"): 0.5,
        ("railbird_player_watched_seconds_total", "table", "webrtc"): 5.0,
        ("railbird_player_frames_total", "table", "hls"): 100,
        ("railbird_player_freezes_total", "table", "hls"): 0,
        ("railbird_player_frozen_seconds_total", "table", "hls"): 0.0,
        ("railbird_player_watched_seconds_total", "table", "hls"): 4.0,
    }
    assert all(len(labels) == len(FAMILIES[name].labels) for name, *labels in samples)


def test_frames_that_browsers_dropped_are_counted_from_nothing_at_streams_that_there_are() -> None:
    told = list(Desk().reports.samples(["table"]))
    assert told == [("railbird_frames_dropped_total", ("table", "player", "browser"), 0)]
