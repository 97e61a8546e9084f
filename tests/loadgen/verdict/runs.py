"""Results of runs that never were."""

from loadgen.result import RunResult


def a_result() -> RunResult:
    """Nothing was measured."""
    return RunResult("smoke", "a smoke test", "http://127.0.0.1", 0.0, 20.0, {}, {})
