"""The rows of the page's tables, made of a run."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loadgen import shares
from loadgen.distribution import Distribution
from loadgen.figures import MediaCounts, SessionFigures, StudioCounts
from loadgen.report import wording
from loadgen.report.document import PERCENTILES
from loadgen.result import ServerCounts, Totals

WORST = 8
"""Sessions in a list of the worst ones."""

Row = tuple[str, ...]


TIMES = {
    "join_s": "Join",
    "first_frame_s": "First frame",
    "delay_s": "Delay",
    "gap_s": "Longest gap",
    "rtt_s": "Round trip",
    "jitter_s": "Jitter",
    "hls_join_s": "HLS join",
    "hls_first_frame_s": "HLS first frame",
    "hls_request_s": "HLS request",
    "hls_lateness_s": "HLS lateness",
    "hls_latency_s": "HLS live latency",
    "hls_delay_s": "HLS delay",
    "bet_rtt_s": "Bet, round trip",
    "signal_rtt_s": "Ping, round trip",
    "signal_join_s": "Signals join",
    "move_s": "Move",
    "back_s": "Back again",
}
"""Distribution -> what people call it."""


def times(distributions: Mapping[str, Distribution]) -> list[Row]:
    """Name, percentiles, largest and number of values of each distribution that has any."""
    return [
        (
            name,
            *(wording.duration(values.quantile(share)) for share in PERCENTILES.values()),
            wording.duration(values.largest),
            wording.count(values.count),
        )
        for key, name in TIMES.items()
        if (values := distributions[key]).count
    ]


@dataclass(frozen=True, slots=True)
class BothSides:
    """One figure as the gateway and the players counted it."""

    name: str
    metric: str
    server: str
    client: str
    difference: str


def both_sides(comparison: Iterable[ServerCounts]) -> list[BothSides]:
    """What the gateway and the players counted, and the difference."""
    return [
        BothSides(
            counts.name,
            counts.metric,
            wording.count(counts.server),
            wording.count(counts.client),
            _difference(counts),
        )
        for counts in comparison
    ]


def _difference(counts: ServerCounts) -> str:
    difference = counts.client - counts.server
    if not difference:
        return "none"
    of_server = shares.divided(abs(difference), counts.server)
    return f"{difference:+,.0f}" + (f" ({wording.share(of_server)})" if of_server is not None else "")


def streams(totals: Totals) -> list[Row]:
    """Stream, frames sent, packets received, loss, residual loss, frames not shown, freezes, time frozen."""
    names = sorted(totals.media.keys() | totals.studios.keys(), key=_by_number)
    return [_stream(name, totals.media.get(name, MediaCounts()), totals.studios.get(name)) for name in names]


def _by_number(name: str) -> list[tuple[str, int]]:
    """`table-2` comes before `table-10`."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)([0-9]*)", name)]


def _stream(name: str, media: MediaCounts, studio: StudioCounts | None) -> Row:
    return (
        name,
        wording.count(studio.frames if studio else None),
        wording.count(media.packets),
        wording.share(shares.loss(media)),
        wording.share(shares.residual_loss(media)),
        wording.share(shares.frames_not_shown(media)),
        wording.count(media.freezes),
        wording.share(shares.freeze_ratio(media)),
    )


def slowest(sessions: Iterable[SessionFigures]) -> list[Row]:
    """Sessions that waited longest for their first frame; before them who joined and saw none."""
    joined = [session for session in sessions if session.join_s is not None]
    return _worst(joined, lambda session: (session.first_frame_s is None, session.first_frame_s or session.join_s))


def worst_to_watch(sessions: Iterable[SessionFigures]) -> list[Row]:
    """Sessions whose picture stood longest, or came with the longest gap."""
    watched = [session for session in sessions if session.first_frame_s is not None]
    return _worst(watched, lambda session: (session.media.frozen_s, session.longest_gap_s))


def _worst(sessions: list[SessionFigures], badness: Callable[[SessionFigures], Any]) -> list[Row]:
    return [_session(session) for session in sorted(sessions, key=badness, reverse=True)[:WORST]]


def _session(session: SessionFigures) -> Row:
    """Stream, group, when it began, how it ended, join, first frame, longest gap, time frozen, residual loss, delay."""
    return (
        session.stream,
        session.group,
        f"{max(session.started_s, 0.0):,.1f} s",  # the first may be a moment early
        session.end,
        wording.duration(session.join_s),
        wording.duration(session.first_frame_s),
        wording.duration(session.longest_gap_s),
        wording.duration(session.media.frozen_s),
        wording.share(shares.residual_loss(session.media)),
        wording.duration(session.delay_p99_s),
    )


def settings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each setting by its dotted path, as `--set` takes it: `players.0.count`, `1000`."""
    if isinstance(value, Mapping) and value:
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list | tuple) and value:
        items = enumerate(value)
    else:
        yield path, "none" if value is None or value in ({}, [], ()) else str(value)
        return
    for key, item in items:
        yield from settings(item, f"{path}.{key}".lstrip("."))
