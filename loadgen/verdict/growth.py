"""How fast the gateway's memory grows once everybody watches: a leak shows in an hour what kills an edge in a week."""

import statistics
from collections.abc import Sequence
from itertools import combinations

from loadgen.figures import Interval

Point = tuple[float, float]
"""(seconds since the run began, value)."""

FULL_HOUSE_SHARE = 0.9
"""Of the most viewers there were: from then on the run is steady. Players that come and go stay above it."""

MAX_SETTLING_S = 600.0
"""After the last join a process still fills its caches and pools, and for minutes: a leak goes on after that. Of a
short run it is half of the steady part."""

MIN_STEADY_S = 12.0
"""Of less, one page more or less is a steep slope."""

MAX_POINTS = 400
"""The estimate compares all pairs of points: 80,000 pairs take 30 ms, and two days of seconds would take hours."""


def steady_part(intervals: Sequence[Interval]) -> list[Interval]:
    """The intervals with a full house, without the settling after the ramp; those without viewers at all are none."""
    full = FULL_HOUSE_SHARE * max((each.viewers for each in intervals), default=0)
    if not full:
        return []
    full_house = [each.at_s for each in intervals if each.viewers >= full]
    first_s, last_s = full_house[0], full_house[-1]
    begin_s = first_s + min((last_s - first_s) / 2, MAX_SETTLING_S)
    return [each for each in intervals if begin_s <= each.at_s <= last_s]


def growth_per_s(points: Sequence[Point]) -> float | None:
    """The slope of `points`, as a share of the first value a second: the median of the slopes of all pairs
    (Theil 1950, Sen 1968), which a few spikes do not move. None for less than MIN_STEADY_S, or from nothing."""
    if not points or points[-1][0] - points[0][0] < MIN_STEADY_S:
        return None
    thinned = _thinned(points)
    first = thinned[0][1]
    if first <= 0:
        return None
    slopes = [(right[1] - left[1]) / (right[0] - left[0]) for left, right in combinations(thinned, 2)]
    return statistics.median(slopes) / first


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most MAX_POINTS: the medians of as many points in a row."""
    size = -(-len(points) // MAX_POINTS)
    runs = [points[start : start + size] for start in range(0, len(points), size)]
    return [(statistics.median(at_s for at_s, _ in run), statistics.median(value for _, value in run)) for run in runs]
