"""The demo studio and a real gateway: on air, off air with it, and back."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.e2e.gateway_process import GatewayProcess, codecs_of

BACK_WITHIN_S = 25.0
"""Two looks missed, the longest pause, drawing and handshake; libavformat alone would take 30 s to notice."""


@contextlib.contextmanager
def demo_studio(gateway_url: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", "gateway.demo", "--whip", f"{gateway_url}/whip/demo"])
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[GatewayProcess]:
    gateway = await GatewayProcess(tmp_path / "gateway.log", udp="127.0.0.1:0", http="127.0.0.1:0", settings={}).start()
    yield gateway
    if gateway.returncode is None:
        await gateway.stop()


async def test_demo_publishes_h264_and_opus_and_says_goodbye(gateway: GatewayProcess) -> None:
    with demo_studio(gateway.url) as studio:
        await gateway.live("demo")
        assert await codecs_of(gateway, "demo") == {"H264", "opus"}
        studio.terminate()
        assert studio.wait(5) == 0
    assert [event["cause"] for event in gateway.events("session ended")] == ["deleted"]


async def test_demo_comes_back_after_its_gateway_was_killed(gateway: GatewayProcess, tmp_path: Path) -> None:
    with demo_studio(gateway.url):
        await gateway.live("demo")
        os.kill(gateway.pid, signal.SIGKILL)
        await gateway.ended()
        again = await gateway.restarted(tmp_path / "again.log").start()
        try:
            await again.live("demo", within_s=BACK_WITHIN_S)
        finally:
            await again.stop()


async def test_demo_comes_back_after_its_gateway_was_stopped(gateway: GatewayProcess, tmp_path: Path) -> None:
    """The gateway comes back at once on the same ports: nothing refuses what the muxer goes on sending."""
    with demo_studio(gateway.url):
        await gateway.live("demo")
        await gateway.stop()
        again = await gateway.restarted(tmp_path / "again.log").start()
        try:
            await again.live("demo", within_s=BACK_WITHIN_S)
        finally:
            await again.stop()
