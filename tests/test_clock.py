import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import clock
from gateway.clock import NTP_UNIX_OFFSET_S, WallClock, ntp_from_unix, unix_from_ntp

SECOND = 1 << 32


def test_wall_clock_is_anchored_to_the_systems_time() -> None:
    anchored, now_s = WallClock.anchored(), clock.monotonic_s()
    assert anchored.unix_s(now_s) == pytest.approx(time.time(), abs=0.1)


def test_wall_clock_goes_on_with_monotonic_time() -> None:
    anchored = WallClock(1_700_000_000.0)
    assert anchored.unix_s(5.0) == 1_700_000_005.0
    assert anchored.ntp(5.5) - anchored.ntp(5.0) == SECOND // 2


def test_ntp_counts_from_1900() -> None:
    # 1970-01-01, and RFC 5905 figure 4: the first day of NTP era 1 is 2036-02-08.
    assert WallClock(0.0).ntp(0.0) >> 32 == NTP_UNIX_OFFSET_S == 2_208_988_800
    assert NTP_UNIX_OFFSET_S == 70 * 365 * 86_400 + 17 * 86_400


def test_ntp_drops_the_era() -> None:
    assert clock.ntp_from_seconds((1 << 32) + 0.25) == SECOND // 4


@pytest.mark.parametrize(
    ("newer", "older", "seconds"),
    [
        (3 * SECOND, SECOND, 2.0),
        (SECOND, 3 * SECOND, -2.0),
        (SECOND // 2, 0, 0.5),
        (SECOND, (1 << 64) - SECOND, 2.0),
        ((1 << 64) - SECOND, SECOND, -2.0),
    ],
)
def test_ntp_difference_is_signed_and_crosses_the_era(newer: int, older: int, seconds: float) -> None:
    assert clock.ntp_difference_s(newer, older) == seconds


def test_middle32_is_the_middle() -> None:
    assert clock.ntp_middle32(0x1122334455667788) == 0x33445566


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [(0.0, 0), (1.0, 65_536), (0.5, 32_768), (-1.0, 0), (65_536.0, 0xFFFFFFFF), (1e9, 0xFFFFFFFF)],
)
def test_middle32_from_seconds_saturates(seconds: float, ticks: int) -> None:
    assert clock.middle32_from_seconds(seconds) == ticks


@pytest.mark.parametrize(
    ("now", "last_report", "delay", "expected_s"),
    [
        # RFC 3550 figure 2: A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 0x0005:4000, RTT = 6.125 s.
        (0xB7108000, 0xB7052000, 0x00054000, 6.125),
        (100, 100, 0, 0.0),
        (0x00008000, 0xFFFF8000, 0x00008000, 0.5),
        (5 * 65_536, 0, 0, None),
        (65_536, 65_536, 1, None),
        (61 * 65_536, 1, 0, None),
    ],
    ids=["of RFC 3550", "none", "across the wrap", "no report yet", "negative", "absurd"],
)
def test_round_trip(now: int, last_report: int, delay: int, expected_s: float | None) -> None:
    assert clock.round_trip_s(now, last_report, delay) == expected_s


@given(sent_s=st.floats(0, 1e9), held_s=st.floats(0, 100), trip_s=st.floats(0, 59))
def test_round_trip_of_real_reports_is_the_round_trip(sent_s: float, held_s: float, trip_s: float) -> None:
    wall = WallClock(0.0)
    last_report = clock.ntp_middle32(wall.ntp(sent_s))
    now = clock.ntp_middle32(wall.ntp(sent_s + held_s + trip_s))
    measured = clock.round_trip_s(now, last_report, clock.middle32_from_seconds(held_s))
    # Three roundings down to 1/65536 s; a round trip of nothing may come out below nothing, which is no measurement.
    assert (measured is None and trip_s < 1e-3) or measured == pytest.approx(trip_s, abs=1e-3)


def test_unix_time_survives_the_way_to_ntp_and_back() -> None:
    assert unix_from_ntp(ntp_from_unix(1_800_000_000.25)) == 1_800_000_000.25
    assert ntp_from_unix(0.0) == NTP_UNIX_OFFSET_S << 32
