"""What both sides counted: where they differ, something was lost between them, or one of them counts wrongly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loadgen.figures import MediaCounts, StudioCounts
from loadgen.result import ServerCounts, Totals
from loadgen.target.scrape import START_TIME, Scrape

PACKETS_TO_PLAYERS = "packets, gateway to players, retransmissions included"

Counter = tuple[str, Mapping[str, str]]
"""(name, labels that are summed over all others)."""

_INGEST = {"leg": "ingest"}
_EGRESS = {"leg": "egress"}


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    counters: tuple[Counter, ...]
    """Summed."""
    client: Callable[[Totals], float]


def _studios(value: Callable[[StudioCounts], int]) -> Callable[[Totals], float]:
    return lambda totals: sum(map(value, totals.studios.values()))


def _players(value: Callable[[MediaCounts], int]) -> Callable[[Totals], float]:
    return lambda totals: value(totals.all_media)


_OF_STUDIOS = (
    _Row(
        "packets, studios to gateway", (("railbird_packets_total", _INGEST),), _studios(lambda studio: studio.packets)
    ),
    _Row(
        "video frames, studios to gateway",
        (("railbird_frames_total", {"track": "video"}),),
        _studios(lambda studio: studio.frames),
    ),
    _Row(
        "keyframes, studios to gateway", (("railbird_keyframes_total", {}),), _studios(lambda studio: studio.keyframes)
    ),
    _Row(
        "packets asked for again, gateway to studios",
        (("railbird_nacked_packets_total", _INGEST),),
        _studios(lambda studio: studio.nacks_received),
    ),
    _Row(
        "keyframe requests, gateway to studios",
        (("railbird_keyframe_requests_total", _INGEST),),
        _studios(lambda studio: studio.plis_received),
    ),
)
_OF_HLS = (
    _Row(
        "requests of players by LL-HLS; those given up at the end while they wait are no answer to either",
        (("railbird_hls_requests_total", {}),),
        lambda totals: totals.all_hls.requests,
    ),
)
_OF_SIGNALS = (
    _Row(
        "bets answered, those that were sent again once more for each time",
        (("railbird_bets_total", {}),),
        lambda totals: totals.all_signals.bets_answered + totals.all_signals.resends,
    ),
    _Row(
        "bets accepted",
        (("railbird_bets_total", {"state": "accepted"}),),
        lambda totals: totals.all_signals.accepted,
    ),
)
_OF_PLAYERS = (
    _Row(
        PACKETS_TO_PLAYERS,
        (("railbird_packets_total", _EGRESS), ("railbird_retransmissions_total", {})),
        # Before the scenario's own impairment, which is no loss between the two.
        lambda totals: totals.generator.received_packets,
    ),
    _Row(
        "packets, retransmitted to players",
        (("railbird_retransmissions_total", {}),),
        _players(lambda media: media.retransmissions),
    ),
    _Row(
        "packets lost on the way to players",
        (("railbird_packets_lost_total", _EGRESS),),
        _players(lambda media: media.lost),
    ),
    _Row(
        "packets asked for again by players",
        (("railbird_nacked_packets_total", _EGRESS),),
        _players(lambda media: media.nacked),
    ),
    _Row(
        "keyframe requests by players",
        (("railbird_keyframe_requests_total", _EGRESS),),
        _players(lambda media: media.plis),
    ),
    _Row(
        "video frames dropped: by the gateway on purpose, in players for want of a packet",
        (("railbird_frames_dropped_total", _EGRESS),),
        _players(lambda media: media.frames_incomplete + media.frames_undecodable),
    ),
    _Row(
        "players' sessions ended",
        (("railbird_sessions_ended_total", _EGRESS),),
        lambda totals: totals.ended.total() - _ended_by_hls(totals) - _ended_by_signals(totals),
    ),
)


def _ended_by_hls(totals: Totals) -> int:
    """Sessions of players by LL-HLS, of which the gateway knows nothing."""
    groups = (group for group in totals.groups.values() if group.hls is not None)
    return sum(group.sessions - group.join_failures.total() for group in groups)


def _ended_by_signals(totals: Totals) -> int:
    """Sessions of players by signals alone."""
    return totals.distributions["signal_join_s"].count


@dataclass(frozen=True, slots=True)
class Comparison:
    """For the report; without counts a remark says why."""

    counts: list[ServerCounts]
    remarks: list[str]


def compare(start: Scrape | None, end: Scrape | None, totals: Totals) -> Comparison:
    """The server's counters over the run, beside the load generator's own. `start` and `end` are from before the first
    session and from after the last one; None when there was no answer."""
    if start is None or end is None:
        return Comparison([], ["The gateway's /metrics could not be read: what it counted is not known."])
    if not end.knows_railbird:
        return Comparison([], ["The server counts nothing by railbird's names: its figures cannot be set beside ours."])
    if start.value(START_TIME) != end.value(START_TIME):
        return Comparison([], ["The gateway restarted during the run, and began to count anew."])
    of_players = (
        *(_OF_PLAYERS if totals.media else ()),
        *(_OF_HLS if totals.hls else ()),
        *(_OF_SIGNALS if totals.all_signals.bets else ()),
    )
    rows = (*(_OF_STUDIOS if totals.studios else ()), *(() if len(totals.joins_at) > 1 else of_players))
    return Comparison([_counts(row, start, end, totals) for row in rows], _remarks(totals))


def _counts(row: _Row, start: Scrape, end: Scrape, totals: Totals) -> ServerCounts:
    streams = totals.media.keys() | totals.studios.keys() | totals.signals.keys()
    server = sum(end.total(*counter, streams) - start.total(*counter, streams) for counter in row.counters)
    metric = " + ".join(_selector(*counter) for counter in row.counters)
    return ServerCounts(row.name, metric, server, row.client(totals))


def _selector(name: str, labels: Mapping[str, str]) -> str:
    """As PromQL has it."""
    return name + ("{" + ",".join(f'{label}="{value}"' for label, value in labels.items()) + "}" if labels else "")


def _remarks(totals: Totals) -> list[str]:
    remarks = []
    if len(totals.joins_at) > 1:
        remarks.append(
            f"Players were at {len(totals.joins_at)} edges: what they counted there is not set beside the counters of "
            "one gateway."
        )
    if totals.generator.kernel_drops:
        remarks.append(
            f"{totals.generator.kernel_drops} datagrams reached this machine and were lost in the load generator's own "
            "socket buffers: the gateway counts them as sent."
        )
    if totals.ended["tab_close"]:
        remarks.append(
            f"{totals.ended['tab_close']} players left without goodbye: what the gateway sent them until it noticed is "
            "counted as sent, and was read by nobody."
        )
    return remarks
