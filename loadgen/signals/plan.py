"""When a player bets on a round: pure, and decided by the seed."""

import random
from dataclasses import dataclass

from loadgen.scenario.players import BetsSpec

WINDOW_SHARE = 0.9
"""Of the time that bets are open: who bets in the last moment may be late, which is no fault of anybody's."""

UNANNOUNCED_WINDOW_S = 3.0
"""Where the server does not say how long bets are open."""


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """What one player does in one round."""

    after_s: tuple[float, ...]
    """Bets, seconds after the round was seen to open; in order."""
    late: int
    """Bets once it is seen to be closed."""


def plan(spec: BetsSpec, seed: int, round_number: int, window_s: float | None) -> RoundPlan:
    """For the `round_number`th round that the player of `seed` sees being opened."""
    draw = random.Random(f"{seed}/{round_number}")
    if draw.random() >= spec.share:
        return RoundPlan((), 0)
    late = sum(draw.random() < spec.late for _ in range(spec.per_round))
    window_s = (window_s if window_s is not None and window_s > 0 else UNANNOUNCED_WINDOW_S) * WINDOW_SHARE
    return RoundPlan(tuple(sorted(draw.uniform(0, window_s) for _ in range(spec.per_round - late))), late)
