"""How long players that moved were without a picture, judged on a machine that has other things to do, too.

Where the load generator runs late the gateways wait for a core as well, and a move takes longer for no fault of theirs.
So its own lateness meanwhile is allowed on top, but only up to as much again: a run that was held up by more, and that
needs more, is no measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Judged:
    """The moves of one run."""

    late: list[Json] = field(default_factory=list)
    """Sessions that began too late, which is the gateways' doing."""
    unknown: list[Json] = field(default_factory=list)
    """Sessions that began too late while the load generator was held up beyond all allowance."""
    allowed_s: float = 0.0
    """The most that a session needed on top."""

    @property
    def is_void(self) -> bool:
        """Whether the run says nothing of how long moves take."""
        return not self.late and bool(self.unknown)


def judged(told: Sequence[Json], steps: Sequence[Json], within_s: float) -> Judged:
    """`told` are sessions of players that were told to move, `steps` those of the same report."""
    result = Judged()
    for session in told:
        over_s = session["move_s"] - within_s
        held_up_s = _held_up_s(session, steps) if over_s > 0 else 0.0
        if over_s <= min(held_up_s, within_s):
            result.allowed_s = max(result.allowed_s, over_s)
        elif held_up_s > within_s:
            result.unknown.append(session)
        else:
            result.late.append(session)
    return result


def _held_up_s(session: Json, steps: Sequence[Json]) -> float:
    """How much later than it should the load generator has run while this player was on its way."""
    begin_s, end_s = session["left_s"], session["left_s"] + session["move_s"]
    meanwhile = (step for step in steps if step["at_s"] > begin_s and step["at_s"] - step["seconds"] < end_s)
    return sum(float(step["generator"]["lateness_s"]) for step in meanwhile)
