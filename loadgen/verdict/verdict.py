"""Whether a run met its thresholds. What was not measured was not met."""

from collections.abc import Iterable

from loadgen.result import RunResult, ThresholdResult
from loadgen.verdict.thresholds import Threshold


def judge(thresholds: Iterable[Threshold], result: RunResult) -> list[ThresholdResult]:
    """One result a threshold, in their order; `result.comparison` has to be there already."""
    return [_judged(threshold, threshold.metric.read(result)) for threshold in thresholds]


def _judged(threshold: Threshold, measured: float | None) -> ThresholdResult:
    if measured is None:
        return ThresholdResult(threshold.text, None, f"not measured: {threshold.metric.absence}", is_met=False)
    return ThresholdResult(
        threshold.text,
        measured,
        threshold.unit.text(measured, threshold.bound),
        threshold.is_met_by(measured, threshold.bound),
    )
