"""Sender reports: capture times of studios whose clocks are wrong by hours, told in the gateway's."""

import pytest

from gateway.clock import WallClock, ntp_difference_s
from gateway.wire.rtcp import SenderReport
from gateway.wire.serial import delta32
from tests.virtual.content import Frame
from tests.virtual.link import Conditions
from tests.virtual.player import Received
from tests.virtual.studio import UNIX_S, StudioSettings
from tests.virtual.table import Table

GATEWAY_CLOCK = WallClock(UNIX_S)
DELAY_S = 0.03


def capture_s(report: SenderReport, timestamp: int, clock_rate_hz: int) -> float:
    """When the report says that `timestamp` was captured, in the gateway's monotonic time."""
    elapsed_s = delta32(timestamp & 0xFFFFFFFF, report.rtp_timestamp) / clock_rate_hz
    return ntp_difference_s(report.ntp_timestamp, GATEWAY_CLOCK.ntp(0.0)) + elapsed_s


def video_errors_s(track: Received, frames: dict[tuple[int, int], Frame], reports: list[SenderReport]) -> list[float]:
    """How late the reports make every frame."""
    return [
        capture_s(report, track.timestamps[index], track.clock_rate_hz) - frames[place.studio, place.frame].captured_s
        for report in reports
        for index, place in track.places.items()
    ]


def audio_errors_s(track: Received, sent_s: list[float], reports: list[SenderReport]) -> list[float]:
    """How late the reports make every audio packet."""
    return [
        capture_s(report, track.timestamps[index], track.clock_rate_hz) - sent_s[place.frame]
        for report in reports
        for index, place in track.places.items()
    ]


def assert_all_near(errors_s: list[float], expected_s: float, within_s: float) -> None:
    assert errors_s
    assert max(abs(error_s - expected_s) for error_s in errors_s) < within_s


@pytest.mark.parametrize("skew_s", [0.0, 5 * 3600.0, -5 * 3600.0])
def test_reports_tell_the_capture_time_of_skewed_studios_and_keep_audio_aligned(skew_s: float) -> None:
    table = Table(1, ingest=Conditions(loss=0.05, reordering=0.02, delay_s=DELAY_S))
    studio = table.add_studio(StudioSettings(skew_s=skew_s)).studio
    table.run(2.0)
    player = table.add_player().player
    table.run(4.0)
    made = {(frame.studio, frame.frame): frame for frame in studio.frames}
    assert len(player.video.reports) >= 4
    # The way of the fastest report cannot be known from here: everything is late by it alike.
    assert_all_near(video_errors_s(player.video, made, player.video.reports), DELAY_S, 0.002)
    assert_all_near(audio_errors_s(player.audio, studio.audio_sent_s, player.audio.reports), DELAY_S, 0.002)


def test_report_comes_before_the_first_packet() -> None:
    table = Table(1)
    table.add_studio()
    table.run(2.0)
    seat = table.add_player()
    table.run(0.021)
    assert len(seat.player.video.reports) == 1


def test_reports_go_on_in_one_line_over_a_takeover() -> None:
    table = Table(1)
    first = table.add_studio(StudioSettings(1, seed=11, skew_s=7200)).studio
    table.run(2.0)
    player = table.add_player().player
    table.run(2.0)
    first.stop()
    table.run(1.0)
    second = table.add_studio(StudioSettings(2, seed=22, skew_s=-7200)).studio
    table.run(4.0)
    made = {(frame.studio, frame.frame): frame for frame in (*first.frames, *second.frames)}
    before = [report for report in player.video.reports if ntp_s(report) < second.frames[0].captured_s]
    after = [report for report in player.video.reports if ntp_s(report) > second.frames[0].captured_s + 1.0]
    for reports in (before, after):
        assert len(reports) >= 2
        assert_all_near(video_errors_s(player.video, made, reports), 0.0, 0.15)


def ntp_s(report: SenderReport) -> float:
    return ntp_difference_s(report.ntp_timestamp, GATEWAY_CLOCK.ntp(0.0))


def test_round_trips_are_measured_on_both_legs() -> None:
    table = Table(1, ingest=Conditions(delay_s=0.03), egress=Conditions(delay_s=0.05))
    table.add_studio()
    table.run(1.0)
    seat = table.add_player()
    table.run(4.0)
    assert table.gateway.publishers[0].round_trip_s == pytest.approx(0.06, abs=0.001)
    assert table.gateway.viewers[0].round_trip_s == pytest.approx(0.10, abs=0.001)
    assert seat.player.round_trip_s == pytest.approx(0.10, abs=0.001)
