"""Percentiles that add up, and come apart again."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qos.sketch import LARGEST, RELATIVE_ACCURACY, SMALLEST, Sketch

VALUES = st.lists(st.floats(SMALLEST, LARGEST), min_size=1, max_size=200)
SHARES = st.floats(0, 1)


@given(VALUES, SHARES)
def test_quantile_is_within_its_accuracy(values: list[float], share: float) -> None:
    true = sorted(values)[max(math.ceil(share * len(values)), 1) - 1]
    measured = Sketch(values).quantile(share)
    assert measured is not None
    assert abs(measured - true) <= true * (RELATIVE_ACCURACY + 1e-9)


@given(VALUES, VALUES)
def test_merged_is_as_if_all_had_been_added(some: list[float], others: list[float]) -> None:
    merged = Sketch(some)
    merged.merge(Sketch(others))
    assert merged == Sketch(some + others)
    assert merged.count == len(some) + len(others)


@given(VALUES, VALUES)
def test_subtracted_is_as_if_never_merged(some: list[float], others: list[float]) -> None:
    sketch = Sketch(some + others)
    sketch.subtract(Sketch(others))
    assert sketch == Sketch(some)


@given(VALUES, VALUES)
def test_packed_is_the_same_and_can_be_taken_out(some: list[float], others: list[float]) -> None:
    packed, whole = Sketch(others), Sketch(some + others)
    packed.pack()
    packed.pack()
    assert packed == Sketch(others)
    assert (packed.count, len(packed)) == (len(others), len(Sketch(others)))
    whole.subtract(packed)
    assert whole == Sketch(some)


@given(VALUES, st.lists(SHARES, max_size=5))
def test_quantiles_together_are_those_one_by_one(values: list[float], shares: list[float]) -> None:
    rising = sorted(shares)
    sketch = Sketch(values)
    assert sketch.quantiles(rising) == tuple(sketch.quantile(share) for share in rising)


@given(VALUES, SHARES, SHARES)
def test_quantiles_rise(values: list[float], one: float, other: float) -> None:
    small, great = sorted((one, other))
    low, high = Sketch(values).quantile(small), Sketch(values).quantile(great)
    assert low is not None
    assert high is not None
    assert low <= high


def test_nothing_has_no_quantile() -> None:
    assert Sketch().quantile(0.95) is None


def test_memory_is_bounded_whatever_is_measured() -> None:
    sketch = Sketch(math.exp(step / 200) * 1e-9 for step in range(10_000))
    sketch.add(-1.0)
    assert len(sketch) <= 680
    assert sketch.quantile(0.0) == pytest.approx(SMALLEST, rel=RELATIVE_ACCURACY)
    assert sketch.quantile(1.0) == pytest.approx(LARGEST, rel=RELATIVE_ACCURACY)
