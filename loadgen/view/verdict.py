"""The end of a run in a terminal: thresholds, groups of players, what came out, and where the report is."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from loadgen.report import groups
from loadgen.report.headline import headline
from loadgen.result import Outcome, RunResult, ThresholdResult

STYLES = {
    Outcome.PASSED: "bold green",
    Outcome.MISSED: "bold red",
    Outcome.OVERLOADED: "bold yellow",
    Outcome.FAILED: "bold red",
    Outcome.INTERRUPTED: "bold yellow",
}


def print_verdict(console: Console, result: RunResult, reports: Iterable[Path] = ()) -> None:
    """Print it; `reports` are the files that were written."""
    _print(console, Text())
    width = max((len(threshold.text) for threshold in result.thresholds), default=0)
    for threshold in result.thresholds:
        _print(console, _threshold(threshold, width))
    for line in groups.lines(result.totals):
        _print(console, Text(f"  {line}"))
    for remark in result.remarks:
        _print(console, Text(f"  ! {remark}", style="yellow"))
    words = headline(result)
    _print(console, Text.assemble((f"{words.words}. ", STYLES[result.outcome]), words.sentence))
    for path in reports:
        _print(console, Text(f"Report: {path}"))


def _threshold(threshold: ThresholdResult, width: int) -> Text:
    mark, style = ("✓", "green") if threshold.is_met else ("✗", "bold red")
    return Text.assemble(("  " + mark, style), f" {threshold.text:<{width}}  ", (threshold.measured_text, style))


def _print(console: Console, text: Text) -> None:
    console.print(text, highlight=False, soft_wrap=True)
