"""The player page behind a load balancer and the front: HTTP/2, whose one connection the gateway cannot close."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import Browser

from tests.e2e.balancer import Balancer, balancer
from tests.e2e.chromium import PROBE
from tests.e2e.conftest import StartGateway
from tests.e2e.edge import Edge
from tests.e2e.moving_page import WITH_A_PICTURE, MovingPage
from tests.e2e.waiting import eventually
from tests.front.nginx_process import FRONT, NginxProcess

pytestmark = [pytest.mark.browser, pytest.mark.nginx, pytest.mark.timeout(180)]

DRAIN: dict[str, Any] = yaml.safe_load((FRONT.parent / "base" / "railbird.yml").read_text(encoding="utf-8"))["drain"]
"""As the cluster has it: players who come again by one address."""
SETTINGS = {f"DRAIN__{name.upper()}": str(DRAIN[name]) for name in ("notice_s", "spread_s", "leave_s")} | {
    "HLS__START": "at_once",
    "TRUSTED_PROXIES": '["127.0.0.1"]',
    "AUTH__OPEN_TO_NETWORK": "true",
}
KNOWN_AFTER_S = 8.0
"""When the balancer knows that a gateway is not ready."""


class _Page(MovingPage):
    """With an exception for the front's certificate, which nobody signed."""

    @classmethod
    async def _opened(cls, browser: Browser, width_px: int, height_px: int) -> Any:
        viewport = {"width": width_px, "height": height_px}
        context = await browser.new_context(viewport=viewport, ignore_https_errors=True)  # type: ignore[arg-type]
        await context.add_init_script(path=PROBE)
        return cls(context, await context.new_page())


class _Node:
    """An edge with its front."""

    def __init__(self, edge: Edge, front: NginxProcess) -> None:
        self.edge = edge
        self.front = front


@pytest.fixture
async def nodes(start_gateway: StartGateway, tmp_path: Path, cleanup: contextlib.AsyncExitStack) -> tuple[_Node, _Node]:
    """Green, and blue."""
    green, blue = [await _node(start_gateway, tmp_path, ground, cleanup) for ground in ("green", "blue")]
    await asyncio.gather(green.edge.publish(), blue.edge.publish())
    return green, blue


async def _node(start: StartGateway, directory: Path, ground: str, cleanup: contextlib.AsyncExitStack) -> _Node:
    """Nobody publishes yet."""
    edge = Edge(await start(**SETTINGS), ground)
    cleanup.push_async_callback(edge.stop)
    prefix = directory / f"front-{ground}"
    prefix.mkdir()
    front = NginxProcess(prefix, int(edge.url.rpartition(":")[2]))
    cleanup.push_async_callback(front.stop)
    return _Node(edge, await front.start())


@pytest.fixture
async def address(nodes: tuple[_Node, _Node], cleanup: contextlib.AsyncExitStack) -> Balancer:
    """Of both; it leads to the green one."""
    return await cleanup.enter_async_context(balancer(nodes[0].front))


@pytest.mark.parametrize(("transport", "query"), [("webrtc", ""), ("hls", "?transport=hls")], ids=["webrtc", "hls"])
async def test_page_is_led_to_the_other_node(
    nodes: tuple[_Node, _Node],
    address: Balancer,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
    transport: str,
    query: str,
) -> None:
    """The front goes on on the node that drains, as on one that is cordoned."""
    green, blue = nodes
    watch = await _Page.playing(browser, address.url, transport, query)
    cleanup.push_async_callback(watch.close)
    await watch.until_colour("green")
    since_ms = await watch.now_ms()
    await green.edge.drain()
    await asyncio.sleep(KNOWN_AFTER_S)
    address.ready = blue.front
    await watch.until_colour("blue", within_s=60)
    await eventually(green.edge.players, lambda players: players == 0, 20)
    measured(f"longest time between two frames {await watch.gap_ms(since_ms):.0f} ms")
    if transport == "webrtc":
        assert await watch.dark_looks(since_ms) == []
        assert set(await watch.states()) <= WITH_A_PICTURE
