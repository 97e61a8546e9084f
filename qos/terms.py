"""What the score is made of: one row a term. docs/qos.md says where the numbers come from; a test compares them."""

from collections.abc import Callable
from dataclasses import dataclass

from qos.measurement import Measurement

PERCENTILE = 0.95
"""Of the round trips of bet signals: the objective is p95 <= 120 ms."""


@dataclass(frozen=True, slots=True)
class Term:
    """One impairment. Costs nothing up to `begins_at`, all its points from `all_at` on, in between in proportion."""

    name: str
    """The label of `railbird_qos_points_lost`."""
    measure: Callable[[Measurement], float | None]
    """The value; None where the window has no data of it."""
    unit: str
    begins_at: float
    all_at: float
    points: float
    """What it costs at most."""
    meaning: str
    source: str
    """Of the two thresholds."""

    def lost(self, value: float | None) -> float:
        """Points, for a measured value; what was not measured costs nothing."""
        if value is None:
            return 0.0
        severity = (value - self.begins_at) / (self.all_at - self.begins_at)
        return self.points * min(max(severity, 0.0), 1.0)


TERMS = (
    Term(
        "signal_rtt",
        lambda measured: measured.rtt.quantile(PERCENTILE),
        "s",
        begins_at=0.120,
        all_at=0.800,
        points=40,
        meaning="Round trip of bet signals, 95th percentile",
        source="begins: our objective for bets; all: twice 400 ms one way, the bound of ITU-T G.114",
    ),
    Term(
        "frames_dropped",
        lambda measured: measured.dropped_share,
        "ratio",
        begins_at=0.005,
        all_at=0.10,
        points=40,
        meaning="Share of video frames that did not make it through the three legs",
        source="our judgement; all: the share of lost frames that fails a round (rounds.aborts.frames_lost_share)",
    ),
    Term(
        "frozen",
        lambda measured: measured.frozen_share,
        "ratio",
        begins_at=0.002,
        all_at=0.10,
        points=60,
        meaning="Share of the time in which the picture stood still",
        source="our judgement; that it weighs most follows Dobrian et al. (CACM 3/2013)",
    ),
    Term(
        "freezes",
        lambda measured: measured.freezes_per_minute,
        "1/min",
        begins_at=0.2,
        all_at=4.0,
        points=20,
        meaning="Freezes a minute of watching, however short",
        source="our judgement; that their number counts beside their length follows ITU-T P.1203.3",
    ),
    Term(
        "packets_lost",
        lambda measured: measured.lost_share,
        "ratio",
        begins_at=0.01,
        all_at=0.10,
        points=20,
        meaning="Share of packets lost between studio and player",
        source="our judgement; makers of video conferencing call up to 1 % good",
    ),
    Term(
        "rounds_aborted",
        lambda measured: measured.aborted_share,
        "ratio",
        begins_at=0.0,
        all_at=0.05,
        points=40,
        meaning="Share of the rounds that ended which the network or this edge aborted",
        source="our judgement: each is a table that has to pay its bets back",
    ),
)
"""Their points add up to more than 100: two bad terms may be enough for a score of 0."""
