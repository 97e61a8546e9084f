"""A window of samples: what is in it, what counters are counted from, and that it stays small."""

import math

from hypothesis import given
from hypothesis import strategies as st

from gateway.watchdog.sample import MORE_SAMPLES, SAMPLE_INTERVAL_S, ProcessSample, Window

SPAN_S = 3.0


def window_of(*times_s: float) -> Window[ProcessSample]:
    window: Window[ProcessSample] = Window(SPAN_S)
    for at_s in times_s:
        window.add(ProcessSample(at_s, 0.0, 0.0, 0))
    return window


def times_of(window: Window[ProcessSample]) -> list[float]:
    return [each.at_s for each in window]


def test_window_that_is_new_begins_with_its_first_sample() -> None:
    window = window_of(10.0, 10.1)
    assert (window.base.at_s, window.newest.at_s, times_of(window)) == (10.0, 10.1, [10.0, 10.1])


def test_window_counts_from_the_last_sample_before_it() -> None:
    window = window_of(0.0, 1.0, 2.0, 3.0, 4.5)
    assert window.base.at_s == 1.0
    assert times_of(window) == [2.0, 3.0, 4.5]


def test_window_after_a_long_stall_is_its_newest_sample_and_the_one_before() -> None:
    window = window_of(0.0, 0.1, 60.0)
    assert window.base.at_s == 0.1
    assert times_of(window) == [60.0]


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=300))
def test_window_is_bounded_whatever_the_times_are(steps_s: list[float]) -> None:
    times_s = [sum(steps_s[: count + 1]) for count in range(len(steps_s))]
    window = window_of(*times_s)
    assert len(window) <= math.ceil(SPAN_S / SAMPLE_INTERVAL_S) + MORE_SAMPLES
    assert window.newest.at_s == times_s[-1]
    assert times_of(window)[-1] == times_s[-1]
