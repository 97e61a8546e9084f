"""The figures that a reader looks for first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadgen import shares
from loadgen.figures import Interval, MediaCounts
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
    """At most a dozen; what was not measured is left out."""
    totals, media = result.totals, result.totals.all_media
    figures = [
        KeyFigure("Viewers at the peak", wording.count(totals.peak_viewers), _of_streams(totals)),
        KeyFigure("Joins", wording.count(totals.joins), _failures(totals)),
        _percentile("Time to join", totals, "join_s"),
        _percentile("First frame", totals, "first_frame_s"),
        _percentile("Delay from the studio", totals, "delay_s"),
        KeyFigure("Packets lost", wording.share(shares.loss(media)), _after_repair(media)),
        KeyFigure("Frames not shown", wording.share(shares.frames_not_shown(media)), _late(media)),
        KeyFigure("Freezes", wording.count(media.freezes), _frozen(media)),
        KeyFigure("Bitrate at the peak", wording.rate(_peak_bitrate_bps(result.intervals)), "of all players together"),
        _gateway(result.intervals),
        KeyFigure(
            "Load generator",
            wording.cpu_a_packet(shares.cpu_a_packet_s(totals.generator)),
            f"of CPU a packet; busiest process {wording.share(totals.generator.busiest_share)} of a core",
        ),
    ]
    return [figure for figure in figures if figure.value != wording.NOT_MEASURED]


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
