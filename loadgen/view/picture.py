"""The live picture of a run, made of its last interval and its sums: a pure function, drawn anew each second."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from loadgen import shares
from loadgen.figures import (
    HLS_DISTRIBUTIONS,
    MOVE_DISTRIBUTIONS,
    SIGNAL_DISTRIBUTIONS,
    Interval,
    MediaCounts,
    SignalCounts,
)
from loadgen.health import falls_behind
from loadgen.report import wording
from loadgen.report.steps import Step, step_of
from loadgen.report.tables import TIMES
from loadgen.result import Totals
from loadgen.scenario.schema import Scenario

WIDTH = 92
"""Columns at the most: figures that stand too far apart cannot be read in one glance. All of it fits 80 columns and 24
lines."""

TIMES_WITH_HLS = (
    "join_s",
    "first_frame_s",
    "delay_s",
    "hls_first_frame_s",
    "hls_request_s",
    "hls_lateness_s",
    "hls_latency_s",
)
"""Where there are players by LL-HLS, as many as there is room for; what nothing was measured of is left out."""

TIMES_WITH_BETS = ("join_s", "first_frame_s", "delay_s", "hls_first_frame_s", "hls_latency_s", "bet_rtt_s")
"""Where there are bets, and perhaps players by LL-HLS: the row of bets needs room, too. Likewise."""

MAX_TIMES_WITH_BETS = 5

RANKS_NOW = (0.5, 0.95)
RANKS_OF_RUN = (0.5, 0.95, 0.99)

SOFT, GOOD, WAIT, ALARM = "dim", "green", "yellow", "bold red"


def picture(scenario: Scenario, interval: Interval, totals: Totals, elapsed_s: float) -> RenderableType:
    """Progress, viewers, times, what is lost, and how the gateway and the generator bear it."""
    now = step_of([interval])
    body = Group(
        _progress(scenario, elapsed_s), _crowd(scenario, now, totals), "", _times(now, totals), "", _rows(now, totals)
    )
    return Panel(body, title=Text(scenario.name), title_align="left", padding=(0, 2), width=WIDTH)


def _progress(scenario: Scenario, elapsed_s: float) -> RenderableType:
    row = Table.grid(expand=True, padding=(0, 2))
    row.add_column(ratio=1)
    row.add_column(justify="right")
    clock = f"{wording.clock(elapsed_s)} of {wording.clock(scenario.duration_s)}"
    row.add_row(_bar(elapsed_s, scenario.duration_s), clock)
    return row


def _bar(done: float, total: float) -> ProgressBar:
    return ProgressBar(total=total or 1, completed=min(done, total), complete_style=GOOD, finished_style=GOOD)


def _crowd(scenario: Scenario, now: Step, totals: Totals) -> RenderableType:
    planned = sum(group.count for group in scenario.players)
    row = Table.grid(expand=True, padding=(0, 2))
    row.add_column()
    row.add_column(ratio=1)
    row.add_column(justify="right")
    watching = Text(f"{now.viewers:,} of {planned:,} watch", style="bold")
    row.add_row(watching, _bar(now.viewers, planned), f"{now.joining:,} joining")
    return Group(row, _joins(totals))


def _joins(totals: Totals) -> Text:
    failures = wording.causes(totals.join_failures)
    joins = Text(f"{totals.joins:,} joined, ")
    joins.append(f"failed: {failures}" if failures else "none failed", style=ALARM if failures else SOFT)
    moved, times = totals.moved.total(), totals.distributions["move_s"]
    if moved:
        longest = f", {wording.duration(times.largest)} away at most" if times.count else ""
        joins.append(f"; {moved:,} moved{longest}")
        joins.append(f", {moved - times.count:,} not back" if times.count < moved else "", style=WAIT)
    return joins


def _times(now: Step, totals: Totals) -> RenderableType:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style=SOFT)
    table.add_column("")
    for head in ("now p50", "p95", "run p50", "p95", "p99", "max"):
        table.add_column(head, justify="right", no_wrap=True)
    for name in _shown(totals):
        lately, of_run = now.distributions[name], totals.distributions[name]
        table.add_row(
            TIMES[name],
            *(wording.duration(lately.quantile(rank)) for rank in RANKS_NOW),
            *(wording.duration(of_run.quantile(rank)) for rank in RANKS_OF_RUN),
            wording.duration(of_run.largest if of_run.count else None),
        )
    return table


def _shown(totals: Totals) -> list[str]:
    """Names of distributions: as many as there is room for."""
    if totals.signals:
        return [name for name in TIMES_WITH_BETS if totals.distributions[name].count][-MAX_TIMES_WITH_BETS:]
    if not totals.hls:
        return [name for name in TIMES if name not in (*HLS_DISTRIBUTIONS, *SIGNAL_DISTRIBUTIONS, *MOVE_DISTRIBUTIONS)]
    return [name for name in TIMES_WITH_HLS if totals.distributions[name].count]


def _rows(now: Step, totals: Totals) -> RenderableType:
    """Name, the last interval, the run."""
    table = Table.grid(expand=True, padding=(0, 2))
    table.add_column(style=SOFT)
    table.add_column(ratio=1)
    table.add_column(ratio=1)
    table.add_row("", Text("now", style=SOFT), Text("run", style=SOFT))
    table.add_row("Loss", _loss(now.media), _loss(totals.all_media))
    table.add_row("Frames", _frames(now.media), _frames(totals.all_media))
    table.add_row("Freezes", _freezes(now.media), _freezes(totals.all_media))
    table.add_row("Bitrate", _bitrate(now), "")
    if totals.signals:
        table.add_row("Bets", _bets(now.signals), _bets(totals.all_signals))
    table.add_row("Studios", *_studios(now, totals))
    table.add_row("Gateway", _gateway(now), "")
    table.add_row("Generator", _load(now), _health(now, totals))
    return table


def _loss(media: MediaCounts) -> str:
    return f"{wording.share(shares.loss(media))}, {wording.share(shares.residual_loss(media))} never came"


def _frames(media: MediaCounts) -> str:
    return f"{wording.share(shares.frames_not_shown(media))} lost, {wording.share(shares.frames_late(media))} late"


def _freezes(media: MediaCounts) -> Text:
    words = f"{media.freezes:,}, {wording.share(shares.freeze_ratio(media))} of the time"
    return Text(words, style=WAIT if media.freezes else "")


def _bets(signals: SignalCounts) -> Text:
    wrong = {"unanswered": signals.bets_unanswered, "broken": signals.rules_broken}
    said = ", ".join(f"{count:,} {name}" for name, count in wrong.items() if count)
    return Text(f"{signals.bets:,}, {said or 'none unanswered'}", style=ALARM if said else "")


def _bitrate(now: Step) -> str:
    bits = now.media.bytes * 8
    a_viewer = shares.divided(bits, now.seconds * now.viewers)
    return f"{wording.rate(shares.divided(bits, now.seconds))}, {wording.rate(a_viewer)} a viewer"


def _studios(now: Step, totals: Totals) -> tuple[str, Text]:
    failures = sum(studio.failures for studio in totals.studios.values())
    sent = shares.divided(now.studios.bytes * 8, now.seconds) if totals.studios else None
    return f"{len(totals.studios)} publish, {wording.rate(sent)}", _failed_studios(failures)


def _failed_studios(failures: int) -> Text:
    return (
        Text(f"{wording.plural(failures, 'session')} failed", style=ALARM)
        if failures
        else Text("none failed", style=SOFT)
    )


def _gateway(now: Step) -> Text:
    if now.gateway.cpu_share is None and now.gateway.rss_bytes is None:
        return Text("not measured", style=SOFT)
    return Text(f"{wording.share(now.gateway.cpu_share)} of a core, {wording.size(now.gateway.rss_bytes)}")


def _load(now: Step) -> str:
    return f"{wording.work(now.generator)}, CPU {wording.share(now.generator.busiest_share)}"


def _health(now: Step, totals: Totals) -> Text:
    if behind := falls_behind(now.generator):
        return Text(behind, style=ALARM)
    if totals.generator.kernel_drops:
        return Text(f"keeps up; {totals.generator.kernel_drops:,} lost before", style=WAIT)
    return Text("keeps up", style=GOOD)
