"""What a probe finds: sections of named values, for JSON and for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node_tuner.contract import Value
from node_tuner.machine.roots import Roots

SCHEMA = 1
"""Of the JSON."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line."""

    name: str
    value: Value
    """None: not known; `note` says why."""
    note: str = ""
    """What follows from it, or why it is not known."""


@dataclass(frozen=True, slots=True)
class Section:
    """What belongs together."""

    title: str
    findings: Sequence[Finding]


Probe = Callable[[Roots], Iterable[Section]]
"""Looks, and leaves everything as it is."""


def as_json(sections: Iterable[Section]) -> Mapping[str, Any]:
    """{"schema": 1, "sections": {title: {name: {"value": ..., "note": ...}}}}."""
    return {
        "schema": SCHEMA,
        "sections": {
            section.title: {each.name: {"value": each.value, "note": each.note} for each in section.findings}
            for section in sections
        },
    }
