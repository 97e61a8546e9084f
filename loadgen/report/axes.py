"""Where the marks on a plot's axes stand, and what is written beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

MOST_MARKS = 5
MARGIN = 0.1
"""What an axis that does not begin at 0 shows below and above, as a share: noise shall not look like growth."""
LEAST_WHOLE = 4
"""Where an axis of whole numbers ends at least: with fewer marks it would have halves."""


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The time since the run began, in a unit that keeps its figures short."""

    seconds_a_unit: float
    label: str


_TIME_AXES = (
    (180.0, TimeAxis(1, "seconds since the run began")),
    (3 * 3600.0, TimeAxis(60, "minutes since the run began")),
    (float("inf"), TimeAxis(3600, "hours since the run began")),
)


def time_axis(run_s: float) -> TimeAxis:
    """For a run of so many seconds."""
    return next(axis for up_to_s, axis in _TIME_AXES if run_s <= up_to_s)


def marks(smallest: float, largest: float) -> list[float]:
    """A few round values: the first at or below `smallest`, the last at or above `largest`."""
    ticks = MaxNLocator(nbins=MOST_MARKS, steps=[1, 2, 2.5, 5, 10]).tick_values(smallest, largest)
    return [float(tick) for tick in ticks]


def heights(values: Sequence[float], *, begins_at_zero: bool, is_whole: bool) -> list[float]:
    """Marks of an axis that shows all of these values, at least one."""
    largest = max(*values, LEAST_WHOLE if is_whole else 0)
    if begins_at_zero:
        return marks(0, largest or 1)
    return marks(min(values) * (1 - MARGIN), largest * (1 + MARGIN))


def apart(wanted: Sequence[float], distance: float, highest: float) -> list[float]:
    """These positions, moved as little as keeps them `distance` from one another and below `highest`: labels of lines
    that end close together. The order stays."""
    order = np.argsort(wanted, kind="stable")
    placed = [float(wanted[index]) for index in order]
    for index in range(1, len(placed)):
        placed[index] = max(placed[index], placed[index - 1] + distance)
    ceiling = highest
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - distance
    positions = dict(zip(order.tolist(), placed, strict=True))
    return [positions[index] for index in range(len(wanted))]
