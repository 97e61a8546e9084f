"""The image's third entry point: the load generator in one container, the gateway in another, a link between them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.container.containers import Launch, run
from tests.container.node import CONFINED, SCRATCH, Node, within
from tests.image.podman import BUILD_LIMIT_S
from tests.loadgen.e2e.command import NO_TIMES, judged_by
from tests.loadgen.e2e.scenarios import roomy_thresholds

pytestmark = [pytest.mark.podman, pytest.mark.netns, pytest.mark.timeout(BUILD_LIMIT_S)]

DURATION_S = 12
"""Of the scenario's twenty: the last of its players comes after five."""
RUN_LIMIT_S = 120
"""It draws its report after that, on a machine that has other things to do, too."""
NO_VERDICT = 3
"""The load generator itself was held up."""
TRIES = 2


def test_smoke_passes_against_the_gateway_of_the_same_image(
    node: Node, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    reports.chmod(0o777)
    flags = (*CONFINED, *SCRATCH, *within(node.outside), f"--volume={reports}:/reports")
    written = ("--json", "/reports/report.json", "--html", "/reports/report.html")
    judged = (*NO_TIMES, *judged_by(*roomy_thresholds("smoke")))
    smoke = ("smoke", "--duration", f"{DURATION_S}s", "--target", node.url, *judged, *written)
    command = ("railbird-loadgen", "run", *smoke)
    tries = (run(Launch(flags, command), RUN_LIMIT_S) for _ in range(TRIES))
    with node.gateway():
        node.until_answered("/readyz", 200)
        ended = next((each for each in tries if each.status != NO_VERDICT), None)
    assert ended is not None, f"no verdict {TRIES} times"
    assert ended.status == 0, str(ended)
    report = json.loads((reports / "report.json").read_text())
    assert report["thresholds"]
    assert [each["text"] for each in report["thresholds"] if not each["is_met"]] == []
    assert len(report["sessions"]) == 20
    assert "<html" in (reports / "report.html").read_text()
    first_frame, frozen = (
        next(each["measured"] for each in report["thresholds"] if each["text"].startswith(name))
        for name in ("first_frame_p95", "freeze_ratio")
    )
    measured(f"20 players, first frame p95 {first_frame:.3f} s, {frozen:.2%} frozen")
