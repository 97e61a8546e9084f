"""The dealer's buttons in a real browser, over a path to the gateway's rounds that the test holds up or cuts."""

import asyncio
import contextlib

import pytest
from playwright.async_api import Page, Route, expect

from gateway.rounds.description import describe_in_full
from gateway.rounds.request import parse_command
from gateway.rounds.states import RoundState
from tests.rounds.stand import STREAM, Stand
from tests.web.stub_gateway import until

pytestmark = pytest.mark.browser

OPEN = "Place your bets (0 bets)"


class Desk:
    """The gateway's end of the path."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """The method of each request."""
        self.loses_answers = False
        self._stand = Stand()
        self._gate = asyncio.Event()
        self._gate.set()

    @property
    def states(self) -> list[RoundState]:
        return [each.state for each in self._stand.rounds.of_stream(STREAM)]

    def hold_answers(self) -> asyncio.Event:
        """To what is asked from now on, until it is set."""
        self._gate = asyncio.Event()
        return self._gate

    def let_answers_through(self) -> None:
        """To what is asked from now on."""
        self.hold_answers().set()

    async def further_readings(self, count: int) -> None:
        so_far = self.asked.count("GET")
        await until(lambda: self.asked.count("GET") >= so_far + count)

    async def answer(self, route: Route) -> None:
        self.asked.append(route.request.method)
        gate = self._gate
        if route.request.method == "POST":
            command = parse_command(route.request.post_data or "")
            body: object = describe_in_full(self._stand.rounds.command(STREAM, command, self._stand.now_s))
        else:
            body = {"rounds": [describe_in_full(each) for each in self._stand.rounds.of_stream(STREAM)]}
        await gate.wait()
        if self.loses_answers:
            await route.abort("connectionreset")
        else:
            await route.fulfill(json=body)


@pytest.fixture
async def desk(page: Page, origin: str) -> Desk:
    """A studio page without a picture, at that path."""
    desk = Desk()
    await page.route(f"**/api/v1/streams/{STREAM}/rounds", desk.answer)
    await page.goto(f"{origin}/studio/{STREAM}")
    await desk.further_readings(1)
    return desk


async def test_betting_whose_answer_was_lost_is_opened_once(page: Page, desk: Desk) -> None:
    desk.loses_answers = True
    for count in (1, 2):
        await page.get_by_role("button", name="Open betting").click()
        await until(lambda count=count: desk.asked.count("POST") == count)  # type: ignore[misc]
        await expect(page.locator("#round-verdict")).to_have_text("The gateway does not answer.")
    desk.loses_answers = False
    await expect(page.locator("#round-state")).to_have_text(OPEN)
    assert desk.states == [RoundState.BETTING_OPEN]

    await page.get_by_role("button", name="Abort the round").click()
    await page.get_by_role("button", name="Open betting").click()
    await expect(page.locator("#round-state")).to_have_text(OPEN)
    assert desk.states == [RoundState.ABORTED, RoundState.BETTING_OPEN]


async def test_betting_is_opened_once_by_a_double_click(page: Page, desk: Desk) -> None:
    answers = desk.hold_answers()
    await page.get_by_role("button", name="Open betting").dblclick()
    await until(lambda: desk.asked.count("POST") == 2)
    answers.set()
    await expect(page.locator("#round-state")).to_have_text(OPEN)
    assert desk.states == [RoundState.BETTING_OPEN]


async def test_reading_from_before_a_command_is_not_shown_after_it(page: Page, desk: Desk) -> None:
    before = desk.hold_answers()
    await desk.further_readings(1)
    desk.let_answers_through()
    await page.get_by_role("button", name="Open betting").click()
    await expect(page.locator("#round-state")).to_have_text(OPEN)
    after = desk.hold_answers()
    await desk.further_readings(1)
    before.set()
    await page.wait_for_timeout(300)
    await expect(page.locator("#round-next")).to_have_text("No more bets", timeout=1)
    after.set()


async def test_round_stays_on_the_page_while_readings_fail(page: Page, desk: Desk) -> None:
    """Else "Open betting" would open a second one."""
    await page.get_by_role("button", name="Open betting").click()
    await expect(page.locator("#round-state")).to_have_text(OPEN)
    failed = asyncio.Event()

    async def fail(route: Route) -> None:
        await route.fulfill(status=502)
        failed.set()

    await page.route(f"**/api/v1/streams/{STREAM}/rounds", fail)
    await asyncio.wait_for(failed.wait(), 10)
    await page.wait_for_timeout(300)
    await expect(page.locator("#round-state")).to_have_text(OPEN, timeout=1)


async def test_studio_asks_nothing_twice_while_the_path_stands_still(page: Page, origin: str) -> None:
    """Six connections are all that a browser has: the dealer's word would wait behind what is asked each second."""
    asked: list[str] = []
    still = asyncio.Event()

    async def hold(route: Route) -> None:
        asked.append(route.request.url.removeprefix(f"{origin}/api/v1/streams"))
        await still.wait()
        with contextlib.suppress(Exception):
            await route.abort()

    await page.route("**/api/v1/streams/**", hold)
    await page.goto(f"{origin}/studio/{STREAM}")
    await page.wait_for_timeout(3500)
    assert sorted(asked) == [f"/{STREAM}", f"/{STREAM}/rounds"]
    still.set()
