"""A browser as studio, whose capture stops: the same causes from the real thing."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.e2e.chromium import StudioPage
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.rounds import RoundOf

_SEND_NOTHING_OF = """async kind => {
    for (const sender of probe.peer.getSenders())
        if (sender.track?.kind === kind) await sender.replaceTrack(null);
}"""

pytestmark = pytest.mark.browser


async def _evidence(game: RoundOf, cause: str) -> dict[str, Any]:
    told = await game.until_aborted()
    assert told["cause"] == cause, told
    evidence: dict[str, Any] = told["evidence"]
    return evidence


async def test_chromium_whose_capture_stops_is_told_by_what_goes_on(
    gateway: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack
) -> None:
    studio = await StudioPage.publishing(browser, gateway.url, "table", "H264")
    cleanup.push_async_callback(studio.close)
    await gateway.live("table")

    first = await RoundOf.opened(gateway, "table")
    await studio.page.evaluate(_SEND_NOTHING_OF, "video")
    evidence = await _evidence(first, "encoder_stalled")
    assert evidence["pictureGapMs"] >= 2000
    assert evidence["soundGapMs"] < 1000

    await studio.page.evaluate(_SEND_NOTHING_OF, "audio")
    second = await RoundOf.opened(gateway, "table")
    evidence = await _evidence(second, "ingest_freeze")
    assert evidence["mediaGapMs"] >= 2000
    assert evidence["studioSilentMs"] < evidence["mediaGapMs"]
