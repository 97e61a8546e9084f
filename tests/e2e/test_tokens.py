"""Chromium behind doors that ask for JSON Web Tokens: a dealer's in the studio page's field, a player's in the link."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.auth.issuer import Issuer
from tests.e2e.chromium import StudioPage, WatchPage
from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.browser

STREAM = "table"
ISSUER = Issuer("2026-11")


@pytest.fixture
async def table(
    start_gateway: StartGateway, browser: Browser, cleanup: contextlib.AsyncExitStack, tmp_path: Path
) -> GatewayProcess:
    """A gateway that asks for tokens, and a dealer who publishes from the studio page."""
    keys = tmp_path / "keys.json"
    keys.write_bytes(ISSUER.key_set)
    gateway = await start_gateway(AUTH__JWKS=str(keys), AUDIT__DIRECTORY=str(tmp_path / "audit"))
    studio: StudioPage = await StudioPage._opened(browser, 1000, 800)
    cleanup.push_async_callback(studio.close)
    await studio.go(f"{gateway.url}/studio/{STREAM}?source=table&codec=h264&bitrate=1000000&autostart=1")
    await studio.until_state("refused")
    await expect(studio.page.locator("#verdict")).to_contain_text("A bearer token is needed.")
    await studio.page.fill("#token", ISSUER.token(roles="publish", streams=[STREAM], sub="dealer-clara"))
    await studio.page.click("#publish")
    await studio.until_state("live")
    await gateway.live(STREAM)
    return gateway


async def _watch(
    browser: Browser, gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack, query: str, **claims: Any
) -> WatchPage:
    watch: WatchPage = await WatchPage._opened(browser, 1000, 800)
    cleanup.push_async_callback(watch.close)
    await watch.go(f"{gateway.url}/watch/{STREAM}?{query}#token={ISSUER.token(streams=[STREAM], **claims)}")
    return watch


async def _signals(watch: WatchPage) -> dict[str, Any]:
    told: dict[str, Any] = await watch.page.evaluate("railbird.signals")
    return told


@pytest.mark.parametrize(
    ("transport", "carrier"), [("webrtc", "data_channel"), ("hls", "websocket")], ids=["WebRTC", "LL-HLS"]
)
async def test_token_of_the_link_opens_picture_and_signals(
    table: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack, transport: str, carrier: str
) -> None:
    watch = await _watch(browser, table, cleanup, f"transport={transport}", roles="watch bet")
    await watch.until_state("live")
    signals = await eventually(lambda: _signals(watch), lambda told: told["carrier"] is not None)
    assert (signals["carrier"], signals["mayBet"]) == (carrier, True)

    only_watching = await _watch(browser, table, cleanup, f"transport={transport}", roles="watch")
    await only_watching.until_state("live")
    signals = await eventually(lambda: _signals(only_watching), lambda told: told["carrier"] is not None)
    assert (signals["carrier"], signals["mayBet"]) == (carrier, False)


async def test_page_with_a_token_that_is_not_good_says_why(
    table: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack
) -> None:
    expired = await _watch(browser, table, cleanup, "", exp=1)
    await expired.until_state("refused")
    await expect(expired.page.locator("body")).to_contain_text("The token has expired.")
    assert table.events("audit")[-1]["deed"] == "publish"
    assert "dealer-clara" not in table.log()
