"""The player page on its way from one edge to another."""

from __future__ import annotations

from playwright.async_api import Browser

from tests.e2e.edge import STREAM
from tests.e2e.test_hls_page import SHOWN, ShownPage

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

WITH_A_PICTURE = {"live", "frozen"}
"""A busy machine may be two seconds without a frame: "frozen". A page that left before it arrived were "connecting"."""


class MovingPage(ShownPage):
    """/watch/{stream}, whose states are noted and whose first line loses bets."""

    @classmethod
    async def playing(cls, browser: Browser, url: str, transport: str, query: str = "") -> MovingPage:
        """Open it there, and wait until it plays by `transport` and has signals."""
        page: MovingPage = await cls._opened(browser, 1000, 800)
        await page.page.add_init_script(path=SHOWN)
        await page.page.add_init_script(LOSES_BETS)
        await page.go(f"{url}/watch/{STREAM}{query}", wait_until="commit")
        await page.until_live_by(transport)
        await page.page.wait_for_function("railbird.signals.mayBet")
        await page.page.evaluate(NOTED)
        return page

    async def until_at(self, url: str, moves: int = 1) -> None:
        """Wait until it plays from there, after so many moves, and its signals have followed."""
        arrived = "([edge, moves]) => railbird.edge === edge && railbird.moves === moves && railbird.signals.carrier"
        await self.page.wait_for_function(arrived, arg=[url, moves], timeout=20_000)

    async def states(self) -> list[str]:
        states: list[str] = await self.page.evaluate("[...states]")
        return states

    async def bet_state(self) -> str:
        """Of the last bet."""
        state: str = await self.page.evaluate("railbird.signals.bets.at(-1).state")
        return state
