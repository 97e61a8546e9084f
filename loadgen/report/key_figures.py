"""The figures that a reader looks for first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadgen import shares
from loadgen.figures import Generator, Interval, MediaCounts
from loadgen.report import wording
from loadgen.report.steps import LEAST_S
from loadgen.result import RunResult, Totals


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One figure that a reader looks for first."""

    name: str
    value: str
    note: str
    """What it is of, or the figure beside it."""


def key_figures(result: RunResult) -> list[KeyFigure]:
    """At most a dozen, four of LL-HLS, three of bets and two of moves; what was not measured is left out."""
    totals, media = result.totals, result.totals.all_media
    figures = [
        KeyFigure("Viewers at the peak", wording.count(totals.peak_viewers), _of_streams(totals)),
        KeyFigure("Joins", wording.count(totals.joins), _failures(totals)),
        _percentile("Time to join", totals, "join_s"),
        _percentile("First frame", totals, "first_frame_s"),
        _percentile("Delay from the studio", totals, "delay_s"),
        _percentile("First frame by LL-HLS", totals, "hls_first_frame_s"),
        _percentile("Live latency of LL-HLS", totals, "hls_latency_s"),
        _percentile("Delay from the studio by LL-HLS", totals, "hls_delay_s"),
        *_hls_requests(totals),
        _percentile("Round trip of a bet", totals, "bet_rtt_s"),
        *_bets(totals),
        *_rounds(totals),
        *_moves(totals),
        *_closed_untold(totals),
        KeyFigure("Packets lost", wording.share(shares.loss(media)), _after_repair(media)),
        KeyFigure("Frames not shown", wording.share(shares.frames_not_shown(media)), _late(media)),
        KeyFigure("Freezes", wording.count(media.freezes), _frozen(media)),
        KeyFigure("Bitrate at the peak", wording.rate(_peak_bitrate_bps(result.intervals)), "of all players together"),
        _gateway(result.intervals),
        _generator(totals.generator),
    ]
    return [figure for figure in figures if figure.value != wording.NOT_MEASURED]


def _generator(generator: Generator) -> KeyFigure:
    busiest = wording.share(generator.busiest_share)
    if generator.hls_requests and generator.received_packets:
        return KeyFigure("Load generator", busiest, "of a core, its busiest process")
    cost_s, noun = shares.cpu_a_packet_s(generator), "packet"
    if generator.hls_requests:
        cost_s, noun = shares.cpu_a_request_s(generator), "request"
    note = f"of CPU a {noun}; busiest process {busiest} of a core"
    return KeyFigure("Load generator", wording.cpu_a_packet(cost_s), note)


def _hls_requests(totals: Totals) -> list[KeyFigure]:
    if not totals.hls:
        return []
    hls = totals.all_hls
    causes = wording.causes(totals.hls_failures)
    failed = f"{wording.share(shares.requests_failed(hls))} failed" + (f": {causes}" if causes else "")
    return [KeyFigure("Requests by LL-HLS", wording.count(hls.requests), failed)]


def _bets(totals: Totals) -> list[KeyFigure]:
    signals = totals.all_signals
    if not signals.bets:
        return []
    accepted = f"{wording.share(shares.bets_accepted(signals))} accepted"
    broken = f", {wording.plural(signals.rules_broken, 'broken rule')}" if signals.rules_broken else ""
    return [
        KeyFigure("Bets", wording.count(signals.bets), f"{accepted}; {signals.bets_unanswered:,} unanswered{broken}")
    ]


def _rounds(totals: Totals) -> list[KeyFigure]:
    studios = totals.all_studios
    if not studios.rounds_opened:
        return []
    causes = wording.causes(totals.round_aborts)
    aborted = f"{studios.rounds_aborted:,} aborted" + (f": {causes}" if causes else "")
    return [KeyFigure("Rounds", wording.count(studios.rounds_opened), f"{studios.rounds_settled:,} settled, {aborted}")]


def _moves(totals: Totals) -> list[KeyFigure]:
    moved, times = totals.moved.total(), totals.distributions["move_s"]
    if not moved:
        return []
    longest = wording.duration(times.largest if times.count else None)
    away = f"; {moved - times.count:,} saw no picture again" if times.count < moved else ""
    return [KeyFigure("Moved to another edge", wording.count(moved), f"{longest} without a picture at the most{away}")]


def _closed_untold(totals: Totals) -> list[KeyFigure]:
    closed, times = totals.closed_untold, totals.distributions["back_s"]
    if not closed:
        return []
    back = f"back after {wording.duration(times.largest)} at the most; " if times.count else ""
    note = f"{back}{totals.back_lost:,} saw no picture again"
    return [KeyFigure("Closed without a word", wording.count(closed), note)]


def _of_streams(totals: Totals) -> str:
    return f"of {wording.plural(len(totals.media), 'stream')}"


def _failures(totals: Totals) -> str:
    failed = sum(totals.join_failures.values())
    return f"{failed:,} failed: {wording.causes(totals.join_failures)}" if failed else "none failed"


def _percentile(name: str, totals: Totals, distribution: str) -> KeyFigure:
    values = totals.distributions[distribution]
    middle = wording.duration(values.quantile(0.5))
    return KeyFigure(name, wording.duration(values.quantile(0.95)), f"95th percentile; median {middle}")


def _after_repair(media: MediaCounts) -> str:
    return f"{wording.share(shares.residual_loss(media))} after retransmission"


def _late(media: MediaCounts) -> str:
    return f"of {wording.count(shares.frames(media))}; {wording.share(shares.frames_late(media))} came late"


def _frozen(media: MediaCounts) -> str:
    return f"{wording.share(shares.freeze_ratio(media))} of the time watched"


def _peak_bitrate_bps(intervals: Iterable[Interval]) -> float | None:
    bitrates = (
        shares.divided(sum(counts.bytes for counts in interval.media.values()) * 8, interval.seconds)
        for interval in intervals
        if interval.seconds >= LEAST_S
    )
    return max((bitrate for bitrate in bitrates if bitrate is not None), default=None)


def _gateway(intervals: Sequence[Interval]) -> KeyFigure:
    cpu = [interval.gateway.cpu_share for interval in intervals if interval.gateway.cpu_share is not None]
    rss = [interval.gateway.rss_bytes for interval in intervals if interval.gateway.rss_bytes is not None]
    note = f"of a core at the most; {wording.size(max(rss, default=None))} of memory"
    return KeyFigure("Gateway", wording.share(max(cpu, default=None)), note)
