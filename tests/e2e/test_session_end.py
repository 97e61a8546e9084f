"""Sessions end when their peer vanishes, and when the gateway is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable

import aiohttp

from tests.e2e.aiortc_peer import AiortcViewer
from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import ROOT, GatewayProcess
from tests.e2e.network import skip_without_gathered_addresses
from tests.e2e.studio_av import AvStudio
from tests.e2e.waiting import eventually

IDLE_S = 2
SWEEP_S = 1
"""How often the gateway looks for the idle."""
ENDED_WITHIN_S = IDLE_S + SWEEP_S + 7
"""Room for a busy machine; by default nobody is idle before 15 s."""


async def _viewer_process(gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack) -> asyncio.subprocess.Process:
    """A player in a process of its own, connected."""
    command = (sys.executable, "-m", "tests.e2e.aiortc_peer", f"{gateway.url}/whep/card")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    cleanup.push_async_callback(_kill, process)
    await eventually(gateway.sessions, lambda sessions: _connected(sessions) == ["egress", "ingest"])
    return process


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


def _connected(sessions: list[dict[str, str]]) -> list[str]:
    return sorted(session["leg"] for session in sessions if session["state"] == "connected")


async def test_killed_peers_are_ended_as_idle(
    start_gateway: StartGateway, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    skip_without_gathered_addresses()
    gateway = await start_gateway(TIMEOUTS__IDLE_S=str(IDLE_S))
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.kill)
    await gateway.live("card")
    viewer = await _viewer_process(gateway, cleanup)

    await _kill(viewer)
    await eventually(gateway.sessions, lambda sessions: _connected(sessions) == ["ingest"], ENDED_WITHIN_S)
    assert (await gateway.metrics()).value("railbird_viewers", stream="card") == 0
    studio.signal(signal.SIGKILL)
    await eventually(gateway.sessions, lambda sessions: sessions == [], ENDED_WITHIN_S)
    metrics = await gateway.metrics()
    for leg in ("egress", "ingest"):
        assert metrics.value("railbird_sessions_ended_total", leg=leg, cause="idle") == 1
        assert metrics.value("railbird_sessions_ended_total", leg=leg) == 1
    report = await gateway.stream("card")
    assert report is not None
    assert report["state"] == "waiting"
    measured(f"sessions ended by {[event['after_s'] for event in gateway.events('session ended')]} s of age")


async def test_sigterm_tells_every_session_and_ends_in_time(
    gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.kill)
    await gateway.live("card")
    viewer = AiortcViewer(f"{gateway.url}/whep/card")
    cleanup.push_async_callback(viewer.close)
    await viewer.connect()
    await viewer.until_frames(15)
    assert await _readiness(gateway) == 200

    gateway.terminate()
    ended = asyncio.create_task(gateway.ended())
    await viewer.until_state("closed", within_s=3)
    assert await _readiness(gateway) in (503, None)
    code, seconds = await ended
    measured(f"ended with {code} in {seconds * 1000:.0f} ms")
    assert code == 0
    assert sorted(viewer.ended) == ["audio", "video"]
    told = [(event["leg"], event["cause"]) for event in gateway.events("session ended")]
    assert told == [("egress", "moved"), ("ingest", "moved")]
    assert [event["sessions"] for event in gateway.events("stopping")] == [0]
    assert len(gateway.events("stopped")) == 1


async def _readiness(gateway: GatewayProcess) -> int | None:
    """Status of /readyz; None where nobody listens any more."""
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{gateway.url}/readyz") as response:
            return response.status
    except aiohttp.ClientConnectionError:
        return None
