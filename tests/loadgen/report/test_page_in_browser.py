"""The page in a real browser: it fits a phone, loads nothing, and complains of nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from loadgen.report.page import write_page
from loadgen.result import Outcome
from tests.loadgen.results import MadeUpRun

pytestmark = pytest.mark.browser

PHONE_PX, DESK_PX = (360, 740), (1280, 900)
LONG_NAME = "a-stream-with-a-name-that-has-nowhere-to-break-" * 3
LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3, for text."""


@pytest.fixture
async def browser(chromium_executable: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_executable, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A page with everything on it, and names as long as they may be."""
    result = MadeUpRun(Outcome.MISSED, hole=range(30, 36), seated=150).result()
    result.totals.groups[LONG_NAME] = result.totals.groups.pop("crowd")
    result.totals.media[LONG_NAME] = result.totals.media.pop("table-1")
    result.totals.join_failures[LONG_NAME] = 3
    result.scenario_name = result.machine["host"] = result.settings[LONG_NAME] = LONG_NAME
    result.target = f"https://{LONG_NAME.replace('-', '')}.example"
    for session in result.sessions:
        session.stream = LONG_NAME
    write_page(result, tmp_path / "report.html")
    return tmp_path / "report.html"


async def _opened(
    browser: Browser, report: Path, size_px: tuple[int, int], scheme: Literal["light", "dark"] = "light"
) -> Page:
    width, height = size_px
    page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    await page.goto(report.as_uri())
    return page


@pytest.mark.parametrize("size_px", [PHONE_PX, DESK_PX])
async def test_page_fits_the_screen(browser: Browser, report: Path, size_px: tuple[int, int]) -> None:
    page = await _opened(browser, report, size_px)
    await page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert await page.evaluate("document.documentElement.scrollWidth") == size_px[0]
    out_of_panel = await page.evaluate(
        """() => [...document.querySelectorAll('.panel svg text')]
            .filter((text) => text.getBoundingClientRect().right > text.closest('.panel').getBoundingClientRect().right)
            .map((text) => text.textContent)"""
    )
    assert out_of_panel == []


async def test_two_groups_stand_beside_one_another_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    write_page(MadeUpRun(seated=150).result(), tmp_path / "report.html")
    page = await _opened(browser, tmp_path / "report.html", PHONE_PX)
    hidden_px = await page.get_by_role("region", name="Groups of players").evaluate(
        "region => region.scrollWidth - region.clientWidth"
    )
    assert hidden_px == 0


async def test_page_loads_nothing_and_complains_of_nothing(browser: Browser, report: Path) -> None:
    page = await browser.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(report.as_uri(), wait_until="networkidle")
    assert [url for url in requests if not url.startswith("data:")] == [report.as_uri()]
    assert complaints == []


async def test_page_shows_the_verdict_without_scrolling(browser: Browser, report: Path) -> None:
    page = await _opened(browser, report, PHONE_PX)
    await expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Threshold missed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read_on_what_it_stands(
    browser: Browser, report: Path, scheme: Literal["light", "dark"]
) -> None:
    page = await _opened(browser, report, DESK_PX, scheme)
    names = ["--ink", "--soft", "--good", "--wait", "--alarm", "--brand", "--first", "--second", "--third"]
    colours = await page.evaluate(
        "names => names.map((name) => getComputedStyle(document.documentElement).getPropertyValue(name))",
        [*names, "--panel"],
    )
    panel = _luminance(colours[-1])
    contrasts = {name: _contrast(_luminance(colour), panel) for name, colour in zip(names, colours[:-1], strict=True)}
    assert {name: contrast for name, contrast in contrasts.items() if contrast < LEAST_CONTRAST} == {}


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _luminance(colour: str) -> float:
    """Of `#rrggbb`, by WCAG 2.2."""
    shares = [int(colour.strip()[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
