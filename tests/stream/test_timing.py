"""Capture times in the gateway's clock, from studios whose clocks are wrong."""

import pytest

from gateway.clock import ntp_difference_s, ntp_from_seconds
from gateway.stream.timing import ARRIVAL_KEPT_S, OFFSET_SAMPLES, PublisherClock, TrackClock, capture_clock_offset

VIDEO_HZ, AUDIO_HZ = 90_000, 48_000
GATEWAY_S = 3_900_000_000.0
"""Seconds since 1900 of the gateway's clock when a test begins."""

SKEWS_S = [0.0, 3 * 3600.0, -7 * 3600.0, 0.25, -3_900_000_000.0 + 5]


def gateway_ntp(after_s: float) -> int:
    return ntp_from_seconds(GATEWAY_S + after_s)


def studio_ntp(after_s: float, skew_s: float) -> int:
    return ntp_from_seconds(GATEWAY_S + after_s + skew_s)


def report_at(clock: PublisherClock, after_s: float, skew_s: float, delay_s: float) -> None:
    clock.on_sender_report(studio_ntp(after_s, skew_s), gateway_ntp(after_s + delay_s))


def test_offset_before_the_first_report_is_not_known() -> None:
    clock = PublisherClock()
    assert clock.offset is None
    assert clock.to_gateway(studio_ntp(0, 0)) is None
    assert capture_clock_offset(clock) is None


@pytest.mark.parametrize("skew_s", SKEWS_S)
def test_offset_is_that_of_the_fastest_report(skew_s: float) -> None:
    clock = PublisherClock()
    for second, delay_s in enumerate((0.08, 0.03, 0.2, 0.05)):
        report_at(clock, second, skew_s, delay_s)
    captured = clock.to_gateway(studio_ntp(10, skew_s))
    assert captured is not None
    assert ntp_difference_s(captured, gateway_ntp(10)) == pytest.approx(0.03, abs=1e-6)


def test_offset_forgets_reports_that_are_too_old() -> None:
    clock = PublisherClock()
    report_at(clock, 0, 0, 0.01)
    for second in range(1, OFFSET_SAMPLES + 1):
        report_at(clock, second, 0, 0.05)
    captured = clock.to_gateway(studio_ntp(60, 0))
    assert captured is not None
    assert ntp_difference_s(captured, gateway_ntp(60)) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("skew_s", [2 * 3600.0, -2 * 3600.0])
def test_capture_clock_offset_is_the_skew_against_us(skew_s: float) -> None:
    clock = PublisherClock()
    report_at(clock, 0, skew_s, 0.0)
    offset = capture_clock_offset(clock)
    assert offset is not None
    assert offset / (1 << 32) == pytest.approx(skew_s, abs=1e-6)


def test_track_before_any_packet_has_no_time() -> None:
    assert TrackClock(VIDEO_HZ).timestamp_at(gateway_ntp(0)) is None


def test_track_before_the_first_report_goes_by_the_arrival_of_the_fastest_packet() -> None:
    track = TrackClock(VIDEO_HZ)
    track.on_packet(1000, gateway_ntp(0.020))
    track.on_packet(4000, gateway_ntp(0.040))
    track.on_packet(7000, gateway_ntp(0.110))
    assert track.timestamp_at(gateway_ntp(0.140)) == 4000 + 9000


def test_track_without_reports_forgets_an_arrival_that_is_too_long_ago() -> None:
    track = TrackClock(VIDEO_HZ)
    track.on_packet(0, gateway_ntp(0))
    last_s = ARRIVAL_KEPT_S + 0.5
    track.on_packet(round(last_s * VIDEO_HZ), gateway_ntp(last_s + 0.01))
    assert track.timestamp_at(gateway_ntp(last_s + 1.01)) == pytest.approx((last_s + 1) * VIDEO_HZ, abs=1)


def test_track_after_a_report_goes_by_capture_time() -> None:
    clock, track = PublisherClock(), TrackClock(VIDEO_HZ)
    track.on_packet(1000, gateway_ntp(0.5))
    report_at(clock, 1.0, 7200, 0.02)
    track.on_sender_report(studio_ntp(1.0, 7200), 50_000, clock)
    track.on_packet(99_999, gateway_ntp(9))
    assert track.timestamp_at(gateway_ntp(2.02)) == pytest.approx(50_000 + VIDEO_HZ, abs=1)


def test_timestamp_wraps_at_thirty_two_bits_and_goes_back_in_time() -> None:
    track = TrackClock(VIDEO_HZ)
    track.on_packet(0xFFFFFFFF, gateway_ntp(1))
    assert track.timestamp_at(gateway_ntp(2)) == VIDEO_HZ - 1
    assert track.timestamp_at(gateway_ntp(0)) == 0xFFFFFFFF - VIDEO_HZ


@pytest.mark.parametrize("skew_s", SKEWS_S)
def test_audio_and_video_stay_aligned_whichever_report_was_slow(skew_s: float) -> None:
    clock, audio, video = PublisherClock(), TrackClock(AUDIO_HZ), TrackClock(VIDEO_HZ)
    # Both began at instant 0 with timestamp 0; the video's reports queue behind its frames.
    for second in range(1, 5):
        report_at(clock, second, skew_s, 0.01)
        audio.on_sender_report(studio_ntp(second, skew_s), AUDIO_HZ * second, clock)
        report_at(clock, second, skew_s, 0.30)
        video.on_sender_report(studio_ntp(second, skew_s), VIDEO_HZ * second, clock)
    at = gateway_ntp(7.01)
    audio_timestamp, video_timestamp = audio.timestamp_at(at), video.timestamp_at(at)
    assert audio_timestamp is not None
    assert video_timestamp is not None
    assert audio_timestamp / AUDIO_HZ == pytest.approx(video_timestamp / VIDEO_HZ, abs=1e-4)
    assert audio_timestamp / AUDIO_HZ == pytest.approx(7.0, abs=1e-4)


def test_new_epoch_goes_by_arrival_until_its_own_report() -> None:
    old, new, track = PublisherClock(), PublisherClock(), TrackClock(VIDEO_HZ)
    report_at(old, 0, 3600, 0.0)
    track.on_sender_report(studio_ntp(0, 3600), 0, old)
    track.begin_epoch()
    track.on_packet(500_000, gateway_ntp(5))
    assert track.timestamp_at(gateway_ntp(6)) == 500_000 + VIDEO_HZ
    report_at(new, 7, -3600, 0.0)
    track.on_sender_report(studio_ntp(7, -3600), 700_000, new)
    assert track.timestamp_at(gateway_ntp(8)) == pytest.approx(700_000 + VIDEO_HZ, abs=1)


@pytest.mark.parametrize("skew_s", [3600.0, -3600.0])
def test_new_epoch_before_its_first_packet_goes_on_by_the_last_epochs_clock(skew_s: float) -> None:
    clock, track = PublisherClock(), TrackClock(VIDEO_HZ)
    report_at(clock, 0, skew_s, 0.0)
    track.on_sender_report(studio_ntp(0, skew_s), 10_000, clock)
    track.begin_epoch()
    assert track.timestamp_at(gateway_ntp(1)) == pytest.approx(10_000 + VIDEO_HZ, abs=1)


@pytest.mark.parametrize("skew_s", SKEWS_S)
def test_capture_time_of_a_timestamp_is_the_inverse(skew_s: float) -> None:
    clock, track = PublisherClock(), TrackClock(VIDEO_HZ)
    report_at(clock, 0.0, skew_s, 0.03)
    track.on_sender_report(studio_ntp(0.0, skew_s), 0xFFFFFF00, clock)
    for after_s in (-3600.0, -1.0, 0.0, 1 / 30, 1.0, 3600.0, 6 * 3600.0):
        timestamp = track.timestamp_at(gateway_ntp(after_s))
        assert timestamp is not None
        captured = track.ntp_at(timestamp)
        assert captured is not None
        assert abs(ntp_difference_s(captured, gateway_ntp(after_s))) < 1 / VIDEO_HZ, after_s


def test_capture_time_before_any_packet_is_not_known() -> None:
    track = TrackClock(VIDEO_HZ)
    assert track.ntp_at(0) is None
    track.on_packet(0, gateway_ntp(1.0))
    assert track.ntp_at(0) == gateway_ntp(1.0)
