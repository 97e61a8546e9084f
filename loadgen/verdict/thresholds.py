"""A threshold as people write it: `join_p95 < 500ms`."""

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from loadgen.errors import ScenarioError
from loadgen.verdict.metric import Metric, Need
from loadgen.verdict.metrics import METRICS
from loadgen.verdict.units import UNITS, Dimension, Unit, units_of

Operator = Callable[[float, float], bool]

OPERATORS: dict[str, Operator] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}

_FORM = re.compile(r"\s*(\w+)\s*([<>=!~]+)\s*([0-9]+(?:\.[0-9]+)?)\s*(\S*)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One sentence that has to be true of a run."""

    text: str
    """As it was written."""
    metric: Metric
    is_met_by: Operator
    """Called with (measured, bound)."""
    bound: float
    """In the metric's base unit."""
    unit: Unit
    """As it was written, and how the measured value is told."""


def parse_threshold(text: str) -> Threshold:
    """ScenarioError when the metric, the operator or the unit is unknown, or the unit is not one of the metric's."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ScenarioError(
            f"The threshold {text!r} cannot be read: it is a metric, an operator, a number and a unit, such as "
            "'join_p95 < 500ms' or 'freeze_ratio < 0.1%'."
        )
    name, symbol, number, unit_name = found.groups()
    metric = _metric(name, text)
    unit = _unit(unit_name, metric, text)
    if symbol not in OPERATORS:
        raise ScenarioError(f"{symbol!r} in the threshold {text!r} is no operator; there are {_listed(OPERATORS)}.")
    return Threshold(text.strip(), metric, OPERATORS[symbol], unit.base(number), unit)


def needs(threshold: Threshold) -> Need:
    """What has to be given besides the target: without it the threshold could only be missed."""
    return threshold.metric.need


def _metric(name: str, text: str) -> Metric:
    metric = METRICS.get(name)
    if metric is None:
        close = get_close_matches(name, METRICS, n=1)
        guess = f" Is it {close[0]}?" if close else ""
        raise ScenarioError(
            f"{name!r} in the threshold {text!r} is nothing that is measured.{guess} There are {_listed(METRICS)}."
        )
    return metric


def _unit(name: str, metric: Metric, text: str) -> Unit:
    unit = UNITS.get(name)
    if unit is None or unit.dimension is not metric.dimension:
        raise ScenarioError(
            f"In the threshold {text!r}, {metric.name} is {metric.dimension.value}: {_wanted(metric.dimension)}."
        )
    return unit


def _wanted(dimension: Dimension) -> str:
    if dimension is Dimension.COUNT:
        return "write a number without a unit"
    return f"write the number with one of {_listed(units_of(dimension))}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
