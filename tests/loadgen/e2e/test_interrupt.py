"""Ctrl-C in the middle of a run."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import eventually
from tests.loadgen.e2e.command import Loadgen
from tests.loadgen.e2e.scenarios import players, scenario

VIEWERS = 5
GONE_WITHIN_S = 2.0
"""After the end of the run: it waits for the answers to its DELETE."""


async def _connected(gateway: GatewayProcess) -> int:
    return sum(session["state"] == "connected" for session in await gateway.sessions())


async def test_interrupted_run_ends_its_sessions_and_still_reports(
    gateway: GatewayProcess, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    async with Loadgen(tmp_path, scenario("2m", players(VIEWERS)), gateway.url, "--threshold", "loss < 50%") as loadgen:
        await eventually(lambda: _connected(gateway), lambda count: count == VIEWERS + 1, within_s=30)
        await asyncio.sleep(2)
        loadgen.press_ctrl_c()
        finished = await loadgen.finished()
    await eventually(gateway.sessions, lambda sessions: sessions == [], GONE_WITHIN_S)
    assert finished.exit_status == 130, finished.output
    assert finished.report["outcome"] == "interrupted"
    assert finished.report["totals"]["ended"] == {"interrupted": VIEWERS}
    assert len(finished.sessions) == VIEWERS
    assert finished.media["frames_complete"] > VIEWERS * 30
    ended = (await gateway.metrics()).by_label("railbird_sessions_ended_total", "cause")
    assert {cause for cause, count in ended.items() if count} == {"deleted"}
    measured(f"{finished.media['frames_complete']} frames in {finished.report['seconds']:.1f} s were reported")
