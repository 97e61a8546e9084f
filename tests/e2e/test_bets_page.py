"""A player bets in Chromium, by data channel and by WebSocket, in time and too late, and sees it with its frame."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.chromium import WatchPage
from tests.e2e.conftest import StartGateway
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.relay import LISTEN, relay_before
from tests.e2e.slow_http import slow_http
from tests.e2e.studio_av import AvStudio
from tests.e2e.waiting import eventually
from tests.e2e.windows import in_one_window

pytestmark = pytest.mark.browser

STREAM = "card"
CARRIERS = pytest.mark.parametrize(
    ("transport", "carrier"), [("webrtc", "data_channel"), ("hls", "websocket")], ids=["data channel", "websocket"]
)
SAMPLES = 20
WINDOWS = 5
"""Whatever else this machine does delays the one or the other."""
AGREES_MS = 2.0
ADDED_MS = 50.0
OWN_MS = 25.0
"""Of both ends, without what is added, at most."""
FRAME_MS = 1000 / 30
SIGNALS = "({ ...railbird.signals, bets: railbird.signals.bets.map(({ betId, state }) => ({ betId, state })) })"

BET_ROUND_TRIPS = """async ({ roundId, count }) => {
    const took = [];
    for (let sent = 0; sent < count; sent += 1) {
        const bet = railbird.place(roundId, { choice: "tie", stake: 1 });
        while (bet.state === "sending") await new Promise((resolve) => setTimeout(resolve));
        took.push(bet.answeredMs - bet.placedMs);
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return took;
}"""
"""The browser's own measure: from placing a bet to its answer, by its own clock."""

CLOSING_FRAMES = """async () => {
    const { readTimecode, sinceTimecode } = await import("/web/timecode.js");
    const seen = [];
    while (seen.at(-1)?.state !== "betting_closed") {
        const video = document.querySelector("video.shown");
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
        const code = readTimecode(video);
        await new Promise((resolve) => setTimeout(resolve)); // The page's own callback of this frame comes first.
        if (code === null) continue;
        const nowMs = Date.now();
        seen.push({ state: railbird.signals.shown?.state, unixMs: nowMs - sinceTimecode(code, nowMs) });
    }
    return seen.slice(-2);
}"""
"""The time codes of the last frame without, and the first with, "no more bets"."""


@pytest.fixture
async def table(gateway: GatewayProcess) -> AsyncIterator[GatewayProcess]:
    """A gateway with a live stream."""
    async with _live(gateway):
        yield gateway


@contextlib.asynccontextmanager
async def _live(gateway: GatewayProcess) -> AsyncIterator[None]:
    studio = await AvStudio(gateway, STREAM).start()
    try:
        await gateway.live(STREAM)
        yield
    finally:
        await studio.stop()


async def _command(gateway: GatewayProcess, state: str, **more: Any) -> dict[str, Any]:
    body = {"state": state, "roundId": "r1", **more}
    async with gateway.http.post(f"/api/v1/streams/{STREAM}/rounds", json=body) as response:
        assert response.status in (200, 201), await response.text()
        told: dict[str, Any] = await response.json()
        return told


async def _player(browser: Browser, url: str, transport: str, cleanup: contextlib.AsyncExitStack) -> WatchPage:
    """A page that plays by `transport`, with signals."""
    watch = await WatchPage.opened(browser, url, f"{STREAM}?transport={transport}")
    cleanup.push_async_callback(watch.close)
    await watch.until_state("live")
    await watch.page.wait_for_function("railbird.signals.mayBet")
    return watch


async def _signals(watch: WatchPage) -> dict[str, Any]:
    signals: dict[str, Any] = await watch.page.evaluate(SIGNALS)
    return signals


@CARRIERS
async def test_player_bets_in_time_and_is_refused_when_late(
    table: GatewayProcess,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    artifacts: Path,
    transport: str,
    carrier: str,
) -> None:
    watch = await _player(browser, table.url, transport, cleanup)
    assert (await _signals(watch))["carrier"] == carrier
    await _command(table, "betting_open")
    await expect(watch.page.locator("#round-words")).to_have_text("Place your bets")
    await watch.page.get_by_role("button", name="Banker").click()
    await expect(watch.page.locator("#bet")).to_have_text("10 on Banker: taken")
    await watch.page.screenshot(path=artifacts / f"bet-{carrier}.png")

    await _command(table, "betting_closed")
    await expect(watch.page.locator("#round-words")).to_have_text("No more bets")
    await expect(watch.page.get_by_role("button", name="Banker")).to_be_disabled()
    await watch.page.evaluate("railbird.place('r1', { choice: 'player', stake: 10 })")
    await expect(watch.page.locator("#bet")).to_have_text("10 on Player: too late, bets were closed")

    await _command(table, "result", result={"player": 7, "banker": 5, "winner": "player"})
    await expect(watch.page.locator("#round-words")).to_have_text("Player wins: Player 7, Banker 5")
    answered = (await table.metrics()).by_label("railbird_bets_total", "state")
    answered.pop("duplicate", None)  # A page whose answer takes long sends its bet again.
    assert {state: count for state, count in answered.items() if count} == {"accepted": 1, "late": 1}


@CARRIERS
async def test_page_says_no_more_bets_with_the_frame_at_which_it_was_so(
    table: GatewayProcess,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
    transport: str,
    carrier: str,
) -> None:
    watch = await _player(browser, table.url, transport, cleanup)
    round_ids = (f"r{number}" for number in itertools.count(1))

    async def measure() -> float:
        before_ms, after_ms = await _closing_frames(table, watch, next(round_ids))
        measured(
            f"{carrier}: the last frame without it {before_ms:.0f} ms, "
            f"the first with it {after_ms:.0f} ms after the closing"
        )
        assert before_ms < after_ms
        return after_ms

    # A time code is drawn before its frame is encoded and sent, which the sender reports do not see.
    await in_one_window(measure, lambda after_ms: abs(after_ms) <= 3 * FRAME_MS)


async def _closing_frames(gateway: GatewayProcess, watch: WatchPage, round_id: str) -> list[float]:
    """When the last frame without, and the first with "no more bets" were drawn, in ms after a round's closing."""
    await _command(gateway, "betting_open", roundId=round_id)
    await expect(watch.page.locator("#round-words")).to_have_text("Place your bets")
    frames = asyncio.create_task(watch.page.evaluate(CLOSING_FRAMES))
    await asyncio.sleep(1)
    closed_unix_ms = (await _command(gateway, "betting_closed", roundId=round_id))["at"]["unixMs"]
    drawn_ms = [frame["unixMs"] - closed_unix_ms for frame in await frames]
    await _command(gateway, "aborted", roundId=round_id)
    return drawn_ms


async def _exported_ms(gateway: GatewayProcess, carrier: str, wait_s: float) -> float:
    """The mean of the round trips that the gateway measured while `wait_s` went by."""
    name = "railbird_bet_signal_rtt_seconds"
    before = await gateway.metrics()
    await asyncio.sleep(wait_s)
    after = await gateway.metrics()
    total, count = (
        after.value(f"{name}_{part}", carrier=carrier) - before.value(f"{name}_{part}", carrier=carrier)
        for part in ("sum", "count")
    )
    assert count >= 10, "hardly any ping was answered"
    return total / count * 1000


async def _round_trips_ms(gateway: GatewayProcess, watch: WatchPage, carrier: str) -> tuple[float, float]:
    """What the gateway exports, and what the browser itself measures, in the same seconds."""
    measuring = watch.page.evaluate(BET_ROUND_TRIPS, {"roundId": "r1", "count": SAMPLES})
    exported_ms, took_ms = await asyncio.gather(_exported_ms(gateway, carrier, SAMPLES * 0.1), measuring)
    return exported_ms, statistics.median(took_ms)


@CARRIERS
@pytest.mark.parametrize("added_ms", [0.0, ADDED_MS])
async def test_round_trip_that_the_gateway_exports_is_the_browsers_own(
    start_gateway: StartGateway,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
    transport: str,
    carrier: str,
    added_ms: float,
) -> None:
    gateway = await start_gateway(**LISTEN, SIGNALS__PING_S="0.1", BETS__PER_PLAYER_PER_S="100")
    relay = await cleanup.enter_async_context(relay_before(gateway))
    await cleanup.enter_async_context(_live(gateway))
    relay.delay_s = added_ms / 2000
    url = await cleanup.enter_async_context(slow_http(gateway, added_ms / 2000))
    watch = await _player(browser, url, transport, cleanup)
    await eventually(lambda: _signals(watch), lambda signals: signals["carrier"] == carrier)
    await _command(gateway, "betting_open")

    async def measure() -> tuple[float, float]:
        exported_ms, own_ms = await _round_trips_ms(gateway, watch, carrier)
        measured(f"{carrier}, {added_ms:.0f} ms added: gateway {exported_ms:.2f} ms, browser {own_ms:.2f} ms")
        return exported_ms, own_ms

    def agrees(measures: tuple[float, float]) -> bool:
        exported_ms, own_ms = measures
        return abs(exported_ms - own_ms) <= AGREES_MS and added_ms <= exported_ms <= added_ms + OWN_MS

    await in_one_window(measure, agrees, WINDOWS)
