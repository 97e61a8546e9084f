"""What a stream has counted, from wherever it is counted."""

from collections.abc import Callable

import pytest

from gateway.metrics import FAMILIES
from gateway.quality.counters import NETWORK_CAUSES, counters_of, reported
from gateway.rounds.causes import AbortCause
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from gateway.signals.messages import Report
from gateway.signals.reports import MAX_FRAME_RATE, MAX_FREEZE_RATE, Reporter, Reports
from qos.measurement import COUNTERS, Measurement
from qos.score import score
from tests.quality.streams import Sampled


def test_reports_are_summed_by_stream_over_protocols_and_in_milliseconds() -> None:
    samples = [
        ("railbird_player_frames_total", ("table", "webrtc"), 100),
        ("railbird_player_frames_total", ("table", "hls"), 50),
        ("railbird_player_frozen_seconds_total", ("table", "hls"), 1.25),
        ("railbird_player_watched_seconds_total", ("table", "hls"), 10.0),
        ("railbird_player_freezes_total", ("other", "webrtc"), 2),
        ("railbird_frames_dropped_total", ("table", "player", "browser"), 7),
        ("railbird_frames_dropped_total", ("table", "egress", "overload"), 9),
        ("railbird_player_reports_total", ("table", "taken"), 3),
    ]
    assert all(len(FAMILIES[name].labels) == len(labels) for name, labels, _ in samples)
    assert reported(samples) == {
        "table": {"player_frames": 150, "frozen_ms": 1250, "watched_ms": 10_000, "player_dropped": 7},
        "other": {"freezes": 2},
    }


async def test_counters_are_fields_of_a_measurement(sampled: Sampled) -> None:
    sampled.desk.studio()
    counters = counters_of(sampled.desk.stream(), sampled.desk.hub, {"table": {"player_frames": 3}})
    assert counters.keys() < set(COUNTERS)
    assert counters["player_frames"] == 3


async def test_counters_know_what_came_and_what_did_not(sampled: Sampled) -> None:
    publisher = sampled.desk.studio()
    sampled.frames(10)
    sampled.desk.rtp(publisher, 7, bytes(2000))
    stream = sampled.desk.stream()
    stream.figures.drop_frames("overload", 3)
    stream.figures.drop_frames("skipped", 2)
    sampled.desk.hub.viewing_of(stream).figures.packets_lost = 4
    counters = counters_of(stream, sampled.desk.hub, {})
    assert (counters["ingest_frames"], counters["ingest_packets"]) == (10, 10)
    assert counters["ingest_dropped"] == 1
    assert (counters["egress_dropped"], counters["egress_lost"]) == (5, 4)


async def test_counters_of_a_publisher_outlive_it(sampled: Sampled) -> None:
    publisher = sampled.desk.studio()
    sampled.desk.rtp(publisher, 7, bytes(2000))
    stream, hub = sampled.desk.stream(), sampled.desk.hub
    before = counters_of(stream, hub, {})
    publisher.session.close("left")
    assert counters_of(stream, hub, {}) == before
    assert before["ingest_dropped"] == 1


@pytest.mark.parametrize("cause", AbortCause)
async def test_aborts_count_against_the_network_by_their_cause(sampled: Sampled, cause: AbortCause) -> None:
    sampled.desk.studio()
    hub = sampled.desk.hub
    for number in range(2):
        hub.play.rounds.command("table", Command(RoundState.SCHEDULED, f"round-{number}"), 0.0)
        hub.play.rounds.abort("table", f"round-{number}", cause, {}, 0.0)
    counters = counters_of(sampled.desk.stream(), hub, {})
    assert (counters["rounds"], counters["aborts"]) == (2, 2)
    assert counters["network_aborts"] == (2 if cause in NETWORK_CAUSES else 0)


def test_what_the_studio_decides_or_breaks_itself_is_not_the_networks() -> None:
    assert set(AbortCause) - NETWORK_CAUSES == {
        AbortCause.STUDIO_REQUEST,
        AbortCause.POLICY,
        AbortCause.ENCODER_STALLED,
    }


# Players who lie

HONEST = Report("webrtc", 5.0, 150, 0, 0, 0.0)
MINUTE_S = 60.0


def _lie(reports: Reports, reporter: Reporter, interval_s: float, frozen_s: float, now_s: float) -> None:
    frames, freezes = int(MAX_FRAME_RATE * interval_s), int(MAX_FREEZE_RATE * interval_s)
    reports.take("table", Report("webrtc", interval_s, 0, frames, freezes, frozen_s), reporter, now_s)


def _lies_all_the_time(reports: Reports, before_s: float) -> None:
    reporter = Reporter(before_s)
    for number in range(1, 25):
        _lie(reports, reporter, 2.5, 2.5, before_s + number * 2.5)


def _connects_again_for_each_lie(reports: Reports, before_s: float) -> None:
    for number in range(24):
        now_s = before_s + number * 2.5
        _lie(reports, Reporter(now_s), 12.5, 12.5, now_s + 2.5)


def _saves_for_one_lie(reports: Reports, before_s: float) -> None:
    reporter = Reporter(before_s + MINUTE_S - 600.0)
    _lie(reports, reporter, 60.0, 600.0, before_s + MINUTE_S)


@pytest.mark.parametrize("lies", [_lies_all_the_time, _connects_again_for_each_lie, _saves_for_one_lie])
async def test_one_who_lies_among_a_hundred_costs_no_more_than_one_who_sees_nothing(
    sampled: Sampled, lies: Callable[[Reports, float], None]
) -> None:
    sampled.desk.studio()
    hub, before_s = sampled.desk.hub, 1000.0
    reports = hub.play.signals.reports
    for _ in range(99):
        reporter = Reporter(before_s)
        for number in range(1, 13):
            reports.take("table", HONEST, reporter, before_s + number * 5.0)
    lies(reports, before_s)
    counters = counters_of(sampled.desk.stream(), hub, reported(reports.samples()))
    measured = Measurement(window_ms=60_000)
    for name, count in counters.items():
        setattr(measured, name, count)
    lost = {each.term.name: each.lost for each in score(measured).terms if each.lost}
    # Of frames and of time 1 % is lost, as it says; freezes it has one a second, or a little more.
    assert lost == pytest.approx({"frames_dropped": 2.1, "frozen": 4.9, "freezes": 2.5}, abs=0.5)
