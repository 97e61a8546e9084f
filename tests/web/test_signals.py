"""SignalsClient in a real browser, by WebSocket: what it answers, sends again, and tells its page."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from gateway.signals.messages import BetMessage, Pong, Report, parse_message
from tests.web.stub_gateway import StubGateway, until
from tests.web.stub_hls import presentation

pytestmark = pytest.mark.browser

MAX_BYTES = 4096
OPEN_UNIX_MS = 1_700_000_000_000
LATER = """(ms) => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + ms;
}"""
"""So much time goes by."""


class Table:
    """The gateway's end of all the WebSockets that a page opens; the newest is the one that is used."""

    def __init__(self) -> None:
        self.sockets: list[WebSocketRoute] = []
        self.texts: list[str] = []
        """What the page sent, over all of them."""

    def accept(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self.texts.append(str(text)))
        self.welcome()

    def say(self, **message: Any) -> None:
        self.sockets[-1].send(json.dumps(message))

    def welcome(self, **more: Any) -> None:
        """By data channel, and with each new connection, it comes again."""
        told = {"version": 1, "mayBet": True, "reportIntervalMs": 1000, "nowUnixMs": OPEN_UNIX_MS, "rounds": []}
        self.say(type="welcome", **{**told, **more})

    def say_round(self, state: str, steps: int, **more: Any) -> None:
        """The round `r1` has entered its step of that number."""
        self.say(type="round", round={**told_round("r1", state, steps, steps), **more})

    def answer(self, bet: BetMessage, state: str, **more: Any) -> None:
        self.say(type="ack", betId=bet.bet_id, roundId=bet.round_id, state=state, sentence="", **more)

    def said(self, kind: type) -> list[Any]:
        """The page's messages of that kind, as the gateway reads them: what it does not take fails the test."""
        messages = [parse_message(text, MAX_BYTES) for text in self.texts]
        return [message for message in messages if isinstance(message, kind)]

    @property
    def bets(self) -> list[BetMessage]:
        return self.said(BetMessage)

    async def placed(self, page: Page, choice: str) -> BetMessage:
        """A bet that the player of that page places now, by its button."""
        known = {bet.bet_id for bet in self.bets}
        await page.get_by_role("button", name=choice).click()
        await _until(lambda: not known.issuperset(bet.bet_id for bet in self.bets))
        return next(bet for bet in self.bets if bet.bet_id not in known)

    def deliver(self, bet: BetMessage, outcome: str) -> None:
        self.say(type="delivery", betId=bet.bet_id, roundId=bet.round_id, outcome=outcome, sentence="")


def told_round(round_id: str, state: str, steps: int, at_ms: int) -> dict[str, Any]:
    """A round as players are told of it; `at_ms` is after OPEN_UNIX_MS."""
    at = {"unixMs": OPEN_UNIX_MS + at_ms, "rtpTimestamp": None}
    told = {"roundId": round_id, "state": state, "steps": [{}] * steps, "at": at}
    return told | {"closesAtUnixMs": None, "result": None, "cause": None}


@pytest.fixture
async def table(page: Page, stub: StubGateway, origin: str) -> Table:
    """A page that plays by HLS, so that its signals come by WebSocket."""
    presentation()
    stub.hls.start()
    table = Table()
    await page.route_web_socket("**/signals/demo", table.accept)
    await page.goto(f"{origin}/watch/demo?transport=hls")
    await page.wait_for_function("railbird.signals.mayBet")
    return table


async def _until(holds: Callable[[], bool]) -> None:
    await until(holds, within_s=10)


async def test_ping_is_answered_and_its_round_trip_kept(page: Page, table: Table) -> None:
    table.say(type="ping", id=7, rttMs=None)
    table.say(type="ping", id=8, rttMs=12.5)
    await _until(lambda: table.said(Pong) == [Pong(7), Pong(8)])
    await page.wait_for_function("railbird.signals.rttMs === 12.5")


async def test_bet_without_an_answer_is_sent_again_and_counts_once(page: Page, table: Table) -> None:
    table.say_round("betting_open", 1)
    await page.get_by_role("button", name="Tie").click()
    await _until(lambda: len(table.bets) >= 3)
    assert len({bet.bet_id for bet in table.bets}) == 1
    assert table.bets[0].fields == {"choice": "tie", "stake": 10}
    table.answer(table.bets[0], "duplicate", first="accepted")
    await expect(page.locator("#bet")).to_have_text("10 on Tie: taken")
    sent = len(table.bets)
    await page.wait_for_timeout(1500)
    assert len(table.bets) == sent, "an answered bet is not sent again"


REFUSALS = {
    "late": "too late, bets were closed",
    "unknown_round": "no such round",
    "rate_limited": "too many bets at once",
    "unavailable": "not taken, bets cannot be booked now",
    "forbidden": "not allowed to bet here",
}


async def test_refused_bet_says_why(page: Page, table: Table) -> None:
    table.say_round("betting_open", 1)
    for number, (state, words) in enumerate(REFUSALS.items(), 1):
        await page.get_by_role("button", name="Player").click()
        await _until(lambda wanted=number: len({bet.bet_id for bet in table.bets}) == wanted)  # type: ignore[misc]
        table.answer(table.bets[-1], state)
        await expect(page.locator("#bet")).to_have_text(f"10 on Player: {words}")


async def test_delivery_follows_the_answer(page: Page, table: Table) -> None:
    table.say_round("betting_open", 1)
    for outcome, words in (("delivered", "taken and booked"), ("undelivered", "not booked, it does not count")):
        table.texts.clear()
        await page.get_by_role("button", name="Banker").click()
        await _until(lambda: len(table.bets) == 1)
        table.answer(table.bets[0], "accepted")
        table.say(type="delivery", betId=table.bets[0].bet_id, roundId="r1", outcome=outcome, sentence="")
        # An answer to the bet that was sent again comes after it, and says less.
        table.answer(table.bets[0], "duplicate", first="accepted")
        await expect(page.locator("#bet")).to_have_text(f"10 on Banker: {words}")


async def test_bet_that_does_not_count_is_told_beside_the_newest(page: Page, table: Table) -> None:
    table.say_round("betting_open", 1)
    tie, banker, again = [await table.placed(page, choice) for choice in ("Tie", "Banker", "Banker")]
    for bet in (tie, banker, again):
        table.answer(bet, "accepted")
    table.deliver(tie, "undelivered")
    told = "10 on Banker: taken; 10 on Tie: not booked, it does not count"
    await expect(page.locator("#bet")).to_have_text(told)
    table.deliver(again, "delivered")
    table.deliver(banker, "delivered")
    told = "10 on Banker: taken and booked; 10 on Tie: not booked, it does not count"
    await expect(page.locator("#bet")).to_have_text(told)
    await expect(page.locator("#bet")).to_have_attribute("data-tone", "bad")


async def test_bets_of_the_same_words_are_counted(page: Page, table: Table) -> None:
    table.say_round("betting_open", 1)
    bets = [await table.placed(page, choice) for choice in ("Tie", "Tie", "Player")]
    for bet in bets:
        table.answer(bet, "accepted")
    for bet in bets:
        table.deliver(bet, "undelivered")
    told = "10 on Player: not booked, it does not count; 10 on Tie: not booked, it does not count (2 times)"
    await expect(page.locator("#bet")).to_have_text(told)


async def test_undelivered_bet_of_a_page_that_is_gone_is_told_once(page: Page, table: Table) -> None:
    """It says so before any round, and after a newer bet not again, though the gateway does with each connection."""
    gone = BetMessage("b-gone", "r-gone", {})
    table.deliver(BetMessage("b-other", "r-gone", {}), "delivered")
    table.deliver(gone, "undelivered")
    await expect(page.locator("#bet")).to_have_text("An earlier bet: not booked, it does not count")
    await expect(page.locator("#bet")).to_be_visible()
    table.say_round("betting_open", 1)
    table.answer(await table.placed(page, "Tie"), "accepted")
    await expect(page.locator("#bet")).to_have_text("10 on Tie: taken")
    table.deliver(gone, "undelivered")
    table.say(type="ping", id=1, rttMs=None)
    await _until(lambda: Pong(1) in table.said(Pong))
    await expect(page.locator("#bet")).to_have_text("10 on Tie: taken")


@pytest.mark.parametrize("refusal", ["rate_limited", "unavailable", "late", "unknown_round"])
async def test_bet_that_was_sent_twice_and_accepted_after_a_refusal_is_taken(
    page: Page, table: Table, refusal: str
) -> None:
    table.say_round("betting_open", 1)
    tie = await table.placed(page, "Tie")
    table.answer(tie, refusal)
    await expect(page.locator("#bet")).to_have_text(f"10 on Tie: {REFUSALS[refusal]}")
    table.answer(tie, "accepted")
    await expect(page.locator("#bet")).to_have_text("10 on Tie: taken")
    table.answer(tie, refusal)
    table.say(type="ping", id=1, rttMs=None)
    await _until(lambda: Pong(1) in table.said(Pong))
    await expect(page.locator("#bet")).to_have_text("10 on Tie: taken")


async def test_refused_bet_that_is_taken_after_all_is_told_beside_the_newest(page: Page, table: Table) -> None:
    table.say_round("betting_open", 1)
    tie = await table.placed(page, "Tie")
    table.answer(tie, "rate_limited")
    table.answer(await table.placed(page, "Banker"), "accepted")
    table.answer(tie, "duplicate", first="accepted")
    await expect(page.locator("#bet")).to_have_text("10 on Banker: taken; 10 on Tie: taken")


async def test_bet_is_sent_again_no_sooner_than_after_a_second(page: Page, table: Table) -> None:
    await page.evaluate(
        """() => {
            window.sent = {};
            const { send } = WebSocket.prototype;
            WebSocket.prototype.send = function (text) {
                const { type, betId } = JSON.parse(text);
                if (type === "bet") (sent[betId] ??= []).push(performance.now());
                return send.call(this, text);
            };
        }"""
    )
    table.say_round("betting_open", 1)
    for _ in range(4):
        await table.placed(page, "Tie")
        await page.wait_for_timeout(250)
    await page.wait_for_function("Object.values(sent).every(({ length }) => length >= 2)")
    pauses_ms = await page.evaluate("Object.values(sent).map(([first, second]) => second - first)")
    assert min(pauses_ms) >= 1000


async def test_bet_that_nothing_carries_was_not_sent(page: Page, table: Table) -> None:
    await page.route_web_socket("**/signals/demo", lambda socket: socket.close())
    await table.sockets[0].close()
    await page.wait_for_function("railbird.signals.carrier === null")
    await page.evaluate("() => void railbird.place('r1', { choice: 'tie', stake: 10 })")
    await page.evaluate(LATER, 15_000)
    await expect(page.locator("#bet")).to_have_text("10 on Tie: not sent, and not taken")
    assert table.bets == []


async def test_round_never_goes_back(page: Page, table: Table) -> None:
    table.say_round("betting_open", 1)
    table.say_round("betting_closed", 2)
    await expect(page.locator("#round-words")).to_have_text("No more bets")
    table.say_round("betting_open", 1)
    table.say(type="ping", id=1, rttMs=None)
    await _until(lambda: Pong(1) in table.said(Pong))
    assert await page.evaluate("railbird.signals.rounds.map(({ state }) => state)") == ["betting_closed"]


async def test_round_that_a_welcome_does_not_name_is_over(page: Page, table: Table) -> None:
    """It ended while the page was away."""
    table.say_round("betting_open", 1)
    await expect(page.get_by_role("button", name="Tie")).to_be_enabled()
    table.welcome(nowUnixMs=OPEN_UNIX_MS + 9000, rounds=[told_round("r3", "betting_closed", 2, 8000)])
    await expect(page.locator("#round-words")).to_have_text("No more bets")
    await expect(page.get_by_role("button", name="Tie")).to_be_disabled()
    assert await page.evaluate("railbird.signals.rounds.map(({ roundId }) => roundId)") == ["r3"]


async def test_round_that_has_overtaken_the_welcome_stays(page: Page, table: Table) -> None:
    """By data channel it may."""
    table.say_round("betting_open", 2)
    table.welcome(nowUnixMs=OPEN_UNIX_MS + 1)
    table.say(type="ping", id=1, rttMs=None)
    await _until(lambda: Pong(1) in table.said(Pong))
    await expect(page.get_by_role("button", name="Tie")).to_be_enabled()


@pytest.mark.parametrize(("ahead_s", "least_s", "most_s"), [(1, 0.9, 5.5), (3600, 5.9, 9)])
async def test_round_is_shown_with_the_picture_that_it_is_of(
    page: Page, table: Table, ahead_s: float, least_s: float, most_s: float
) -> None:
    """Where that does not come, six seconds later."""
    await expect(page.locator("#state")).to_have_text("Live")
    began_s = time.monotonic()
    at = {"unixMs": int((time.time() + ahead_s) * 1000), "rtpTimestamp": None}
    table.say_round("betting_closed", 2, at=at)
    await expect(page.locator("#round-words")).to_have_text("No more bets")
    assert least_s < time.monotonic() - began_s < most_s


async def test_aborted_round_says_why_and_that_bets_do_not_count(page: Page, table: Table) -> None:
    table.say_round("aborted", 2, cause="ingest_freeze")
    words = "Round void: the picture from the studio stopped. Bets do not count."
    await expect(page.locator("#round-words")).to_have_text(words)


async def test_bets_cannot_be_placed_where_the_token_does_not_let_them(page: Page, table: Table) -> None:
    table.welcome(mayBet=False)
    table.say_round("betting_open", 1)
    await expect(page.locator("#bet")).to_have_text("You may watch this table, and not bet.")
    await expect(page.get_by_role("button", name="Tie")).to_be_disabled()


async def test_message_that_says_nothing_is_ignored(table: Table) -> None:
    for text in ("", "no JSON", "[]", "null", '{"type": "of version 2"}', '{"type": 3}'):
        table.sockets[-1].send(text)
    table.say(type="ping", id=2, rttMs=None)
    await _until(lambda: table.said(Pong) == [Pong(2)])


async def test_lost_socket_is_opened_again_and_takes_the_bet_along(page: Page, table: Table) -> None:
    table.say_round("betting_open", 1)
    await page.get_by_role("button", name="Tie").click()
    await _until(lambda: len(table.bets) == 1)
    await table.sockets[0].close()
    await _until(lambda: len(table.sockets) == 2 and len(table.bets) >= 2)
    table.answer(table.bets[0], "duplicate", first="accepted")
    await expect(page.locator("#bet")).to_have_text("10 on Tie: taken")


async def test_bet_that_was_sent_once_may_be_of_no_round(page: Page, table: Table) -> None:
    """It was placed while nothing carried signals: nobody else can have taken it."""
    await table.sockets[0].close()
    await page.wait_for_function("railbird.signals.carrier === null")
    await page.evaluate("() => void railbird.place('r-gone', { choice: 'tie', stake: 10 })")
    await _until(lambda: len(table.bets) >= 1)
    table.answer(table.bets[0], "unknown_round")
    await expect(page.locator("#bet")).to_have_text("10 on Tie: no such round")


async def test_socket_that_falls_silent_is_opened_again_and_takes_the_bet_along(page: Page, table: Table) -> None:
    """Its path has died, and TCP has not noticed."""
    table.welcome(pingIntervalMs=100)
    await page.wait_for_timeout(4000)
    table.say(type="ping", id=1, rttMs=None)
    told_s = time.monotonic()
    table.say_round("betting_open", 1)
    bet = await table.placed(page, "Tie")
    await until(lambda: len(table.sockets) == 2, within_s=20)
    assert time.monotonic() - told_s > 9
    sent = len(table.bets)
    await _until(lambda: len(table.bets) > sent)
    table.answer(bet, "duplicate", first="accepted")
    await expect(page.locator("#bet")).to_have_text("10 on Tie: taken")


async def _say_goodbye(table: Table, reconnect_after_ms: Any) -> None:
    table.say(type="goodbye", sentence="", reconnectAfterMs=reconnect_after_ms)
    await table.sockets[-1].close()


@pytest.mark.parametrize(
    ("reconnect_after_ms", "least_s", "most_s"),
    [(4000, 3.9, 9), (0, 0.7, 3.5), (-4000, 0.7, 3.5), (None, 0.7, 3.5), ("soon", 0.7, 3.5)],
)
async def test_goodbye_says_when_to_come_again(
    table: Table, reconnect_after_ms: Any, least_s: float, most_s: float
) -> None:
    """Sooner than without it nobody does."""
    began_s = time.monotonic()
    await _say_goodbye(table, reconnect_after_ms)
    await _until(lambda: len(table.sockets) == 2)
    assert least_s < time.monotonic() - began_s < most_s


async def test_goodbye_keeps_nobody_away_for_longer_than_half_a_minute(page: Page, table: Table) -> None:
    await page.evaluate(
        """() => {
            window.pauses = [];
            const real = setTimeout;
            window.setTimeout = (call, pauseMs) => real(call, pauses[pauses.push(pauseMs) - 1]);
        }"""
    )
    await _say_goodbye(table, 10**9)
    await page.wait_for_function("pauses.includes(30000)")
    assert await page.evaluate("Math.max(...pauses)") == 30_000


async def test_goodbye_is_nothing_to_who_comes_by_the_page_s_return(page: Page, table: Table) -> None:
    await _say_goodbye(table, 30_000)
    await page.wait_for_function("railbird.signals.carrier === null")
    await page.evaluate(
        "() => { for (const name of ['pagehide', 'pageshow'])"
        " dispatchEvent(new PageTransitionEvent(name, { persisted: true })); }"
    )
    await _until(lambda: len(table.sockets) == 2)


async def test_reports_are_what_the_gateway_takes(table: Table) -> None:
    await _until(lambda: len(table.said(Report)) >= 2)
    report = table.said(Report)[-1]
    assert report.protocol == "hls"
    assert 0.5 < report.interval_s < 5
    assert report.packets_received is None


async def test_token_is_offered_as_a_subprotocol_and_not_in_the_address(
    page: Page, stub: StubGateway, origin: str
) -> None:
    presentation()
    stub.hls.start()
    await page.add_init_script(
        """window.opened = [];
        const Real = WebSocket;
        window.WebSocket = class extends Real {
            constructor(address, protocols) {
                super(address, protocols);
                opened.push({ address: String(address), protocols });
            }
        };"""
    )
    await page.goto(f"{origin}/watch/demo?transport=hls#token=se.cr-et")
    await page.wait_for_function("opened.length > 0")
    opened = (await page.evaluate("opened"))[0]
    assert opened["protocols"] == ["railbird.signals.v1", "bearer.se.cr-et"]
    assert "cr-et" not in opened["address"]
