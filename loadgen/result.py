"""A whole run: what verdict and report are made of."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from loadgen.distribution import Distribution
from loadgen.figures import (
    DISTRIBUTIONS,
    Generator,
    HlsCounts,
    Interval,
    MediaCounts,
    SessionFigures,
    SignalCounts,
    StudioCounts,
)

MAX_SESSIONS_KEPT = 20_000
"""Sessions kept one by one; a soak of hours with players that come and go has more. Sums and percentiles are of all."""


class Outcome(Enum):
    """How a run ended."""

    PASSED = "passed"
    MISSED = "threshold missed"
    OVERLOADED = "generator overloaded"
    FAILED = "could not run"
    INTERRUPTED = "interrupted"

    @property
    def exit_status(self) -> int:
        """For the shell."""
        return _EXIT_STATUS[self]


_EXIT_STATUS = {
    Outcome.PASSED: 0,
    Outcome.MISSED: 1,
    Outcome.FAILED: 2,
    Outcome.OVERLOADED: 3,
    Outcome.INTERRUPTED: 130,
}


@dataclass(frozen=True, slots=True)
class ThresholdResult:
    """One threshold and what became of it."""

    text: str
    """As in the scenario: `join_p95 < 500ms`."""
    measured: float | None
    """In the metric's base unit (seconds, a share of 1, a count ...); None when nothing was measured."""
    measured_text: str
    """For people, in the threshold's own unit: `38.2 ms`, or `not measured`."""
    is_met: bool


GROUP_DISTRIBUTIONS = (
    "join_s",
    "first_frame_s",
    "gap_s",
    "delay_p50_s",
    "delay_p99_s",
    "latency_p50_s",
    "latency_p95_s",
    "bet_rtt_p50_s",
    "bet_rtt_p95_s",
    "move_s",
    "back_s",
)
"""Names of the distributions of a `Group`."""


@dataclass(slots=True)
class Group:
    """What one group of players went through: the sum of all their sessions that have ended, kept or not."""

    sessions: int = 0
    """Failed joins are among them."""
    moved: int = 0
    """Those whose players went on elsewhere, as they were told."""
    join_failures: Counter[str] = field(default_factory=Counter)
    """By cause."""
    media: MediaCounts = field(default_factory=MediaCounts)
    hls: HlsCounts | None = None
    """None without a session by LL-HLS."""
    signals: SignalCounts | None = None
    """None without a session with signals."""
    distributions: dict[str, Distribution] = field(
        default_factory=lambda: {name: Distribution() for name in GROUP_DISTRIBUTIONS}
    )
    """One value a session, in seconds; gap_s is the longest gap of each that saw something."""

    def add(self, session: SessionFigures) -> None:
        """Take in a session that has ended."""
        self.sessions += 1
        self.moved += session.moved
        self.media.add(session.media)
        if session.hls is not None:
            self.hls = self.hls or HlsCounts()
            self.hls.add(session.hls)
        if session.signals is not None:
            self.signals = self.signals or SignalCounts()
            self.signals.add(session.signals)
        if session.join_s is None:
            self.join_failures[session.end] += 1
        for name, value_s in _measured(session):
            self.distributions[name].add(value_s)

    @property
    def frames_dropped(self) -> int:
        """Frames that did not come whole, or could not be decoded."""
        return self.media.frames_incomplete + self.media.frames_undecodable


def _measured(session: SessionFigures) -> Iterator[tuple[str, float]]:
    saw_something = session.first_frame_s is not None
    values_s = (
        session.join_s,
        session.first_frame_s,
        session.longest_gap_s if saw_something else None,
        session.delay_p50_s,
        session.delay_p99_s,
        session.latency_p50_s,
        session.latency_p95_s,
        session.bet_rtt_p50_s,
        session.bet_rtt_p95_s,
        session.move_s,
        session.back_s,
    )
    for name, value_s in zip(GROUP_DISTRIBUTIONS, values_s, strict=True):
        if value_s is not None:
            yield name, value_s


@dataclass(slots=True)
class Totals:
    """The run's sums and distributions, of all sessions."""

    media: dict[str, MediaCounts] = field(default_factory=dict)
    """By stream."""
    groups: dict[str, Group] = field(default_factory=dict)
    """By the name of the group of players."""
    hls: dict[str, HlsCounts] = field(default_factory=dict)
    """By stream; empty without LL-HLS players."""
    hls_failures: Counter[str] = field(default_factory=Counter)
    """Requests, by cause."""
    broken_rules: Counter[str] = field(default_factory=Counter)
    """By rule."""
    signals: dict[str, SignalCounts] = field(default_factory=dict)
    """By stream; empty without players with signals."""
    signal_failures: Counter[str] = field(default_factory=Counter)
    """Connections for signals that did not come up, by cause."""
    broken_signal_rules: Counter[str] = field(default_factory=Counter)
    """By rule."""
    round_aborts: Counter[str] = field(default_factory=Counter)
    """Rounds of the scenario's studios, by the cause that the server gives."""
    round_failures: Counter[str] = field(default_factory=Counter)
    """Requests about rounds, by cause."""
    studios: dict[str, StudioCounts] = field(default_factory=dict)
    joins: int = 0
    join_failures: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    ice_restarts: int = 0
    ice_restart_failures: Counter[str] = field(default_factory=Counter)
    goodbye_failures: int = 0
    """Sessions whose DELETE the server did not take."""
    joins_at: Counter[str] = field(default_factory=Counter)
    """Joins by the base URL of the edge."""
    moved: Counter[str] = field(default_factory=Counter)
    """By stream: sessions whose players went on elsewhere, as they were told."""
    closed_untold: int = 0
    """Sessions that the server closed without having told their players to go on elsewhere."""
    moves_refused: Counter[str] = field(default_factory=Counter)
    """Edges that players were told of and did not go to, by cause."""
    peak_viewers: int = 0
    distributions: dict[str, Distribution] = field(
        default_factory=lambda: {name: Distribution() for name in DISTRIBUTIONS}
    )
    """By the names of `Interval`'s; gap_s is of whole sessions: the longest gap of each."""
    generator: Generator = field(default_factory=Generator)

    @property
    def back_lost(self) -> int:
        """Of `closed_untold`: whose players saw no frame (of signals alone: no welcome) in the session that came next,
        or had none."""
        return self.closed_untold - self.distributions["back_s"].count

    @property
    def all_media(self) -> MediaCounts:
        """The sum over all streams."""
        total = MediaCounts()
        for counts in self.media.values():
            total.add(counts)
        return total

    @property
    def all_hls(self) -> HlsCounts:
        """The sum over all streams."""
        total = HlsCounts()
        for counts in self.hls.values():
            total.add(counts)
        return total

    @property
    def all_signals(self) -> SignalCounts:
        """The sum over all streams."""
        total = SignalCounts()
        for counts in self.signals.values():
            total.add(counts)
        return total

    @property
    def all_studios(self) -> StudioCounts:
        """The sum over all streams."""
        total = StudioCounts()
        for counts in self.studios.values():
            total.add(counts)
        return total


@dataclass(slots=True)
class ServerCounts:
    """One figure as both sides counted it."""

    name: str
    """For people: `packets, gateway to players`."""
    metric: str
    """The name of the gateway's metric, with the labels that were summed."""
    server: float
    """Over the run."""
    client: float


@dataclass(slots=True)
class RunResult:
    """Everything that is known when a run is over."""

    scenario_name: str
    summary: str
    target: str
    started_unix_s: float
    seconds: float
    settings: dict[str, Any]
    """The scenario as it was run, flags applied."""
    machine: dict[str, str]
    """Processor, kernel, versions."""
    intervals: list[Interval] = field(default_factory=list)
    sessions: list[SessionFigures] = field(default_factory=list)
    """At most MAX_SESSIONS_KEPT."""
    totals: Totals = field(default_factory=Totals)
    thresholds: list[ThresholdResult] = field(default_factory=list)
    comparison: list[ServerCounts] = field(default_factory=list)
    """Empty when the server's metrics were not given, or are not known."""
    remarks: list[str] = field(default_factory=list)
    """What a reader has to know before believing the figures, one sentence each."""
    outcome: Outcome = Outcome.FAILED
