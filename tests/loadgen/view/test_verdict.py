from pathlib import Path

import pytest
from rich.console import Console

from loadgen.figures import MediaCounts
from loadgen.result import Group, Outcome, ThresholdResult
from loadgen.view.verdict import print_verdict
from tests.loadgen.results import MadeUpRun
from tests.loadgen.view.terminal import written


def test_verdict_lists_thresholds_then_the_outcome_then_the_report(log: Console) -> None:
    result = MadeUpRun(Outcome.MISSED, seconds=5, viewers=5).result()
    print_verdict(log, result, [Path("storm.html"), Path("storm.json")])
    assert written(log).splitlines() == [
        "",
        "  ✓ join_p95 < 500ms          38.2 ms",
        "  ✗ residual_loss < 0.01%     0.07 %",
        "  ✗ gateway_rss_slope < 1%/h  not measured",
        "  ! UDP receive buffers are 208 kB: net.core.rmem_max was not raised.",
        "Threshold missed. 2 of 3 thresholds were missed: residual_loss < 0.01% (0.07 %); "
        "gateway_rss_slope < 1%/h (not measured).",
        "Report: storm.html",
        "Report: storm.json",
    ]


def test_verdict_has_a_line_for_each_group_before_the_outcome(log: Console) -> None:
    result = MadeUpRun(seconds=5, viewers=5).result()
    seated = Group(sessions=200, media=MediaCounts(frames_complete=900))
    seated.distributions["gap_s"].add(0.115)
    result.totals.groups = {"seated": seated, "[late]": Group(sessions=1)}
    print_verdict(log, result)
    lines = written(log).splitlines()
    first = lines.index("  [late]: 1 session, longest gap —, 0 frames dropped, 0 freezes")
    assert lines[first + 1] == "  seated: 200 sessions, longest gap 115 ms, 0 frames dropped, 0 freezes"
    assert first + 1 < lines.index("Passed. All thresholds were met: 2 of 2.")


@pytest.mark.parametrize("outcome", Outcome)
def test_verdict_says_each_outcome_on_a_terminal(screen: Console, outcome: Outcome) -> None:
    print_verdict(screen, MadeUpRun(outcome, seconds=5, viewers=5).result())
    assert outcome.value in written(screen).lower()


def test_verdict_takes_foreign_text_as_text(log: Console) -> None:
    result = MadeUpRun(seconds=5, viewers=5).result()
    result.thresholds = [ThresholdResult("[bold]x[/nothing] < 1", 0.0, "[0]", True)]
    print_verdict(log, result)
    assert "✓ [bold]x[/nothing] < 1  [0]" in written(log)
