"""Chromium publishes from the studio page, Chromium watches on the player page."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser

from tests.e2e.chromium import StudioPage, WatchPage, sendable_codecs
from tests.e2e.gateway_process import GatewayProcess, codecs_of
from tests.e2e.windows import in_one_window

pytestmark = pytest.mark.browser

SETTLE_S = 1.0
WINDOW_S = 3.0
MIN_FRAMES = 75
"""Of the 90 that the window has: the page that draws them shares its cores."""
FIRST_FRAME_WITHIN_MS = 500
MEDIAN_AGE_WITHIN_MS = 150
BLANK_DEVIATION = 10


@dataclass(frozen=True)
class _Window:
    """Of who came and stayed."""

    first_frame_ms: float
    decoded: int
    dropped: int
    age_ms: float

    @property
    def is_smooth(self) -> bool:
        has_all = self.decoded >= MIN_FRAMES and not self.dropped
        return has_all and self.first_frame_ms < FIRST_FRAME_WITHIN_MS and self.age_ms < MEDIAN_AGE_WITHIN_MS


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

    async def measure() -> _Window:
        watch = await WatchPage.watching(browser, gateway.url, "table")
        async with contextlib.AsyncExitStack() as leaving:
            leaving.push_async_callback(watch.close)
            window = await _window(watch, codec, measured)
            screenshot = artifacts / f"watch-{codec.lower()}.png"
            await watch.page.locator("#picture").screenshot(path=screenshot)
            assert _deviation(screenshot) > BLANK_DEVIATION
            return window

    await in_one_window(measure, lambda window: window.is_smooth)


async def _window(watch: WatchPage, codec: str, measured: Callable[[str], None]) -> _Window:
    first_frame_ms = await watch.first_frame_ms()
    measured(f"first frame {first_frame_ms:.0f} ms after the POST")

    await asyncio.sleep(SETTLE_S)
    before = await watch.inbound()
    await asyncio.sleep(WINDOW_S)
    after = await watch.inbound()
    decoded, dropped = (after[name] - before[name] for name in ("framesDecoded", "framesDropped"))
    measured(
        f"{decoded} frames of {codec} decoded in {WINDOW_S:.0f} s, {after['framesDropped']} dropped since the join"
    )
    assert after["audioPackets"] > before["audioPackets"]
    assert (await watch.figures())["codec"] == codec

    ages_ms = await watch.ages_ms(30)
    assert len(ages_ms) >= 20, "the time code could not be read: the picture is not the studio's"
    age_ms = statistics.median(ages_ms)
    measured(f"glass to glass {age_ms:.0f} ms (p50), worst of {len(ages_ms)} {max(ages_ms):.0f} ms")
    assert age_ms >= 0
    return _Window(first_frame_ms, decoded, dropped, age_ms)


def _deviation(path: Path) -> float:
    """Standard deviation of the grey values of the middle of a picture: 0 where it is blank."""
    with Image.open(path) as image:
        grey = np.asarray(image.convert("L"), dtype=np.float32)
    rows, columns = grey.shape
    return float(grey[rows // 4 : -rows // 4, columns // 4 : -columns // 4].std())
