"""A run cut into steps of time: what happens in a second is too much to write down, or to draw, of a run of hours.

A step is one interval, or a few in a row taken together: what is counted is added up, percentiles are of all values in
it, and what is a level (viewers, CPU, memory) is the highest in it, so that no peak is lost.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TypeVar

from loadgen.distribution import Distribution
from loadgen.figures import (
    DISTRIBUTIONS,
    GatewaySample,
    Generator,
    HlsCounts,
    Interval,
    MediaCounts,
    SignalCounts,
    StudioCounts,
)

GAP_S = 1.5
"""Time between two intervals of which nothing is known, from which on it is a gap and not a late tick."""

LEAST_S = 0.5
"""Of time, to speak of a rate: what is left over at a run's end may be a few milliseconds, all of them goodbyes."""

Kind = TypeVar("Kind", MediaCounts, HlsCounts, SignalCounts, StudioCounts)


@dataclass(slots=True)
class Step:
    """Some seconds of the run, in all streams together."""

    at_s: float
    """Its end."""
    seconds: float
    """Of its intervals."""
    viewers: int = 0
    hls_viewers: int = 0
    signal_players: int = 0
    joining: int = 0
    joins: int = 0
    join_failures: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    ice_restarts: int = 0
    moved: int = 0
    media: MediaCounts = field(default_factory=MediaCounts)
    hls: HlsCounts = field(default_factory=HlsCounts)
    signals: SignalCounts = field(default_factory=SignalCounts)
    studios: StudioCounts = field(default_factory=StudioCounts)
    distributions: dict[str, Distribution] = field(default_factory=dict)
    """By the names of `Interval`'s."""
    generator: Generator = field(default_factory=Generator)
    gateway: GatewaySample = field(default_factory=GatewaySample)


def steps(intervals: Sequence[Interval], most: int) -> list[Step]:
    """At most about `most` steps: one more for each gap, for none spans it."""
    together = max(1, -(-len(intervals) // most))
    return [step_of(chunk) for chunk in _chunks(intervals, together)]


def drawable(cut: Iterable[Step]) -> list[Step]:
    """Those long enough for a rate."""
    return [step for step in cut if step.seconds >= LEAST_S]


def _chunks(intervals: Iterable[Interval], together: int) -> Iterator[list[Interval]]:
    chunk: list[Interval] = []
    for interval in intervals:
        if chunk and (len(chunk) == together or is_gap(chunk[-1].at_s, interval)):
            yield chunk
            chunk = []
        chunk.append(interval)
    if chunk:
        yield chunk


def is_gap(before_s: float, after: Interval | Step) -> bool:
    """Whether nothing is known of some time between `before_s` and the beginning of `after`."""
    return after.at_s - after.seconds - before_s > GAP_S


def step_of(intervals: Sequence[Interval]) -> Step:
    """These intervals, at least one, taken together."""
    step = Step(
        at_s=intervals[-1].at_s,
        seconds=sum(interval.seconds for interval in intervals),
        viewers=max(interval.viewers for interval in intervals),
        hls_viewers=max(interval.hls_viewers for interval in intervals),
        signal_players=max(interval.signal_players for interval in intervals),
        joining=max(interval.joining for interval in intervals),
        joins=sum(interval.joins for interval in intervals),
        ice_restarts=sum(interval.ice_restarts for interval in intervals),
        moved=sum(interval.moved.total() for interval in intervals),
        media=summed(MediaCounts, [counts for interval in intervals for counts in interval.media.values()]),
        hls=summed(HlsCounts, [counts for interval in intervals for counts in interval.hls.values()]),
        signals=summed(SignalCounts, [counts for interval in intervals for counts in interval.signals.values()]),
        studios=summed(StudioCounts, [counts for interval in intervals for counts in interval.studios.values()]),
        distributions={name: _merged(intervals, name) for name in DISTRIBUTIONS},
        gateway=GatewaySample.highest(interval.gateway for interval in intervals),
    )
    for interval in intervals:
        step.join_failures.update(interval.join_failures)
        step.ended.update(interval.ended)
        step.generator.merge(interval.generator)
    return step


def summed(kind: type[Kind], rows: Iterable[Kind]) -> Kind:
    """The sum of each field. It is called with a row a stream and second of the run: hence column by column."""
    columns = zip(*map(_FIELDS[kind], rows), strict=True)
    return kind(*map(sum, columns))


_FIELDS = {
    kind: attrgetter(*(each.name for each in fields(kind)))
    for kind in (MediaCounts, HlsCounts, SignalCounts, StudioCounts)
}


def _merged(intervals: Sequence[Interval], name: str) -> Distribution:
    if len(intervals) == 1:
        return getattr(intervals[0], name)  # type: ignore[no-any-return]
    merged = Distribution()
    for interval in intervals:
        values: Distribution = getattr(interval, name)
        if values.count:
            merged.merge(values)
    return merged
