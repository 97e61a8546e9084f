"""Packets get lost between the gateway and a player: retransmission mends it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.e2e.chromium import WatchPage, chromium
from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.lossy_link import LISTEN_NEAR, TUN, lossy_link
from tests.e2e.relay import LISTEN, relay_before
from tests.e2e.studio_av import AvStudio
from tests.e2e.windows import in_one_window

LOSS = 0.03
SETTLE_S = 2.0
WINDOW_S = 5.0
MIN_FRAMES = 140
"""Of the 150 of the window."""
AGAIN = "retransmittedPacketsReceived"
COUNTED = ("framesDecoded", "framesDropped", "nackCount", "freezeCount", AGAIN)

pytestmark = pytest.mark.browser


async def _no_frame_is_lost(
    gateway: GatewayProcess, browser: Browser, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    """Watch over the lossy path, and see every frame decoded, because lost packets came again by RTX."""
    watch = await WatchPage.watching(browser, gateway.url, "card")
    cleanup.push_async_callback(watch.close)
    await asyncio.sleep(SETTLE_S)
    before = await watch.inbound()
    await in_one_window(lambda: _window(watch, measured), _has_every_frame)
    again = _more(before, await watch.inbound(), AGAIN)
    assert again > 0
    assert (await gateway.metrics()).value("railbird_retransmissions_total", stream="card", kind="rtx") >= again


async def _window(watch: WatchPage, measured: Callable[[str], None]) -> dict[str, int]:
    since_ms, before = await watch.now_ms(), await watch.inbound()
    await asyncio.sleep(WINDOW_S)
    after, gap_ms = await watch.inbound(), await watch.longest_gap_ms(since_ms)
    window = {name: _more(before, after, name) for name in COUNTED}
    measured(f"{window} in {WINDOW_S:.0f} s, longest gap between frames {gap_ms:.0f} ms")
    return window


def _more(before: dict[str, Any], after: dict[str, Any], name: str) -> int:
    return int(after[name] - before[name])


def _has_every_frame(window: dict[str, int]) -> bool:
    return window["framesDecoded"] >= MIN_FRAMES and not window["framesDropped"] and not window["freezeCount"]


async def test_loss_behind_a_relay_costs_chromium_no_frame(
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
    relay.loss = LOSS
    await _no_frame_is_lost(gateway, browser, cleanup, measured)
    assert relay.newest.lost["rtp"] > 0


@pytest.mark.netns
async def test_loss_on_a_link_costs_chromium_no_frame(
    start_gateway: StartGateway,
    chromium_executable: str,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
    tmp_path: Path,
) -> None:
    if not TUN.exists():
        pytest.skip(f"no {TUN}: there is nothing to make a link of")
    link = await cleanup.enter_async_context(lossy_link(LOSS))
    gateway = await start_gateway(**LISTEN_NEAR)
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live("card")
    browser = await cleanup.enter_async_context(chromium(link.command(chromium_executable, tmp_path)))
    await _no_frame_is_lost(gateway, browser, cleanup, measured)
    measured(f"{link.lost} of {link.passed + link.lost} UDP packets lost on the link")
    assert link.lost > 0
