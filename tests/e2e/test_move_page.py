"""The player page moves from a gateway that drains to another one, in Chromium, and the picture goes on."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.studio_av import AvStudio
from tests.e2e.test_hls_page import SHOWN, ShownPage
from tests.e2e.waiting import eventually, until

pytestmark = pytest.mark.browser

STREAM = "card"
SPREAD_S = 1.0
LEAVE_S = 5.0
GAP_WITHIN_MS = 1000
"""Both pictures play at once, so there is none; a busy machine shows its own."""

LOSES_BETS = """(() => {
    const lines = [];
    window.lostBets = 0;
    for (const { prototype } of [RTCDataChannel, WebSocket]) {
        const { send } = prototype;
        prototype.send = function (text) {
            if (!lines.includes(this)) lines.push(this);
            if (this !== lines[0] || !text.includes('"bet"')) return send.call(this, text);
            lostBets += 1;
        };
    }
})();"""
"""The first line loses every bet on its way: what a data channel may do, at its worst."""

NOTED = """() => {
    window.states = new Set();
    const look = () => {
        states.add(railbird.state);
        requestAnimationFrame(look);
    };
    look();
}"""
"""From now on: each state."""


class Edge:
    """A gateway with a studio of its own, whose ground tells its picture from another edge's."""

    def __init__(self, gateway: GatewayProcess, ground: str) -> None:
        self.gateway = gateway
        self._ground = ground
        self._studio: AvStudio | None = None

    async def publish(self) -> None:
        """Start the studio, and wait until the stream is live."""
        await self.stop()
        self._studio = await AvStudio(self.gateway, STREAM, self._ground).start()
        await self.gateway.live(STREAM)

    async def stop(self) -> None:
        """End the studio, if there is one."""
        if self._studio is not None:
            await self._studio.stop()

    @property
    def url(self) -> str:
        return self.gateway.url

    async def players(self) -> int:
        """How many watch by WebRTC."""
        return len([each for each in await self.gateway.sessions() if each["leg"] == "egress"])

    async def signals(self, carrier: str) -> float:
        """How many connections of bet signals are open."""
        metrics = await self.gateway.metrics()
        return metrics.value("railbird_signal_connections", stream=STREAM, carrier=carrier)

    async def drain(self) -> None:
        async with self.gateway.http.post("/api/v1/drain") as response:
            assert response.status == 202, await response.text()

    async def serve_again(self) -> None:
        async with self.gateway.http.delete("/api/v1/drain") as response:
            assert response.status == 200, await response.text()

    async def open_round(self, round_id: str) -> None:
        body = {"state": "betting_open", "roundId": round_id}
        async with self.gateway.http.post(f"/api/v1/streams/{STREAM}/rounds", json=body) as response:
            assert response.status in (200, 201), await response.text()


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
async def blue(open_edge: OpenEdge) -> Edge:
    """The edge that players are sent to."""
    edge = await open_edge("blue")
    await edge.publish()
    return edge


@pytest.fixture
async def green(open_edge: OpenEdge, blue: Edge) -> Edge:
    """The edge that drains."""
    edge = await open_edge("green", blue.url)
    await edge.publish()
    return edge


class MovingPage(ShownPage):
    """/watch/{stream}, whose states are noted and whose first line loses bets."""

    @classmethod
    async def playing(cls, browser: Browser, edge: Edge, transport: str, query: str = "") -> MovingPage:
        """Open it at that edge, and wait until it plays by `transport` and has signals."""
        page: MovingPage = await cls._opened(browser, 1000, 800)
        await page.page.add_init_script(path=SHOWN)
        await page.page.add_init_script(LOSES_BETS)
        await page.page.goto(f"{edge.url}/watch/{STREAM}{query}", wait_until="commit")
        await page.until_live_by(transport)
        await page.page.wait_for_function("railbird.signals.mayBet")
        await page.page.evaluate(NOTED)
        return page

    async def until_at(self, edge: Edge, moves: int = 1) -> None:
        """Wait until it plays from there, after so many moves, and its signals have followed."""
        arrived = "([edge, moves]) => railbird.edge === edge && railbird.moves === moves && railbird.signals.carrier"
        await self.page.wait_for_function(arrived, arg=[edge.url, moves], timeout=20_000)

    async def states(self) -> list[str]:
        states: list[str] = await self.page.evaluate("[...states]")
        return states

    async def bet_state(self) -> str:
        """Of the last bet."""
        state: str = await self.page.evaluate("railbird.signals.bets.at(-1).state")
        return state


async def _answers(edge: Edge) -> dict[str, float]:
    """How often each answer was given to a bet."""
    answers = (await edge.gateway.metrics()).by_label("railbird_bets_total", "state")
    return {state: count for state, count in answers.items() if count}


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
    watch = await MovingPage.playing(browser, green, transport, query)
    cleanup.push_async_callback(watch.close)
    await watch.until_colour("green")
    await blue.open_round("r-blue")
    since_ms = await watch.now_ms()
    await watch.page.evaluate("railbird.place('r-blue', { choice: 'tie', stake: 10 })")
    await green.drain()
    await expect(watch.page.locator("#way")).to_have_text("Changing servers")
    await watch.page.screenshot(path=artifacts / f"move-{transport}-1-during.png")
    drained_ms = await watch.now_ms()
    await watch.until_at(blue)
    await eventually(watch.bet_state, lambda state: state == "accepted")
    await watch.until_colour("blue")
    moved_ms = await watch.now_ms()
    await watch.page.screenshot(path=artifacts / f"move-{transport}-2-after.png")

    await eventually(green.players, lambda players: players == 0)
    await eventually(lambda: green.signals(carrier), lambda connections: connections == 0)
    assert await blue.players() == (transport == "webrtc")
    assert await blue.signals(carrier) == 1
    assert await watch.page.evaluate("lostBets") >= 1
    assert await _answers(green) == {}
    assert await _answers(blue) == {"accepted": 1}
    await expect(watch.page.locator("#round-words")).to_have_text("Place your bets")
    gap_ms = await watch.gap_ms(since_ms)
    measured(f"longest time between two frames {gap_ms:.0f} ms; moved after {moved_ms - drained_ms:.0f} ms")
    assert gap_ms <= GAP_WITHIN_MS
    assert await watch.dark_looks(since_ms) == []
    assert await watch.states() == ["live"]


@pytest.mark.timeout(120)
async def test_page_goes_on_when_its_gateway_is_told_to_end(
    green: Edge,
    blue: Edge,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    artifacts: Path,
    measured: Callable[[str], None],
) -> None:
    watch = await MovingPage.playing(browser, green, "webrtc")
    cleanup.push_async_callback(watch.close)
    await watch.page.set_viewport_size({"width": 360, "height": 740})
    since_ms = await watch.now_ms()
    green.gateway.terminate()
    await expect(watch.page.locator("#way")).to_have_text("Changing servers")
    await watch.page.screenshot(path=artifacts / "move-phone-1-during.png")
    assert await watch.page.evaluate("document.documentElement.scrollWidth") <= 360
    await watch.until_at(blue)
    await until(lambda: green.gateway.returncode is not None, SPREAD_S + LEAVE_S + 15)
    assert green.gateway.returncode == 0
    await watch.until_colour("blue")
    await watch.page.screenshot(path=artifacts / "move-phone-2-after.png")
    gap_ms = await watch.gap_ms(since_ms)
    measured(f"longest time between two frames {gap_ms:.0f} ms")
    assert gap_ms <= GAP_WITHIN_MS
    assert await watch.states() == ["live"]


@pytest.mark.timeout(120)
async def test_page_comes_back_when_the_other_edge_drains_too(
    green: Edge,
    blue: Edge,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
) -> None:
    watch = await MovingPage.playing(browser, green, "webrtc")
    cleanup.push_async_callback(watch.close)
    since_ms = await watch.now_ms()
    await green.drain()
    await watch.until_at(blue)
    await eventually(green.players, lambda players: players == 0)
    await green.serve_again()
    await green.publish()
    await blue.drain()  # It knows of no other: the page comes by its own address.
    await watch.until_at(green, moves=2)
    await watch.until_colour("green")
    await eventually(blue.players, lambda players: players == 0)
    measured(f"longest time between two frames in two moves {await watch.gap_ms(since_ms):.0f} ms")
    assert await watch.dark_looks(since_ms) == []
    assert await watch.states() == ["live"]


@pytest.mark.timeout(120)
async def test_page_follows_a_studio_that_changes_its_edge_after_the_players(
    open_edge: OpenEdge, browser: Browser, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    blue = await open_edge("blue")
    green = await open_edge("green", blue.url)
    await green.publish()
    watch = await MovingPage.playing(browser, green, "webrtc")
    cleanup.push_async_callback(watch.close)
    since_ms = await watch.now_ms()
    await green.drain()
    await until(lambda: bool(green.gateway.events("drained")), SPREAD_S + LEAVE_S + 5)
    await blue.publish()
    await watch.until_at(blue)
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
