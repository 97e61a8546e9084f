"""The player's path changes, by a restart of ICE or under its feet, and the picture goes on."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable

import pytest
from playwright.async_api import Browser

from tests.e2e.chromium import WatchPage
from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.relay import LISTEN, relay_before
from tests.e2e.studio_av import AvStudio
from tests.e2e.waiting import until
from tests.e2e.windows import in_one_window

pytestmark = pytest.mark.browser

GAP_WITHIN_MS = 1000
RESTARTS = 6
"""Each may come at another time between the page's looks at its picture, which are half a second apart."""
FROZEN_WITHIN_S = 8
NEXT_CHECK_WITHIN_MS = 4000
"""Chromium checks a path that answers every 2.5 s at the latest; only a check tells the gateway of another address."""


@pytest.fixture
async def studio(gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack) -> AvStudio:
    """A studio, live for a second."""
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live("card")
    return studio


@pytest.fixture
async def watch(
    gateway: GatewayProcess, studio: AvStudio, browser: Browser, cleanup: contextlib.AsyncExitStack
) -> WatchPage:
    """The player page, playing."""
    watch = await WatchPage.watching(browser, gateway.url, "card")
    cleanup.push_async_callback(watch.close)
    await watch.until_decoded(30)
    return watch


async def test_ice_restart_keeps_the_picture(
    gateway: GatewayProcess, watch: WatchPage, measured: Callable[[str], None]
) -> None:
    restarts = 0

    async def restart() -> float:
        """The longest gap between frames, in ms."""
        nonlocal restarts
        restarts += 1
        ufrag = await watch.remote_ufrag()
        since_ms = await watch.now_ms()
        await watch.lose_connection()
        await watch.until_decoded(60)
        gap_ms = await watch.longest_gap_ms(since_ms)
        measured(f"longest gap between frames {gap_ms:.0f} ms")
        assert [request["status"] for request in await watch.requests("PATCH")] == [200] * restarts
        assert [request["status"] for request in await watch.requests("POST")] == [201]
        assert await watch.remote_ufrag() != ufrag
        assert len(gateway.events("ice restart")) == restarts
        assert await watch.state() == "live"
        return gap_ms

    await in_one_window(restart, lambda gap_ms: gap_ms < GAP_WITHIN_MS)


async def test_picture_that_goes_on_while_ice_restarts_is_not_given_up_for_hls_that_starts_at_once(
    gateway: GatewayProcess, watch: WatchPage, browser: Browser, cleanup: contextlib.AsyncExitStack
) -> None:
    by_hls = await WatchPage.watching(browser, gateway.url, "card?transport=hls")
    cleanup.push_async_callback(by_hls.close)
    for _ in range(RESTARTS):
        await watch.lose_connection()
        await watch.until_decoded(30)
    assert await watch.requests("DELETE") == []
    assert [request["status"] for request in await watch.requests("PATCH")] == [200] * RESTARTS


async def test_frozen_picture_restarts_ice_and_comes_back_in_the_same_session(
    watch: WatchPage, studio: AvStudio
) -> None:
    studio.signal(signal.SIGSTOP)
    await watch.until_state("frozen", within_s=FROZEN_WITHIN_S)
    await asyncio.sleep(1)
    studio.signal(signal.SIGCONT)
    await watch.until_state("live")
    await watch.until_decoded(30)
    assert [request["status"] for request in await watch.requests("PATCH")] == [200]
    assert [request["status"] for request in await watch.requests("POST")] == [201]


async def test_player_behind_a_router_that_reboots_is_followed_to_its_new_address(
    start_gateway: StartGateway,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
) -> None:
    gateway = await start_gateway(**LISTEN)
    relay = await cleanup.enter_async_context(relay_before(gateway))
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live("card")
    watch = await WatchPage.watching(browser, gateway.url, "card")
    cleanup.push_async_callback(watch.close)
    await watch.until_decoded(30)
    moves = len(gateway.events("address"))
    since_ms = await watch.now_ms()
    relay.rebind(relay.newest)
    await until(lambda: len(gateway.events("address")) > moves)
    await watch.until_decoded(30)
    gap_ms = await watch.longest_gap_ms(since_ms)
    measured(f"longest gap between frames {gap_ms:.0f} ms")
    assert gap_ms < NEXT_CHECK_WITHIN_MS
    assert [request["status"] for request in await watch.requests("POST")] == [201]
