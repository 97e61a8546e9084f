"""The run by groups of players: what each of them went through, beside the others.

Both the table and the lines are empty with a single group: the totals say the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

from loadgen import shares
from loadgen.distribution import Distribution
from loadgen.report import wording
from loadgen.result import Group, Totals


@dataclass(frozen=True, slots=True)
class GroupTable:
    """A column a group, a row a figure: groups are few, and are to be compared."""

    heads: list[str]
    rows: list[tuple[str, ...]]


def table(totals: Totals) -> GroupTable:
    """Groups by name; a figure that none of them has is left out."""
    groups = _to_compare(totals)
    rows = [(name, *(figure(group) for group in groups.values())) for name, figure in _FIGURES.items()]
    return GroupTable(["", *groups], [row for row in rows if set(row[1:]) - {wording.NOT_MEASURED}])


def lines(totals: Totals) -> list[str]:
    """`seated: 200 sessions, longest gap 115 ms, 0 frames dropped, 0 freezes`, one a group, by name."""
    return [f"{name}: {_in_short(group)}" for name, group in _to_compare(totals).items()]


def _to_compare(totals: Totals) -> dict[str, Group]:
    return dict(sorted(totals.groups.items())) if len(totals.groups) > 1 else {}


def _in_short(group: Group) -> str:
    failed = group.join_failures.total()
    return ", ".join(
        [
            wording.plural(group.sessions, "session"),
            *([f"{failed:,} of them failed to join"] if failed else []),
            f"longest gap {wording.duration(_largest(group.distributions['gap_s']))}",
            f"{wording.plural(group.frames_dropped, 'frame')} dropped",
            wording.plural(group.media.freezes, "freeze"),
        ]
    )


def _percentile(name: str, share: float) -> Callable[[Group], str]:
    return lambda group: wording.duration(group.distributions[name].quantile(share))


def _longest(name: str) -> Callable[[Group], str]:
    return lambda group: wording.duration(_largest(group.distributions[name]))


def _largest(values: Distribution) -> float | None:
    return values.largest if values.count else None


_FIGURES: dict[str, Callable[[Group], str]] = {
    "Sessions": lambda group: wording.count(group.sessions),
    "Joins failed": lambda group: wording.count(group.join_failures.total()),
    "Join, p50": _percentile("join_s", 0.5),
    "Join, p95": _percentile("join_s", 0.95),
    "Join, max": _longest("join_s"),
    "First frame, p95": _percentile("first_frame_s", 0.95),
    "Longest gap, p50": _percentile("gap_s", 0.5),
    "Longest gap, p95": _percentile("gap_s", 0.95),
    "Longest gap, max": _longest("gap_s"),
    "Frames complete": lambda group: wording.count(group.media.frames_complete),
    "Frames incomplete": lambda group: wording.count(group.media.frames_incomplete),
    "Frames undecodable": lambda group: wording.count(group.media.frames_undecodable),
    "Frames late": lambda group: wording.count(group.media.frames_late),
    "Freezes": lambda group: wording.count(group.media.freezes),
    "Frozen": lambda group: wording.share(shares.freeze_ratio(group.media)),
    "Packets lost": lambda group: wording.share(shares.loss(group.media)),
    "Packets never came": lambda group: wording.share(shares.residual_loss(group.media)),
    "Delay, p95": _percentile("delay_p99_s", 0.95),
    "Live latency, p50": _percentile("latency_p50_s", 0.5),
    "Live latency, p95": _percentile("latency_p95_s", 0.95),
    "Requests": lambda group: wording.count(group.hls.requests if group.hls is not None else None),
    "Requests failed": lambda group: wording.count(group.hls.failures if group.hls is not None else None),
    "Bets": lambda group: wording.count(group.signals.bets if group.signals is not None else None),
    "Bets accepted": lambda group: wording.share(shares.bets_accepted(group.signals) if group.signals else None),
    "Bets unanswered": lambda group: wording.count(group.signals.bets_unanswered if group.signals else None),
    "Bet round trip, p95": _percentile("bet_rtt_p95_s", 0.95),
    "Moved": lambda group: wording.count(group.moved or None),
    "Move, p95": _percentile("move_s", 0.95),
    "Move, max": _longest("move_s"),
    "Back again, max": _longest("back_s"),
}
"""What people call it -> its words."""
