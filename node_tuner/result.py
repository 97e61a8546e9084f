"""The result file: what a node is now, for the gateway's readiness and for people. Its schema: docs/node-tuner.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from node_tuner.contract import Value

SCHEMA = 1
"""Of the file; a reader that does not know it must not guess."""


class State(Enum):
    """What became of a knob."""

    TUNED = "tuned"
    """Read back, and right."""
    SKIPPED = "skipped"
    """It is optional, and cannot be had here; `note` says why."""
    NOT_NEEDED = "not_needed"
    """The profile's own condition for it does not hold here."""
    FAILED = "failed"
    """It was to be set, and is not: refused by the kernel, or required and not to be had."""
    FOREIGN = "foreign"
    """Somebody else changed it after we did; left as it is."""


class Overall(Enum):
    """What all of them make together."""

    TUNED = "tuned"
    DEGRADED = "degraded"
    """Fit for media; an optional knob is not as it was wanted."""
    FAILED = "failed"
    """Not fit: a required knob is not as it was wanted."""


@dataclass(frozen=True, slots=True)
class KnobResult:
    """One row."""

    name: str
    kind: str
    required: bool
    state: State
    wanted: str
    """As `str` of its aim."""
    found: Value
    """The value now; None where it could not be read, or is not there."""
    original: Value
    """Before the first change; the same as `found` where nothing was changed."""
    changed: bool
    """Whether it is on record as changed by us."""
    why: str
    note: str
    """What is to be said beside it: why it was skipped, what the kernel said. Empty when nothing is."""


def overall(knobs: Sequence[KnobResult]) -> Overall:
    """FAILED for a required knob that is not as wanted, DEGRADED for an optional one."""
    off = [knob for knob in knobs if knob.state not in (State.TUNED, State.NOT_NEEDED)]
    if any(knob.required for knob in off):
        return Overall.FAILED
    return Overall.DEGRADED if off else Overall.TUNED
