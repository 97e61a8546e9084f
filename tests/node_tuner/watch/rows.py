"""Rows of results, for tests of what is made of them."""

from node_tuner.result import KnobResult, State


def row(name: str, state: State = State.TUNED, required: bool = True) -> KnobResult:
    """One, of which only these matter."""
    return KnobResult(name, "sysctl", required, state, "exactly 1", "1", "0", True, "because", "")
