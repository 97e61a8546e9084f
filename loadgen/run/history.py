"""What the workers told, second by second: sums for the whole run, intervals for the plots, sessions for the list."""

from loadgen.figures import (
    DISTRIBUTIONS,
    GatewaySample,
    HlsCounts,
    Interval,
    MediaCounts,
    SessionFigures,
    SignalCounts,
    StudioCounts,
)
from loadgen.result import MAX_SESSIONS_KEPT, Group, Totals

MAX_INTERVALS = 1_800
"""Half an hour of seconds. Of a longer run neighbours are put together, again and again: memory stays the same, and a
plot has no more points than it can show."""

OF_SESSIONS = frozenset({"gap_s"})
"""Distributions whose totals are of whole sessions and not of seconds."""


class History:
    """Grows with the run, up to its bounds."""

    def __init__(self) -> None:
        self.intervals: list[Interval] = []
        self.sessions: list[SessionFigures] = []
        """The first MAX_SESSIONS_KEPT that ended."""
        self.sessions_ended = 0
        self.totals = Totals()
        self._merged = 1
        """How many of the workers' intervals one of `intervals` is."""
        self._pending: list[Interval] = []

    def add(self, interval: Interval, ended: list[SessionFigures]) -> None:
        """A second of all workers together."""
        self._add_to_totals(interval, ended)
        self.sessions_ended += len(ended)
        self.sessions += ended[: MAX_SESSIONS_KEPT - len(self.sessions)]
        self._pending.append(interval)
        if len(self._pending) == self._merged:
            self.intervals.append(_in_a_row(self._pending))
            self._pending = []
        if len(self.intervals) >= MAX_INTERVALS:
            pairs = zip(self.intervals[::2], self.intervals[1::2], strict=True)
            self.intervals = [_in_a_row(list(pair)) for pair in pairs]
            self._merged *= 2

    def all_intervals(self) -> list[Interval]:
        """In order, the last perhaps shorter than the others."""
        return [*self.intervals, *([_in_a_row(self._pending)] if self._pending else [])]

    def _add_to_totals(self, interval: Interval, ended: list[SessionFigures]) -> None:
        totals = self.totals
        for stream, counts in interval.media.items():
            totals.media.setdefault(stream, MediaCounts()).add(counts)
        for stream, hls in interval.hls.items():
            totals.hls.setdefault(stream, HlsCounts()).add(hls)
        totals.hls_failures.update(interval.hls_failures)
        totals.broken_rules.update(interval.broken_rules)
        for stream, signals in interval.signals.items():
            totals.signals.setdefault(stream, SignalCounts()).add(signals)
        totals.signal_failures.update(interval.signal_failures)
        totals.broken_signal_rules.update(interval.broken_signal_rules)
        totals.round_aborts.update(interval.round_aborts)
        totals.round_failures.update(interval.round_failures)
        for stream, studio in interval.studios.items():
            totals.studios.setdefault(stream, StudioCounts()).add(studio)
        totals.joins += interval.joins
        totals.join_failures.update(interval.join_failures)
        totals.ended.update(interval.ended)
        totals.ice_restarts += interval.ice_restarts
        totals.ice_restart_failures.update(interval.ice_restart_failures)
        totals.joins_at.update(interval.joins_at)
        totals.moved.update(interval.moved)
        totals.closed_untold += interval.closed_untold
        totals.moves_refused.update(interval.moves_refused)
        totals.goodbye_failures += interval.goodbye_failures
        totals.peak_viewers = max(totals.peak_viewers, interval.viewers)
        totals.generator.merge(interval.generator)
        for name in DISTRIBUTIONS:
            if name not in OF_SESSIONS:
                totals.distributions[name].merge(getattr(interval, name))
        for session in ended:
            totals.groups.setdefault(session.group, Group()).add(session)
            if session.first_frame_s is not None:
                totals.distributions["gap_s"].add(session.longest_gap_s)


def _in_a_row(intervals: list[Interval]) -> Interval:
    """Neighbours as one: what is counted is added, of what is a state the highest is kept."""
    if len(intervals) == 1:
        return intervals[0]
    merged = Interval(at_s=intervals[-1].at_s, seconds=0.0)
    for interval in intervals:
        merged.merge(interval)
        merged.seconds += interval.seconds
    merged.viewers = max(each.viewers for each in intervals)
    merged.hls_viewers = max(each.hls_viewers for each in intervals)
    merged.signal_players = max(each.signal_players for each in intervals)
    merged.joining = max(each.joining for each in intervals)
    merged.gateway = GatewaySample.highest(each.gateway for each in intervals)
    return merged
