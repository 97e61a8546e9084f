"""Token buckets on virtual time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rates import BURST_S, MAX_KEYS, Rates


def allowed(rates: Rates, key: str, now_s: float, tries: int = 1000) -> int:
    """How many of `tries` at one instant."""
    return sum(rates.allows(key, now_s) for _ in range(tries))


def test_burst_is_twice_the_rate_and_then_it_fills_at_the_rate() -> None:
    rates = Rates(10.0)
    assert allowed(rates, "a", 100.0) == 10.0 * BURST_S
    assert allowed(rates, "a", 100.05) == 0
    assert allowed(rates, "a", 100.5) == 5
    assert allowed(rates, "a", 1000.0) == 10.0 * BURST_S


def test_keys_do_not_share() -> None:
    rates = Rates(1.0)
    assert allowed(rates, "a", 100.0) == 2
    assert allowed(rates, "b", 100.0) == 2


def test_who_is_refused_is_not_set_back() -> None:
    """Somebody who never stops trying still gets the rate."""
    rates = Rates(1.0)
    assert sum(rates.allows("a", 100.0 + number / 100) for number in range(1000)) == 2 + 9


def test_rate_below_one_lets_one_through_at_first() -> None:
    rates = Rates(0.1)
    assert allowed(rates, "a", 100.0) == 1
    assert allowed(rates, "a", 109.0) == 0
    assert allowed(rates, "a", 110.1) == 1


def test_time_that_runs_back_takes_nothing_away_and_gives_nothing_twice() -> None:
    """What came earlier by one way may be looked at later than what came by another."""
    rates = Rates(10.0)
    assert rates.allows("a", 100.0)
    assert allowed(rates, "a", 97.9) == 10.0 * BURST_S - 1
    assert allowed(rates, "a", 100.5) == 5


def test_keys_are_bounded_and_the_quietest_is_forgotten() -> None:
    rates = Rates(1.0, max_keys=2)
    allowed(rates, "a", 100.0)
    allowed(rates, "b", 100.0)
    rates.allows("a", 100.0)
    allowed(rates, "c", 100.0)
    assert len(rates) == 2
    assert not rates.allows("a", 100.0)
    assert rates.allows("b", 100.0)
    assert MAX_KEYS >= 2


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=200), st.floats(0.5, 50))
def test_no_more_than_rate_and_burst_are_ever_allowed(waits_s: list[float], per_s: float) -> None:
    rates, now_s, count = Rates(per_s), 0.0, 0
    for wait_s in waits_s:
        now_s += wait_s
        count += rates.allows("a", now_s)
        assert count <= now_s * per_s + max(per_s * BURST_S, 1.0) + 1e-6
