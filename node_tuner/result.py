"""The result file: what a node is now, for the gateway's readiness and for people. Its schema: docs/node-tuner.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from node_tuner import durable
from node_tuner.contract import Value

DEFAULT_PATH = Path("/run/railbird/node.json")

SCHEMA = 1
"""Of the file; a reader that does not know it must not guess."""

_MODE = 0o644
_NAME = "result"


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

    @property
    def is_as_wanted(self) -> bool:
        """Whether nothing is to be done about it."""
        return self in (State.TUNED, State.NOT_NEEDED)


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
    off = [knob for knob in knobs if not knob.state.is_as_wanted]
    if any(knob.required for knob in off):
        return Overall.FAILED
    return Overall.DEGRADED if off else Overall.TUNED


@dataclass(frozen=True, slots=True)
class ProfileId:
    """Which profile was wanted."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Result:
    """The whole file."""

    command: str
    """Which wrote it: `apply`, `verify` or `watch`."""
    written_at: str
    """RFC 3339, UTC: `2026-11-21T18:00:00Z`."""
    boot_id: str
    """A result of another boot tells nothing of this one."""
    namespace: str
    kernel: str
    interface: str
    profile: ProfileId
    knobs: tuple[KnobResult, ...]

    @property
    def overall(self) -> Overall:
        """See `overall`."""
        return overall(self.knobs)

    def as_json(self) -> dict[str, Any]:
        """As it stands in the file; `parse` is its inverse."""
        knobs = [{**asdict(knob), "state": knob.state.value} for knob in self.knobs]
        return {"schema": SCHEMA, "overall": self.overall.value, **asdict(self), "knobs": knobs}

    @classmethod
    def parse(cls, text: str) -> Result:
        """ValueError, KeyError or TypeError for anything that is not of this schema."""
        values = json.loads(text)
        if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
            raise ValueError(f"expected a result of schema {SCHEMA}")
        del values["overall"]
        values["profile"] = ProfileId(**values["profile"])
        values["knobs"] = tuple(KnobResult(**{**knob, "state": State(knob["state"])}) for knob in values["knobs"])
        return cls(**values)

    def write(self, path: Path, on_step: durable.OnStep = durable.nothing) -> None:
        """Replace the file, for everybody to read; OSError where that fails."""
        durable.replace(path, json.dumps(self.as_json(), indent=1) + "\n", _MODE, _NAME, on_step)


def prepare(path: Path) -> None:
    """Take the old one away, once it is known that a new one can be written; OSError where it cannot."""
    durable.check(path)
    withdraw(path)


def withdraw(path: Path, on_step: durable.OnStep = durable.nothing) -> None:
    """Take the file away: a node that is being restored is not what it says. OSError where that fails."""
    durable.remove(path, _NAME, on_step)
