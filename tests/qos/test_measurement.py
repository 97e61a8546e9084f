"""What a window measured: adds up, comes apart, and has shares only of what was measured."""

import pytest
from hypothesis import given

from qos.measurement import COUNTERS, Measurement
from qos.sketch import Sketch
from tests.qos.measurements import good, measurements


@given(measurements(), measurements())
def test_subtract_undoes_add(one: Measurement, other: Measurement) -> None:
    total = Measurement()
    total.add(one)
    total.add(other)
    total.subtract(one)
    assert total == other


def test_add_adds_every_counter() -> None:
    total = Measurement()
    for _ in range(2):
        total.add(Measurement(rtt=Sketch([0.1]), **dict.fromkeys(COUNTERS, 3)))
    assert {name: getattr(total, name) for name in COUNTERS} == dict.fromkeys(COUNTERS, 6)
    assert total.rtt.count == 2


def test_shares_of_nothing_are_none() -> None:
    nothing = Measurement()
    assert nothing.dropped_by_leg == {"ingest": None, "egress": None, "player": None}
    assert nothing.dropped_share is None
    assert nothing.frozen_share is None
    assert nothing.freezes_per_minute is None
    assert nothing.lost_share is None
    assert nothing.aborted_share is None
    assert nothing.viewers == 0


def test_dropped_share_is_that_of_the_way_through_all_legs() -> None:
    measured = Measurement(ingest_frames=90, ingest_dropped=10, egress_frames=100, egress_dropped=50)
    assert measured.dropped_by_leg == {"ingest": 0.1, "egress": 0.5, "player": None}
    assert measured.dropped_share == pytest.approx(1 - 0.9 * 0.5)


def test_all_frames_lost_is_a_share_of_one() -> None:
    assert Measurement(ingest_dropped=5).dropped_share == 1


def test_frozen_share_is_the_worse_of_what_browsers_and_studio_say() -> None:
    by_browsers = Measurement(frozen_ms=200, watched_ms=1000, still_ms=100, attended_ms=1000)
    by_studio = Measurement(frozen_ms=200, watched_ms=1000, still_ms=900, attended_ms=1000)
    assert by_browsers.frozen_share == 0.2
    assert by_studio.frozen_share == 0.9


def test_freezes_are_counted_a_minute_of_watching() -> None:
    assert Measurement(freezes=3, watched_ms=120_000).freezes_per_minute == 1.5


def test_viewers_are_a_mean_over_the_window() -> None:
    assert good().viewers == 10
