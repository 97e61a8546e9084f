"""One round: what it is called, where it stands, and how it got there."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.rounds.causes import AbortCause
from gateway.rounds.states import TRANSITIONS, RoundState

Evidence = Mapping[str, float | int | str | None]
"""What was measured, by name, with its unit in the name."""


@dataclass(frozen=True, slots=True)
class Step:
    """A state that the round entered."""

    state: RoundState
    at_s: float
    """Monotonic."""
    at_unix_s: float
    """The gateway's wall clock, which the media's timelines share."""
    rtp_timestamp: int | None = None
    """Of the video as players receive it, at that moment; None without a picture (`hub.table` knows)."""


@dataclass(slots=True)
class Round:
    """See the module. Changed by `Rounds` alone."""

    stream: str
    round_id: str
    steps: list[Step]
    closes_at_s: float | None = None
    """Monotonic: when bets close by themselves; None: the studio says when."""
    closes_at_unix_s: float | None = None
    result: Any = None
    """The studio's, JSON, passed on as it is."""
    cause: AbortCause | None = None
    evidence: Evidence = field(default_factory=dict)
    """Of an abort: what was measured in the window before it."""
    bets: int = 0
    """Accepted ones."""

    @property
    def state(self) -> RoundState:
        """Where it stands."""
        return self.steps[-1].state

    @property
    def is_over(self) -> bool:
        """Whether nothing can follow."""
        return not TRANSITIONS[self.state]

    def takes_bets(self, arrival_s: float) -> bool:
        """Whether a bet that arrived at that time is in time.

        What counts is how the window stood then, even where the gateway comes to it afterwards, as after a stall.
        """
        opened_s = next((step.at_s for step in self.steps if step.state is RoundState.BETTING_OPEN), math.inf)
        if arrival_s < opened_s:
            return False
        if self.state is RoundState.BETTING_OPEN:
            return self.closes_at_s is None or arrival_s < self.closes_at_s
        return self.state is RoundState.BETTING_CLOSED and arrival_s < self.steps[-1].at_s
