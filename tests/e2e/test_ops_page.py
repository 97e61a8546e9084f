"""The operators' page and the studio's rounds with a real gateway behind them."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.chromium import WatchPage
from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.studio_av import AvStudio
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.browser

STREAM = "card"
PHONE_PX = (390, 844)
PLOTS = ("score", "rtt", "drops", "viewers", "lag", "cpu")
INKED = """async (id) => {
    const canvas = document.querySelector(`#plot-${id} canvas`);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value > 0);
}"""


async def _page(browser: Browser, url: str, cleanup: contextlib.AsyncExitStack, size_px: tuple[int, int]) -> Page:
    context = await browser.new_context(viewport={"width": size_px[0], "height": size_px[1]})
    cleanup.push_async_callback(context.close)
    page = await context.new_page()
    await page.goto(url)
    return page


async def _post(gateway: GatewayProcess, **command: object) -> None:
    async with gateway.http.post(f"/api/v1/streams/{STREAM}/rounds", json=command) as response:
        assert response.status in (200, 201), await response.text()


async def test_operators_see_tables_quality_rounds_and_plots(
    gateway: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack, artifacts: Path
) -> None:
    studio = await AvStudio(gateway, STREAM).start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live(STREAM)
    watch = await WatchPage.watching(browser, gateway.url, STREAM)
    cleanup.push_async_callback(watch.close)
    await watch.page.wait_for_function("railbird.signals.carrier")
    await _post(gateway, state="betting_open", roundId="r1")
    await _post(gateway, state="aborted", roundId="r1")
    await _post(gateway, state="betting_open", roundId="r2")

    page = await _page(browser, f"{gateway.url}/ops", cleanup, (1400, 1000))
    await page.wait_for_function("railbird.state === 'live'")
    await expect(page.locator("#tables tbody tr")).to_have_count(1)
    await expect(page.locator("#tables tbody")).to_contain_text(re.compile(r"card\s*live\s*\d+"), timeout=15_000)
    await expect(page.locator("#tables tbody")).to_contain_text(re.compile(r"\d(\.\d)? ms"), timeout=15_000)
    await expect(page.locator("#tiles")).to_contain_text("1 WebRTC, 0 HLS")
    await expect(page.locator("#tiles")).to_contain_text(re.compile(r"1 data channel"))
    await expect(page.locator("#rounds-summary")).to_have_text("0 settled, 1 aborted: 1 studio request.")
    await expect(page.locator("#rounds tbody tr").first).to_contain_text("betting open")
    await expect(page.locator("#rounds tbody")).to_contain_text("studio request")
    await expect(page.locator("#terms tbody tr")).not_to_have_count(0)
    await page.wait_for_function("railbird.points >= 2")  # They make a line.

    async def inked() -> list[bool]:
        return [await page.evaluate(INKED, plot) for plot in PLOTS]

    await eventually(inked, all)
    await page.screenshot(path=artifacts / "ops.png", full_page=True)

    await page.set_viewport_size({"width": PHONE_PX[0], "height": PHONE_PX[1]})
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE_PX[0]
    await page.screenshot(path=artifacts / "ops-phone.png", full_page=True)


async def test_operators_page_asks_for_the_token_and_opens_with_it(
    start_gateway: StartGateway, browser: Browser, cleanup: contextlib.AsyncExitStack
) -> None:
    gateway = await start_gateway(TOKENS__CONTROL="operators-secret")
    page = await _page(browser, f"{gateway.url}/ops", cleanup, (1000, 800))
    await expect(page.locator("#state")).to_have_text("Not allowed")
    await page.locator("#token").fill("another")
    await page.get_by_role("button", name="Open").click()
    await expect(page.locator("#verdict")).not_to_be_empty()
    await page.locator("#token").fill("operators-secret")
    await page.get_by_role("button", name="Open").click()
    await expect(page.locator("#state")).to_have_text("Live")
    await expect(page.locator("#door")).to_be_hidden()
    assert "operators-secret" not in gateway.log()


async def test_operators_page_waits_for_a_gateway_that_restarts_and_begins_its_plots_anew(
    gateway: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack
) -> None:
    page = await _page(browser, f"{gateway.url}/ops", cleanup, (1000, 800))
    await expect(page.locator("#tables tbody")).to_have_text("Nobody publishes here now.")
    await expect(page.locator("#table")).to_be_hidden()
    await page.wait_for_function("railbird.points >= 3", timeout=30_000)

    async def unanswered(route: Route) -> None:
        await route.abort()

    async def of_another_process(route: Route) -> None:
        report = await (await route.fetch()).json()
        report["gateway"]["process_id"] += 1
        await route.fulfill(json=report)

    await page.route("**/api/v1/ops?*", unanswered)
    await expect(page.locator("#state")).to_have_text("The gateway does not answer")
    await page.unroute("**/api/v1/ops?*")
    await page.route("**/api/v1/ops?*", of_another_process)
    await expect(page.locator("#state")).to_have_text("Live")
    assert await page.evaluate("railbird.points") < 3


async def test_studio_page_plays_a_round_that_players_see(
    gateway: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack, artifacts: Path
) -> None:
    studio = await _page(browser, f"{gateway.url}/studio/{STREAM}?source=table&autostart=1", cleanup, (1280, 1000))
    await gateway.live(STREAM)
    watch = await WatchPage.watching(browser, gateway.url, STREAM)
    cleanup.push_async_callback(watch.close)
    said = watch.page.locator("#round-words")

    await studio.locator("#round-closes").select_option(label="when I say so")
    await studio.get_by_role("button", name="Open betting").click()
    await expect(said).to_have_text("Place your bets")
    await watch.page.get_by_role("button", name="Banker").click()
    await expect(watch.page.locator("#bet")).to_have_text("10 on Banker: taken")
    await expect(studio.locator("#round-state")).to_have_text("Place your bets (1 bet)")
    await studio.get_by_role("button", name="No more bets").click()
    await expect(said).to_have_text("No more bets")
    await studio.locator("#round-result").select_option(label="Banker")
    await studio.get_by_role("button", name="Announce the result").click()
    await expect(said).to_have_text("Banker wins")
    await studio.get_by_role("button", name="Settle").click()
    await expect(studio.locator("#rounds li")).to_have_text(re.compile(r"Banker wins \(1 bet\)"))

    await studio.get_by_role("button", name="Open betting").click()
    await studio.get_by_role("button", name="Abort the round").click()
    await expect(said).to_have_text("Round void: the table called it off. Bets do not count.")
    await studio.screenshot(path=artifacts / "studio-rounds.png", full_page=True)
