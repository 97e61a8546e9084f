"""Whether what thresholds are about can be had at all: asked before the run, not found out after hours."""

from collections.abc import Iterable

from loadgen.errors import ScenarioError
from loadgen.verdict.metric import Need
from loadgen.verdict.thresholds import Threshold, needs

_GIVEN_BY = {
    Need.PROCESS: "--gateway-metrics or --gateway-pid",
    Need.COUNTERS: "--gateway-metrics",
}


def require_sources(thresholds: Iterable[Threshold], *, has_process: bool, has_counters: bool) -> None:
    """ScenarioError for a threshold whose source was not given."""
    has = {Need.NOTHING: True, Need.PROCESS: has_process, Need.COUNTERS: has_counters}
    for threshold in thresholds:
        need = needs(threshold)
        if not has[need]:
            raise ScenarioError(f"The threshold {threshold.text!r} needs {need.value}: give {_GIVEN_BY[need]}.")
