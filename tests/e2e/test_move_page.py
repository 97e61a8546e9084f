"""The player page moves from a gateway that drains to another one, in Chromium, and the picture goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.balancer import Balancer, balancer
from tests.e2e.conftest import StartGateway
from tests.e2e.edge import STREAM, Edge
from tests.e2e.moving_page import WITH_A_PICTURE, MovingPage
from tests.e2e.test_hls_page import ShownPage
from tests.e2e.waiting import eventually, until

pytestmark = pytest.mark.browser

SPREAD_S = 1.0
LEAVE_S = 5.0
GAP_WITHIN_MS = 3000
"""Both pictures play at once, so there is none; a busy machine shows its own, and the measured one is printed."""


class OpenEdge(Protocol):
    """`open_edge`: an edge whose studio shows that ground, and which sends its players to `elsewhere`."""

    async def __call__(self, ground: str, *elsewhere: str) -> Edge:
        """Nobody publishes yet; what does is ended after the test."""


@pytest.fixture
def open_edge(start_gateway: StartGateway, cleanup: contextlib.AsyncExitStack) -> OpenEdge:
    """Opens edges."""

    async def opened(ground: str, *elsewhere: str) -> Edge:
        gateway = await start_gateway(
            HLS__START="at_once",
            DRAIN__SPREAD_S=str(SPREAD_S),
            DRAIN__LEAVE_S=str(LEAVE_S),
            DRAIN__ELSEWHERE=json.dumps(elsewhere),
        )
        edge = Edge(gateway, ground)
        cleanup.push_async_callback(edge.stop)
        return edge

    return opened


@pytest.fixture
async def edges(open_edge: OpenEdge) -> tuple[Edge, Edge]:
    """Green, and blue, to which it sends its players."""
    blue = await open_edge("blue")
    green = await open_edge("green", blue.url)
    await asyncio.gather(green.publish(), blue.publish())
    return green, blue


@pytest.fixture
def green(edges: tuple[Edge, Edge]) -> Edge:
    """The edge that drains."""
    return edges[0]


@pytest.fixture
def blue(edges: tuple[Edge, Edge]) -> Edge:
    """The edge that players are sent to."""
    return edges[1]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("transport", "carrier", "query"),
    [("webrtc", "data_channel", ""), ("hls", "websocket", "?transport=hls")],
    ids=["webrtc", "hls"],
)
async def test_page_moves_to_the_other_edge_and_shows_no_gap(
    green: Edge,
    blue: Edge,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    artifacts: Path,
    measured: Callable[[str], None],
    transport: str,
    carrier: str,
    query: str,
) -> None:
    watch = await MovingPage.playing(browser, green.url, transport, query)
    cleanup.push_async_callback(watch.close)
    await watch.until_colour("green")
    await blue.open_round("r-blue")
    since_ms = await watch.now_ms()
    await watch.page.evaluate("railbird.place('r-blue', { choice: 'tie', stake: 10 })")
    await green.drain()
    await expect(watch.page.locator("#way")).to_have_text("Changing servers")
    await watch.page.screenshot(path=artifacts / f"move-{transport}-1-during.png")
    drained_ms = await watch.now_ms()
    await watch.until_at(blue.url)
    await eventually(watch.bet_state, lambda state: state == "accepted")
    await watch.until_colour("blue")
    moved_ms = await watch.now_ms()
    await watch.page.screenshot(path=artifacts / f"move-{transport}-2-after.png")

    await eventually(green.players, lambda players: players == 0)
    await eventually(lambda: green.signals(carrier), lambda connections: connections == 0)
    assert await blue.players() == (transport == "webrtc")
    assert await blue.signals(carrier) == 1
    assert await watch.page.evaluate("lostBets") >= 1
    assert await green.answers() == {}
    assert await blue.answers() == {"accepted": 1}
    await expect(watch.page.locator("#round-words")).to_have_text("Place your bets")
    gap_ms = await watch.gap_ms(since_ms)
    measured(f"longest time between two frames {gap_ms:.0f} ms; moved after {moved_ms - drained_ms:.0f} ms")
    assert gap_ms <= GAP_WITHIN_MS
    assert await watch.dark_looks(since_ms) == []
    assert set(await watch.states()) <= WITH_A_PICTURE


@pytest.mark.timeout(120)
async def test_page_goes_on_when_its_gateway_is_told_to_end(
    green: Edge,
    blue: Edge,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    artifacts: Path,
    measured: Callable[[str], None],
) -> None:
    watch = await MovingPage.playing(browser, green.url, "webrtc")
    cleanup.push_async_callback(watch.close)
    await watch.page.set_viewport_size({"width": 360, "height": 740})
    since_ms = await watch.now_ms()
    green.gateway.terminate()
    await expect(watch.page.locator("#way")).to_have_text("Changing servers")
    await watch.page.screenshot(path=artifacts / "move-phone-1-during.png")
    assert await watch.page.evaluate("document.documentElement.scrollWidth") <= 360
    await watch.until_at(blue.url)
    await until(lambda: green.gateway.returncode is not None, SPREAD_S + LEAVE_S + 15)
    assert green.gateway.returncode == 0
    await watch.until_colour("blue")
    await watch.page.screenshot(path=artifacts / "move-phone-2-after.png")
    gap_ms = await watch.gap_ms(since_ms)
    measured(f"longest time between two frames {gap_ms:.0f} ms")
    assert gap_ms <= GAP_WITHIN_MS
    assert set(await watch.states()) <= WITH_A_PICTURE


@pytest.mark.timeout(120)
async def test_page_comes_back_when_the_other_edge_drains_too(
    green: Edge,
    blue: Edge,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
) -> None:
    watch = await MovingPage.playing(browser, green.url, "webrtc")
    cleanup.push_async_callback(watch.close)
    since_ms = await watch.now_ms()
    await green.drain()
    await watch.until_at(blue.url)
    await eventually(green.players, lambda players: players == 0)
    await green.serve_again()
    await green.publish()
    await blue.drain()  # It knows of no other: the page comes by its own address.
    await watch.until_at(green.url, moves=2)
    await watch.until_colour("green")
    await eventually(blue.players, lambda players: players == 0)
    measured(f"longest time between two frames in two moves {await watch.gap_ms(since_ms):.0f} ms")
    assert await watch.dark_looks(since_ms) == []
    assert set(await watch.states()) <= WITH_A_PICTURE


@pytest.fixture
async def front(open_edge: OpenEdge, cleanup: contextlib.AsyncExitStack) -> tuple[Balancer, Edge, Edge]:
    """A load balancer, the green edge where it leads, and the blue one; neither knows of another."""
    blue, green = await open_edge("blue"), await open_edge("green")
    await asyncio.gather(green.publish(), blue.publish())
    return await cleanup.enter_async_context(balancer(green.gateway)), green, blue


@pytest.mark.timeout(120)
async def test_page_comes_again_by_the_address_of_a_load_balancer(
    front: tuple[Balancer, Edge, Edge],
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
) -> None:
    address, green, blue = front
    watch = await MovingPage.playing(browser, address.url, "webrtc")
    cleanup.push_async_callback(watch.close)
    await watch.until_colour("green")
    since_ms = await watch.now_ms()
    await green.drain()
    address.ready = blue.gateway
    await watch.until_at(address.url)
    await watch.until_colour("blue")
    await eventually(green.players, lambda players: players == 0)
    measured(f"longest time between two frames {await watch.gap_ms(since_ms):.0f} ms")
    assert await watch.dark_looks(since_ms) == []
    assert set(await watch.states()) <= WITH_A_PICTURE


@pytest.mark.timeout(120)
async def test_page_on_hls_behind_a_load_balancer_goes_on_with_the_other_gateway(
    front: tuple[Balancer, Edge, Edge],
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
) -> None:
    """Two presentations at one address: which one is reached is the affair of connections, and there may be a gap."""
    address, green, blue = front
    watch = await MovingPage.playing(browser, address.url, "hls", "?transport=hls")
    cleanup.push_async_callback(watch.close)
    await watch.until_colour("green")
    since_ms = await watch.now_ms()
    await green.drain()
    address.ready = blue.gateway
    await watch.until_colour("blue", within_s=30)
    await watch.until_live_by("hls")
    await eventually(lambda: blue.signals("websocket"), lambda connections: connections == 1, 20)
    measured(f"longest time between two frames {await watch.gap_ms(since_ms):.0f} ms")
    assert await watch.dark_looks(since_ms) == []


@pytest.mark.timeout(120)
async def test_page_follows_a_studio_that_changes_its_edge_after_the_players(
    open_edge: OpenEdge, browser: Browser, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    blue = await open_edge("blue")
    green = await open_edge("green", blue.url)
    await green.publish()
    watch = await MovingPage.playing(browser, green.url, "webrtc")
    cleanup.push_async_callback(watch.close)
    since_ms = await watch.now_ms()
    await green.drain()
    await until(lambda: bool(green.gateway.events("drained")), SPREAD_S + LEAVE_S + 5)
    await blue.publish()
    await watch.until_at(blue.url)
    await watch.until_colour("blue")
    measured(f"longest time between two frames {await watch.gap_ms(since_ms) / 1000:.1f} s, the studio's way included")
    assert await watch.state() == "live"


@pytest.mark.timeout(120)
async def test_page_that_comes_to_a_draining_gateway_plays_from_the_other(
    green: Edge, blue: Edge, browser: Browser, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    await green.drain()
    watch = await ShownPage.at(browser, f"{green.url}/watch/{STREAM}")
    cleanup.push_async_callback(watch.close)
    await watch.until_state("live")
    assert await watch.page.evaluate("railbird.edge") == blue.url
    await watch.page.wait_for_function("railbird.signals.carrier")
    measured(f"first frame {(await watch.page.evaluate('shown.frames[0]?.atMs')):.0f} ms after the page's load began")
