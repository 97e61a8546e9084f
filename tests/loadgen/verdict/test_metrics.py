"""The whole table: each metric is read from somewhere, and has nothing to say of a run without anything."""

import re

import pytest

from loadgen.figures import DISTRIBUTIONS
from loadgen.verdict.metric import Metric, Need
from loadgen.verdict.metrics import METRICS
from loadgen.verdict.units import Dimension
from tests.loadgen.verdict.runs import a_result

OF_THE_ISSUE = {
    "join_p95": Dimension.DURATION,
    "freeze_ratio": Dimension.SHARE,
    "loss": Dimension.SHARE,
    "gateway_rss_slope": Dimension.GROWTH,
}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_metric_of_an_empty_run_is_not_measured(metric: Metric) -> None:
    assert metric.read(a_result()) is None


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_metric_is_named_and_explained(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", metric.name)
    assert metric.meaning
    assert metric.absence


@pytest.mark.parametrize("name", OF_THE_ISSUE)
def test_metric_of_the_issue_has_its_dimension(name: str) -> None:
    assert METRICS[name].dimension is OF_THE_ISSUE[name]


@pytest.mark.parametrize("prefix", ["join", "first_frame", "delay", "rtt", "jitter", "gap"])
def test_percentiles_are_read_from_their_own_distribution(prefix: str) -> None:
    result = a_result()
    for place, name in enumerate(DISTRIBUTIONS):
        for value in range(1, 101):
            result.totals.distributions[name].add(1000 * place + value)
    base = 1000 * DISTRIBUTIONS.index(f"{prefix}_s")
    read = {suffix: METRICS[f"{prefix}_{suffix}"].read(result) for suffix in ("p50", "p95", "max", "mean")}
    assert read == pytest.approx({"p50": base + 50, "p95": base + 95, "max": base + 100, "mean": base + 50.5}, rel=0.02)


def test_only_metrics_of_the_gateway_need_a_source() -> None:
    needy = {metric.name for metric in METRICS.values() if metric.need is not Need.NOTHING}
    assert needy == {name for name in METRICS if name.startswith("gateway_")} | {"packets_missing"}
