"""What a page does that loads anew, or whose network changes, is no error; all else is."""

from typing import Any, cast

import pytest
from playwright.async_api import BrowserContext, Error, Page

from tests.e2e.test_hls_page import ShownPage

DESTROYED = "Page.evaluate: Execution context was destroyed, most likely because of a navigation"
CHANGED = "Page.goto: net::ERR_NETWORK_CHANGED at http://127.0.0.1/"
OTHER = "Page.evaluate: Target page, context or browser has been closed"


class _Pages:
    """Answers, or raises, one after the other."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def on(self, _event: str, _handler: object) -> None:
        """Nothing ever happens."""

    async def evaluate(self, _expression: str) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, Error):
            raise answer
        return answer

    async def goto(self, address: str, **_options: str) -> Any:
        return await self.evaluate(address)


def page_of(*answers: Any) -> ShownPage:
    return ShownPage(cast(BrowserContext, None), cast(Page, _Pages(*answers)))


async def test_page_that_loads_anew_is_asked_again() -> None:
    assert await page_of(Error(DESTROYED)).state() == ""
    await page_of(Error(DESTROYED), ["hls", "live"]).until_live_by("hls")
    with pytest.raises(Error, match="has been closed"):
        await page_of(Error(OTHER)).until_live_by("hls")


async def test_address_is_opened_again_once_where_the_network_changed() -> None:
    await page_of(Error(CHANGED), None).go("http://127.0.0.1/")
    for errors in ((CHANGED, CHANGED), (OTHER,)):
        with pytest.raises(Error):
            await page_of(*map(Error, errors), None).go("http://127.0.0.1/")
