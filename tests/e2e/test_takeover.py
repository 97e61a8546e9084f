"""A studio goes, another comes: viewers stay, and the picture goes on without a new negotiation."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable

import pytest
from playwright.async_api import Browser

from tests.e2e.aiortc_peer import AiortcStudio, AiortcViewer, RefusedError
from tests.e2e.chromium import WatchPage
from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.studio_av import AvStudio
from tests.e2e.waiting import until

STALE_S = 3.0
"""A busy machine holds up a studio for one."""


@pytest.fixture
async def green(gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack) -> AvStudio:
    """A studio that publishes the green card, live for a second."""
    studio = await AvStudio(gateway, "card", "green").start()
    cleanup.push_async_callback(studio.kill)
    await gateway.live("card")
    return studio


@pytest.fixture
async def blue(gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack) -> AvStudio:
    """Its successor, which stands by."""
    studio = await AvStudio(gateway, "card", "blue").prepare()
    cleanup.push_async_callback(studio.kill)
    return studio


@pytest.mark.browser
@pytest.mark.parametrize("first_is_killed", [True, False], ids=["killed", "live"])
async def test_takeover_keeps_the_session_of_chromium(
    gateway: GatewayProcess,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
    green: AvStudio,
    blue: AvStudio,
    first_is_killed: bool,
) -> None:
    watch = await WatchPage.watching(browser, gateway.url, "card")
    cleanup.push_async_callback(watch.close)
    await watch.until_decoded(30)
    assert await watch.dominant_colour() == "green"

    since_ms = await watch.now_ms()
    if first_is_killed:
        green.signal(signal.SIGKILL)
    await blue.start()
    await watch.until_colour("blue")
    await watch.until_decoded(30)
    gap_ms = await watch.longest_gap_ms(since_ms)
    measured(f"longest gap between frames {gap_ms:.0f} ms")
    assert [request["status"] for request in await watch.requests("POST")] == [201]
    assert await watch.state() == "live"
    assert (await gateway.metrics()).value("railbird_publisher_takeovers_total") == 1


@pytest.mark.browser
@pytest.mark.usefixtures("green")
async def test_takeover_by_another_codec_makes_chromium_negotiate_anew(
    gateway: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    watch = await WatchPage.watching(browser, gateway.url, "card")
    cleanup.push_async_callback(watch.close)
    since_ms = await watch.now_ms()
    studio = AiortcStudio(f"{gateway.url}/whip/card", "VP8", "blue")
    cleanup.push_async_callback(studio.close)
    await studio.connect()
    await watch.until_colour("blue")
    await watch.until_decoded(15)
    measured(f"longest gap between frames {await watch.longest_gap_ms(since_ms):.0f} ms")
    assert (await watch.figures())["codec"] == "VP8"
    assert [request["status"] for request in await watch.requests("POST")] == [201, 201]
    ended = (await gateway.metrics()).value("railbird_sessions_ended_total", leg="egress", cause="stream_changed")
    assert ended == 1


async def test_takeover_from_a_studio_that_closed_without_delete(
    gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    url = f"{gateway.url}/whip/card"
    first = await AiortcStudio(url, "VP8", "green").connect()
    cleanup.push_async_callback(first.close)
    await gateway.live("card", frames=15)
    viewer = AiortcViewer(f"{gateway.url}/whep/card")
    cleanup.push_async_callback(viewer.close)
    await viewer.connect()
    await viewer.until_frames(15)
    assert viewer.ground() == "green"

    await first.close()
    second = await AiortcStudio(url, "VP8", "blue").connect()
    cleanup.push_async_callback(second.close)
    await until(lambda: viewer.ground() == "blue")
    await viewer.until_frames(15)
    measured(f"longest gap between decoded frames {viewer.longest_gap_s * 1000:.0f} ms")
    assert viewer.connection.connectionState == "connected"
    ended = (await gateway.metrics()).by_label("railbird_sessions_ended_total", "cause")
    assert ended == {"peer_left": 1}


async def test_second_publisher_is_refused_while_the_first_is_heard(
    start_gateway: StartGateway, cleanup: contextlib.AsyncExitStack
) -> None:
    gateway = await start_gateway(SECOND_PUBLISHER="refuse", TIMEOUTS__STALE_PUBLISHER_S=str(STALE_S))
    first = await AvStudio(gateway, "card", "green").start()
    cleanup.push_async_callback(first.kill)
    await gateway.live("card")
    second = AiortcStudio(f"{gateway.url}/whip/card", "H264", "blue")
    cleanup.push_async_callback(second.close)
    with pytest.raises(RefusedError, match="live") as refusal:
        await second.connect()
    assert refusal.value.status == 409
    await gateway.live("card")

    first.signal(signal.SIGSTOP)
    await asyncio.sleep(STALE_S + 0.5)
    third = AiortcStudio(f"{gateway.url}/whip/card", "H264", "blue")
    cleanup.push_async_callback(third.close)
    await third.connect()
    await gateway.live("card", frames=15)
    assert (await gateway.metrics()).value("railbird_publisher_takeovers_total") == 1
