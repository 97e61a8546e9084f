"""Percentiles near the truth, merged across processes."""

import pickle
import random

import pytest

from loadgen.distribution import RELATIVE_ACCURACY, Distribution


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95, 0.99, 1.0])
def test_quantile_is_near_the_true_one(share: float) -> None:
    source = random.Random(7)
    values = sorted(source.lognormvariate(-3, 1) for _ in range(10_001))
    true = values[round(share * 10_000)]
    assert Distribution(values).quantile(share) == pytest.approx(true, rel=1.01 * RELATIVE_ACCURACY)


def test_quantile_does_not_exceed_the_largest_value() -> None:
    assert Distribution([5.0] * 10).quantile(0.5) == 5.0


def test_statistics_of_no_values_are_none() -> None:
    empty = Distribution()
    assert (empty.quantile(0.5), empty.mean, empty.count, empty.largest) == (None, None, 0, 0.0)


def test_negative_value_counts_as_zero() -> None:
    values = Distribution([-0.002])
    assert (values.quantile(0.5), values.mean, values.largest, values.count) == (0.0, 0.0, 0.0, 1)
    assert isinstance(values.quantile(0.5), float)


def test_merge_takes_in_values_and_leaves_the_other_alone() -> None:
    left, right = Distribution(), Distribution([1.0, 2.0])
    left.merge(right)
    left.add(100.0)
    assert (left.count, left.largest) == (3, 100.0)
    assert (right.count, right.largest) == (2, 2.0)
    assert right.quantile(1.0) == pytest.approx(2.0, rel=0.011)


def test_pickled_distribution_is_the_same_and_goes_on() -> None:
    values = Distribution([0.1, 0.2, 0.3])
    arrived: Distribution = pickle.loads(pickle.dumps(values))
    assert arrived.quantile(0.5) == values.quantile(0.5)
    arrived.add(0.4)
    assert (arrived.count, values.count) == (4, 3)


def test_counts_up_to_bounds_are_a_histograms_buckets() -> None:
    values = Distribution([0.0, 0.03, 0.2, 7.0, 11.0])
    assert values.counts_up_to([0.01, 0.1, 1.0, 10.0, 20.0]) == [1, 2, 3, 4, 5]


def test_counts_up_to_bounds_of_no_values_are_zero() -> None:
    assert Distribution().counts_up_to([0.01, 10.0]) == [0, 0]


def test_count_up_to_a_value_includes_it() -> None:
    assert Distribution([0.5, 1.0, 1.05]).counts_up_to([0.5, 1.0]) == [1, 2]
