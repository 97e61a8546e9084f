"""Players who are to go on elsewhere: when each is to go, and where to. Pure: time is passed in."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """What one player is told."""

    at_s: float
    """Monotonic: when it is to go."""
    to: str | None
    """Base URL of the edge that it is to go to; None: the address that it came by."""


@dataclass(frozen=True, slots=True)
class Moving:
    """A stream whose players are being moved."""

    until_s: float
    """Monotonic: by then the last of them goes."""
    next_edge: Callable[[], str | None]
    """The base URL for the next player."""

    def move_of_newcomer(self, now_s: float) -> Move:
        """For who comes while the others are on their way."""
        return Move(now_s + random.uniform(0.0, max(self.until_s - now_s, 0.0)), self.next_edge())


def spread(count: int, over_s: float) -> Iterator[float]:
    """A time for each of `count`, in seconds from now, in no order: as many in each part of `over_s`."""
    order = random.sample(range(count), count)
    return ((place + random.random()) * over_s / count for place in order)
