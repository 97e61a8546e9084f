"""A load generator that does not keep up says so, and judges nobody."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import eventually
from tests.loadgen.e2e.command import Loadgen
from tests.loadgen.e2e.scenarios import players, scenario

VIEWERS = 8
STOPPED_S = 2.5


def _worker_of_players(pid: int) -> psutil.Process:
    """The process that has most sockets: one for each of its players."""
    return max(psutil.Process(pid).children(), key=lambda child: len(child.net_connections("udp")))


async def _connected(gateway: GatewayProcess) -> int:
    return sum(session["state"] == "connected" for session in await gateway.sessions())


async def test_players_that_are_held_up_make_the_run_void(
    gateway: GatewayProcess, tmp_path: Path, measured: Callable[[str], None]
) -> None:
    # Without a verdict, nobody can be blamed for this threshold either.
    flags = ("--threshold", "join_p95 < 1us", "--cores", str(min(os.sched_getaffinity(0))))
    async with Loadgen(tmp_path, scenario("12s", players(VIEWERS)), gateway.url, *flags) as loadgen:
        await eventually(lambda: _connected(gateway), lambda count: count == VIEWERS + 1, within_s=30)
        await asyncio.sleep(1)
        worker = _worker_of_players(loadgen.pid)
        worker.suspend()
        await asyncio.sleep(STOPPED_S)
        worker.resume()
        finished = await loadgen.finished()
    assert finished.exit_status == 3, finished.output
    assert finished.report["outcome"] == "generator overloaded"
    assert finished.report["thresholds"] == []
    lateness_s = finished.report["totals"]["generator"]["lateness_s"]
    assert lateness_s > STOPPED_S / 2
    measured(f"late by {lateness_s:.2f} s: {finished.report['remarks'][0]}")
