"""Chromium publishes from the studio page, Chromium watches on the player page."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser

from tests.e2e.chromium import StudioPage, WatchPage, sendable_codecs
from tests.e2e.gateway_process import GatewayProcess, codecs_of

pytestmark = pytest.mark.browser

SETTLE_S = 1.0
WINDOW_S = 3.0
MIN_FRAMES = 75
"""Of the 90 that the window has: the page that draws them shares its cores."""
FIRST_FRAME_WITHIN_MS = 500
MEDIAN_AGE_WITHIN_MS = 150
BLANK_DEVIATION = 10


@pytest.mark.parametrize("codec", ["H264", "VP8", "VP9", "AV1"])
async def test_codec_plays_from_page_to_page(
    gateway: GatewayProcess,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    artifacts: Path,
    measured: Callable[[str], None],
    codec: str,
) -> None:
    can_send = await sendable_codecs(browser)
    if codec not in can_send:
        pytest.skip(f"Chromium {browser.version} says that it can send {', '.join(can_send)} only")
    studio = await StudioPage.publishing(browser, gateway.url, "table", codec)
    cleanup.push_async_callback(studio.close)
    await gateway.live("table", frames=60)
    assert codec in await codecs_of(gateway, "table")

    watch = await WatchPage.watching(browser, gateway.url, "table")
    cleanup.push_async_callback(watch.close)
    first_frame_ms = await watch.first_frame_ms()
    measured(f"first frame {first_frame_ms:.0f} ms after the POST")
    assert first_frame_ms < FIRST_FRAME_WITHIN_MS

    await asyncio.sleep(SETTLE_S)
    before, after = await _window(watch)
    decoded = after["framesDecoded"] - before["framesDecoded"]
    measured(
        f"{decoded} frames of {codec} decoded in {WINDOW_S:.0f} s, {after['framesDropped']} dropped since the join"
    )
    assert decoded >= MIN_FRAMES
    assert after["framesDropped"] - before["framesDropped"] == 0
    assert after["audioPackets"] > before["audioPackets"]
    assert (await watch.figures())["codec"] == codec

    ages_ms = await watch.ages_ms(30)
    assert len(ages_ms) >= 20, "the time code could not be read: the picture is not the studio's"
    measured(f"glass to glass {statistics.median(ages_ms):.0f} ms (p50), worst of {len(ages_ms)} {max(ages_ms):.0f} ms")
    assert 0 <= statistics.median(ages_ms) < MEDIAN_AGE_WITHIN_MS

    screenshot = artifacts / f"watch-{codec.lower()}.png"
    await watch.page.locator("#picture").screenshot(path=screenshot)
    assert _deviation(screenshot) > BLANK_DEVIATION


async def _window(watch: WatchPage) -> tuple[dict[str, Any], dict[str, Any]]:
    before = await watch.inbound()
    await asyncio.sleep(WINDOW_S)
    return before, await watch.inbound()


def _deviation(path: Path) -> float:
    """Standard deviation of the grey values of the middle of a picture: 0 where it is blank."""
    with Image.open(path) as image:
        grey = np.asarray(image.convert("L"), dtype=np.float32)
    rows, columns = grey.shape
    return float(grey[rows // 4 : -rows // 4, columns // 4 : -columns // 4].std())
