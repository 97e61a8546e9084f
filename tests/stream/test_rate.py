"""Rates over a sliding window."""

import pytest

from gateway.stream.rate import WINDOW_S, Rate


def test_rate_of_fewer_than_two_samples_is_zero() -> None:
    rate = Rate()
    assert (rate.bits(), rate.frames()) == (0.0, 0.0)
    rate.sample(1.0, 1000, 30)
    assert (rate.bits(), rate.frames()) == (0.0, 0.0)


def test_rate_is_what_was_added_a_second() -> None:
    rate = Rate()
    rate.sample(10.0, 5_000, 100)
    rate.sample(10.5, 30_000, 115)
    assert rate.bits() == pytest.approx(400_000)
    assert rate.frames() == pytest.approx(30)


def test_rate_forgets_what_lies_before_the_window() -> None:
    rate = Rate()
    rate.sample(0.0, 0, 0)
    for tick in range(1, 21):
        rate.sample(tick * 0.25, 1_000_000, 60)
    assert (rate.bits(), rate.frames()) == (0.0, 0.0)


def test_rate_over_samples_further_apart_than_the_window_is_zero() -> None:
    rate = Rate()
    rate.sample(0.0, 0, 0)
    rate.sample(WINDOW_S + 1, 1000, 1)
    assert rate.bits() == 0.0


def test_rate_of_two_samples_at_one_instant_is_zero() -> None:
    rate = Rate()
    rate.sample(1.0, 0, 0)
    rate.sample(1.0, 1000, 1)
    assert rate.bits() == 0.0
