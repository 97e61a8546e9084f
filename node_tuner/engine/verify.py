"""Reads everything back, and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node_tuner.contract import Knob
from node_tuner.engine.node import Node
from node_tuner.engine.plan import Plan, plan
from node_tuner.engine.rows import rows
from node_tuner.result import KnobResult


@dataclass(frozen=True, slots=True)
class Verified:
    """What there is."""

    knobs: tuple[KnobResult, ...]
    plan: Plan
    """What apply would do about it."""
    notices: tuple[str, ...]
    """For people."""


def verify(knobs: Sequence[Knob], node: Node, *, is_takeover: bool = False) -> Verified:
    """StateError where the record cannot be relied on, or is another namespace's. `is_takeover` is for the plan."""
    record, notice = node.record()
    steps = plan(knobs, record, node, is_takeover=is_takeover)
    return Verified(rows(steps), steps, (notice,) if notice else ())
