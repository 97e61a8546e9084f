"""The report as one page: no script, and nothing that is loaded from anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from loadgen.counts import BET_STATES, SignalCounts
from loadgen.report import groups, tables, wording
from loadgen.report.document import PERCENTILES, started
from loadgen.report.drawing import POINTS, draw
from loadgen.report.headline import headline
from loadgen.report.key_figures import key_figures
from loadgen.report.plots import PLOTS, Plot
from loadgen.report.steps import Step, drawable, steps
from loadgen.result import Outcome, RunResult, Totals

STREAMS_SHOWN = 12
"""So many streams in the open; with more the table is folded."""

_REMARKS_HEADINGS = {
    Outcome.FAILED: "Why",
    Outcome.OVERLOADED: "Why, and what else to know",
}

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # names of streams, causes, settings and remarks are foreign text
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One plot on the page."""

    plot: Plot
    svg: Markup


def page(result: RunResult) -> str:
    """The whole HTML."""
    cut = drawable(steps(result.intervals, POINTS))
    plots = [plot for plot in PLOTS if _is_of_use(plot, result.totals)]
    drawn = [Drawn(plot, Markup(svg)) for plot in plots if (svg := draw(plot, cut))]
    return _TEMPLATES.get_template("page.html.j2").render(
        result=result,
        headline=headline(result),
        started=started(result),
        remarks_heading=_REMARKS_HEADINGS.get(result.outcome, "Before believing the figures"),
        lasted=wording.long_time(result.seconds),
        key_figures=key_figures(result),
        percentiles=list(PERCENTILES),
        times=tables.times(result.totals.distributions),
        both_sides=tables.both_sides(result.comparison),
        groups=groups.table(result.totals),
        streams=tables.streams(result.totals),
        streams_shown=STREAMS_SHOWN,
        ended=wording.causes(result.totals.ended),
        join_failures=wording.causes(result.totals.join_failures),
        hls_failures=wording.causes(result.totals.hls_failures),
        broken_rules=wording.causes(result.totals.broken_rules),
        answers=wording.causes(_answers(result.totals.all_signals)),
        signal_failures=wording.causes(result.totals.signal_failures),
        broken_signal_rules=wording.causes(result.totals.broken_signal_rules),
        round_aborts=wording.causes(result.totals.round_aborts),
        round_failures=wording.causes(result.totals.round_failures),
        slowest=tables.slowest(result.sessions),
        worst_to_watch=tables.worst_to_watch(result.sessions),
        drawn=drawn,
        not_measured=_not_measured(plots, drawn) if drawn else [],
        points=_points(cut),
        settings=list(tables.settings(result.settings)),
    )


def _is_of_use(plot: Plot, totals: Totals) -> bool:
    return bool(totals.hls or not plot.is_of_hls) and bool(totals.signals or not plot.is_of_signals)


def _answers(signals: SignalCounts) -> dict[str, int]:
    return {state: getattr(signals, state) for state in BET_STATES}


def write_page(result: RunResult, path: Path) -> None:
    """Write the page; OSError when it cannot be written."""
    path.write_text(page(result), encoding="utf-8")


def _not_measured(plots: Sequence[Plot], drawn: Sequence[Drawn]) -> list[str]:
    shown = {each.plot.title for each in drawn}
    return [plot.title for plot in plots if plot.title not in shown]


def _points(cut: Sequence[Step]) -> str:
    """What one point of a plot stands for."""
    longest_s = max((step.seconds for step in cut), default=0.0)
    if longest_s < 2:
        return "One point a second; where a line breaks, nothing was measured."
    return (
        f"One point is {wording.long_time(longest_s)}: percentiles and shares are of all that came in that time; "
        "viewers, CPU and memory are the highest in it. Where a line breaks, nothing was measured."
    )
