"""The pages with a real gateway behind them: what a player and a studio see as it comes and goes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.chromium import StudioPage, WatchPage
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.studio_av import AvStudio

pytestmark = pytest.mark.browser

PHONE_PX = (390, 844)
RECONNECT_WITHIN_S = 30


async def _studio(gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack) -> AvStudio:
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.kill)
    return studio


async def test_player_waits_for_the_studio_and_starts_by_itself(
    gateway: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack
) -> None:
    watch = await WatchPage.opened(browser, gateway.url, "card")
    cleanup.push_async_callback(watch.close)
    await watch.until_state("waiting")
    await expect(watch.page.locator("#message")).to_have_text("Waiting for the studio")
    await expect(watch.page.locator("#sentence")).to_have_text("Nobody publishes this stream now.")
    await _studio(gateway, cleanup)
    await watch.until_state("live")
    await expect(watch.page.locator("#state")).to_have_text("Live")
    await expect(watch.page.locator("#veil")).to_be_hidden()
    await watch.until_decoded(30)
    statuses = [request["status"] for request in await watch.requests("POST")]
    assert statuses == [409] * (len(statuses) - 1) + [201]
    assert len(statuses) > 1


async def test_player_reconnects_when_the_gateway_restarts(
    gateway: GatewayProcess,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    tmp_path: Path,
    measured: Callable[[str], None],
) -> None:
    await _studio(gateway, cleanup)
    await gateway.live("card")
    watch = await WatchPage.watching(browser, gateway.url, "card")
    cleanup.push_async_callback(watch.close)
    since_ms = await watch.now_ms()
    await gateway.stop()
    await watch.until_state("retrying")
    await expect(watch.page.locator("#state")).to_have_text(re.compile(r"Reconnecting in \d+ s"))

    restarted = gateway.restarted(tmp_path / "restarted.log")
    cleanup.push_async_callback(restarted.stop)
    await restarted.start()
    await _studio(restarted, cleanup)
    await watch.until_state("live", within_s=RECONNECT_WITHIN_S)
    await watch.until_decoded(30)
    gap_ms = await watch.longest_gap_ms(since_ms)
    measured(f"picture away for {gap_ms / 1000:.1f} s, both processes' start included")


async def test_player_on_a_phone_fits_and_shows_its_statistics(
    gateway: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack, artifacts: Path
) -> None:
    await _studio(gateway, cleanup)
    await gateway.live("card")
    width_px, height_px = PHONE_PX
    watch = await WatchPage.opened(browser, gateway.url, "card", width_px=width_px, height_px=height_px)
    cleanup.push_async_callback(watch.close)
    await watch.until_state("live")
    await watch.page.get_by_role("button", name="Statistics").click()
    panel = watch.page.locator("#statistics")
    for figure in (r"Round trip\d+ ms", r"Bitrate\d+\.\d\d Mb/s", r"640×360 H264", r"Frames decoded[\d,]+"):  # noqa: RUF001
        await expect(panel).to_contain_text(re.compile(figure))
    await expect(panel).to_contain_text(re.compile(r"Frames dropped[\d,]+"))
    await expect(panel).to_contain_text(re.compile(r"Delay \(time code\)\d+ ms"))
    assert await watch.page.evaluate("document.documentElement.scrollWidth") <= width_px
    figures = await watch.figures()
    assert figures["framesDecoded"] > 0
    assert 0 <= figures["timecodeDelayMs"] < 1000
    await watch.page.screenshot(path=artifacts / "watch-phone.png")


async def test_studio_page_shows_what_the_gateway_receives(
    gateway: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack, artifacts: Path
) -> None:
    studio = await StudioPage.publishing(browser, gateway.url, "table", "VP8")
    cleanup.push_async_callback(studio.close)
    await gateway.live("table")
    reception = studio.page.locator("#reception")
    await expect(reception).to_contain_text(re.compile(r"Picture: VP8, [\d.]+ [kM]b/s, (2\d|3\d) frames a second"))
    await expect(reception).to_contain_text(re.compile(r"Sound: Opus, \d+ kb/s"))
    await expect(reception).to_contain_text("No packet was lost.")
    await expect(reception).to_contain_text("No players watch.")
    watch = await WatchPage.watching(browser, gateway.url, "table")
    await expect(reception).to_contain_text("One player watches.")
    await watch.close()
    await expect(reception).to_contain_text("No players watch.")
    await studio.page.screenshot(path=artifacts / "studio.png", full_page=True)
