"""Unmodified aiortc clients with full ICE on both sides."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable

import pytest

from tests.e2e.aiortc_peer import AiortcStudio, AiortcViewer
from tests.e2e.gateway_process import GatewayProcess


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_aiortc_watches_aiortc(
    gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None], codec: str
) -> None:
    studio = AiortcStudio(f"{gateway.url}/whip/card", codec, "red")
    cleanup.push_async_callback(studio.close)
    await studio.connect()
    await gateway.live("card", frames=15)

    viewer = AiortcViewer(f"{gateway.url}/whep/card")
    cleanup.push_async_callback(viewer.close)
    await viewer.connect()
    await viewer.until_frames(30)
    assert viewer.ground() == "red"
    assert viewer.audio_frames > 0
    measured(f"drawn to decoded {statistics.median(viewer.ages_ms):.0f} ms (p50)")

    assert await viewer.delete() == 200
    await viewer.until_state("closed", within_s=5)
    assert await studio.delete() == 200
    await studio.until_state("closed", within_s=5)
    assert await gateway.sessions() == []
    metrics = await gateway.metrics()
    assert metrics.by_label("railbird_sessions_ended_total", "leg") == {"egress": 1, "ingest": 1}
    assert metrics.value("railbird_sessions_ended_total", cause="deleted") == 2
