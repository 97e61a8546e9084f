"""SignalsClient on its way from one edge to another: what goes along, what is left, and what the new edge says."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from tests.web.conftest import served
from tests.web.stub_gateway import StubGateway, until
from tests.web.stub_hls import presentation
from tests.web.test_signals import Table, told_round

pytestmark = pytest.mark.browser


class Edges:
    """The signals of two edges, and a page that plays by HLS from the first of them."""

    def __init__(self, here: str, there: str) -> None:
        self.there = there
        self.old, self.new = Table(), Table()
        self.is_new_open = True
        self.refused = 0
        self._by_origin = {here: self.old, there: self.new}

    async def accept(self, socket: WebSocketRoute) -> None:
        table = self._by_origin["http" + socket.url.removeprefix("ws").removesuffix("/signals/demo")]
        if table is self.new and not self.is_new_open:
            self.refused += 1
            return await socket.close()
        table.accept(socket)

    def send_players_away(self) -> None:
        self.old.say(type="move", afterMs=0, to=self.there)


@pytest.fixture
async def edges(page: Page, stub: StubGateway, origin: str) -> AsyncIterator[Edges]:
    presentation()
    other = StubGateway()
    for gateway in (stub, other):
        gateway.hls.start()
    async with served(other) as elsewhere:
        edges = Edges(origin, elsewhere)
        await page.route_web_socket("**/signals/demo", edges.accept)
        await page.goto(f"{origin}/watch/demo?transport=hls")
        await page.wait_for_function("railbird.signals.mayBet")
        await expect(page.locator("#state")).to_have_text("Live")
        yield edges
        await page.goto("about:blank")
    await other.close()


async def test_bet_without_an_answer_is_sent_again_at_the_other_edge_and_answered_once(
    page: Page, edges: Edges
) -> None:
    edges.old.say_round("betting_open", 1)
    await page.get_by_role("button", name="Tie").click()
    await until(lambda: len(edges.old.bets) >= 1)
    edges.send_players_away()
    await until(lambda: len(edges.new.bets) >= 1)
    assert {bet.bet_id for bet in edges.new.bets} == {bet.bet_id for bet in edges.old.bets}
    edges.new.answer(edges.new.bets[0], "accepted")
    await expect(page.locator("#bet")).to_have_text("10 on Tie: taken")
    edges.new.answer(edges.new.bets[0], "duplicate", first="late")
    sent = len(edges.new.bets)
    await page.wait_for_timeout(1500)
    assert len(edges.new.bets) == sent
    assert await page.evaluate("railbird.signals.bets.map(({ state }) => state)") == ["accepted"]


@pytest.mark.parametrize("state", ["unknown_round", "late", "rate_limited"])
async def test_bet_that_the_former_edge_may_have_taken_is_not_called_refused(
    page: Page, edges: Edges, state: str
) -> None:
    """Its answer was lost with that edge, and the other knows of its own answers only."""
    edges.old.say_round("betting_open", 1)
    await page.get_by_role("button", name="Tie").click()
    await until(lambda: len(edges.old.bets) >= 1)
    edges.send_players_away()
    await until(lambda: len(edges.new.bets) >= 1)
    edges.new.answer(edges.new.bets[0], state)
    await expect(page.locator("#bet")).to_have_text("10 on Tie: no answer came")
    (bet,) = await page.evaluate("railbird.signals.bets")
    assert bet["sentence"] == "No answer came: the bet may or may not have been taken."


async def test_rounds_of_the_other_edge_are_shown_and_open_ones_of_the_former_forgotten(
    page: Page, edges: Edges
) -> None:
    edges.old.say(type="round", round=told_round("r-old", "betting_open", 1, 5000))
    await expect(page.locator("#round-words")).to_have_text("Place your bets")
    edges.send_players_away()
    await until(lambda: len(edges.new.sockets) == 1)
    await page.wait_for_function("railbird.signals.rounds.length === 0 && railbird.signals.shown === null")
    await expect(page.locator("#round")).to_be_hidden()
    rounds = [told_round("r-ended", "aborted", 2, 1000), told_round("r-new", "betting_closed", 2, 2000)]
    edges.new.welcome(rounds=rounds)
    await expect(page.locator("#round-words")).to_have_text("No more bets")


async def test_round_that_ended_at_the_former_edge_does_not_hide_an_open_one_that_began_before(
    page: Page, edges: Edges
) -> None:
    edges.old.say(type="round", round=told_round("r-old", "aborted", 2, 5000) | {"cause": "policy"})
    await expect(page.locator("#round-words")).to_have_text(
        "Round void: the operator called it off. Bets do not count."
    )
    edges.send_players_away()
    await until(lambda: len(edges.new.sockets) == 1)
    edges.new.say(type="round", round=told_round("r-new", "betting_open", 1, 1000))
    await expect(page.locator("#round-words")).to_have_text("Place your bets")


async def test_former_edge_carries_signals_until_the_other_does(page: Page, edges: Edges) -> None:
    edges.is_new_open = False
    edges.send_players_away()
    await page.wait_for_function("railbird.moves === 1")
    await until(lambda: edges.refused >= 1)
    edges.old.say(type="ping", id=1, rttMs=3.25)
    await page.wait_for_function("railbird.signals.rttMs === 3.25")
    edges.is_new_open = True
    await until(lambda: len(edges.new.sockets) == 1)
    edges.new.say(type="ping", id=2, rttMs=4.5)
    await page.wait_for_function("railbird.signals.rttMs === 4.5")
    assert len(edges.old.sockets) == 1


async def test_former_edge_that_says_again_to_move_moves_nobody(page: Page, edges: Edges) -> None:
    edges.is_new_open = False
    edges.send_players_away()
    await page.wait_for_function("railbird.moves === 1")
    edges.send_players_away()
    edges.old.say(type="ping", id=1, rttMs=3.25)
    await page.wait_for_function("railbird.signals.rttMs === 3.25")
    await page.wait_for_timeout(2000)
    await expect(page.locator("#way")).to_have_text(re.compile("^HLS, "))
    assert await page.evaluate("railbird.moves") == 1


async def test_goodbye_of_the_former_edge_holds_up_no_move(page: Page, edges: Edges) -> None:
    edges.send_players_away()
    edges.old.say(type="goodbye", sentence="", reconnectAfterMs=30_000)
    await edges.old.sockets[-1].close()
    await page.wait_for_function("railbird.moves === 1")
    await until(lambda: len(edges.new.sockets) == 1)
