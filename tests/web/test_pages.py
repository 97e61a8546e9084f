"""The pages as a person meets them: their words, their buttons, and their fit on a phone."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, Route, expect

from gateway.web import WEB_ROOT
from tests.web.stub_gateway import StubGateway
from tests.web.test_whip import live_stream

ADDRESSES = ["/", "/watch/demo", "/studio/demo"]


def test_pages_load_nothing_from_elsewhere() -> None:
    foreign = re.compile(r"""(?:src|href|import|url|from)\W{0,3}["'(]\s*(?:https?:)?//""")
    files = [path for path in WEB_ROOT.iterdir() if path.suffix in {".html", ".js", ".css", ".svg"}]
    assert len(files) > 10
    assert [path.name for path in files if foreign.search(path.read_text())] == []


def test_every_file_that_a_page_names_exists() -> None:
    for path in WEB_ROOT.iterdir():
        named = re.findall(r'"/web/([\w.]+)"|from "\./([\w.]+)"', path.read_text()) if path.is_file() else []
        assert [name for pair in named for name in pair if name and not Path(WEB_ROOT, name).exists()] == []


@pytest.mark.browser
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("width_px", [360, 844, 1280])
async def test_page_fits_the_screen(
    browser: Browser, stub: StubGateway, origin: str, address: str, width_px: int
) -> None:
    stub.streams.append(live_stream() | {"stream": "a-table-with-a-rather-long-name-for-a-phone"})
    stub.refusals.extend(web.Response(status=409, headers={"Retry-After": "60"}) for _ in range(3))
    page = await browser.new_page(viewport={"width": width_px, "height": 390 if width_px == 844 else 800})
    await page.goto(origin + address)
    await page.wait_for_timeout(300)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width_px
    for target in await page.locator("a:visible, button:visible, select:visible, label.choice:visible").all():
        box = await target.bounding_box()
        assert box is not None
        assert box["height"] >= 44, await target.inner_text()
        assert box["width"] >= 44, await target.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize(("width_px", "height_px"), [(667, 375), (740, 360), (844, 390)])
async def test_phone_held_sideways_shows_picture_and_buttons_at_once(
    browser: Browser, stub: StubGateway, origin: str, width_px: int, height_px: int
) -> None:
    page = await browser.new_page(viewport={"width": width_px, "height": height_px})
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    await page.get_by_role("button", name="Statistics").click()
    for element in await page.locator(".stage, .controls button:visible, #statistics").all():
        box = await element.bounding_box()
        assert box is not None
        assert min(box["x"], box["y"]) >= 0
        assert box["x"] + box["width"] <= width_px
        assert box["y"] + box["height"] <= height_px


@pytest.mark.browser
async def test_statistics_open_by_button_and_by_key(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    button = page.get_by_role("button", name="Statistics")
    await button.click()
    panel = page.locator("#statistics")
    await expect(panel).to_be_visible()
    await expect(button).to_have_attribute("aria-pressed", "true")
    terms = ["Round trip", "Bitrate", "Frames decoded", "Frames dropped", "Freezes", "Packets lost", "Jitter buffer"]
    for term in [*terms, "Delay (time code)"]:
        await expect(panel.get_by_text(term, exact=True)).to_be_visible()
    await expect(panel).to_contain_text("640×96 VP8")  # noqa: RUF001
    await expect(panel).to_contain_text(re.compile(r"Bitrate\d+\.\d\d Mb/s"))
    await page.keyboard.press("i")
    await expect(panel).to_be_hidden()


@pytest.mark.browser
async def test_sound_is_off_until_somebody_taps(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    assert await page.evaluate("document.querySelector('video').muted")
    await page.get_by_role("button", name="Tap for sound").click()
    assert not await page.evaluate("document.querySelector('video').muted")
    await page.get_by_role("button", name="Mute").click()
    assert await page.evaluate("document.querySelector('video').muted")


@pytest.mark.browser
async def test_state_is_announced_and_a_still_picture_is_dimmed(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#announcement")).to_have_text("Live")
    await expect(page.locator("#picture")).to_have_css("filter", "none")
    stub.strips[0].freeze()
    await expect(page.locator("#announcement")).to_have_text(re.compile("frozen"))
    await expect(page.locator("#picture")).to_have_css("filter", re.compile("grayscale"))


@pytest.mark.browser
async def test_front_page_lists_the_tables_with_their_doors(page: Page, stub: StubGateway, origin: str) -> None:
    await page.goto(origin)
    await expect(page.get_by_text("No table is live.")).to_be_visible()
    stub.streams.extend([live_stream(), {"stream": "two/3", "state": "waiting", "viewers": 1, "tracks": []}])
    await expect(page.get_by_text("One table is live.")).to_be_visible()
    await expect(page.get_by_role("link", name="Watch demo")).to_have_attribute("href", "/watch/demo")
    await expect(page.get_by_role("link", name="Studio two/3")).to_have_attribute("href", "/studio/two%2F3")
    await expect(page.locator("#tables li").first).to_contain_text("12 viewers")
    await expect(page.locator("#tables li").last).to_contain_text("no studio")


@pytest.mark.browser
async def test_front_page_opens_a_table_by_name(page: Page, stub: StubGateway, origin: str) -> None:
    stub.refusals.append(web.Response(status=409, headers={"Retry-After": "60"}))
    await page.goto(origin)
    await page.get_by_label("Name of a table").fill("blackjack-7")
    await page.get_by_role("button", name="Watch").click()
    await expect(page).to_have_url(f"{origin}/watch/blackjack-7")


@pytest.mark.browser
async def test_time_code_written_by_the_page_is_read_by_it_at_any_scale(page: Page, origin: str) -> None:
    await page.goto(origin)
    reading = """async ([width, height]) => {
        const { drawTimecode, readTimecode, sinceTimecode } = await import("/web/timecode.js");
        const drawn = new OffscreenCanvas(1280, 720);
        const context = drawn.getContext("2d");
        const now = Date.now();
        drawTimecode(context, now);
        const shown = Object.assign(document.createElement("canvas"), { width, height });
        shown.getContext("2d").drawImage(drawn, 0, 0, width, height);
        Object.assign(shown, { videoWidth: width });
        return [readTimecode(shown), now % 2 ** 32, sinceTimecode(5, 2 ** 32 * 3 + 12), sinceTimecode(2 ** 32 - 1, 0)];
    }"""
    for size in ([1280, 720], [960, 540], [640, 360]):
        read, written, since, across_the_wrap = await page.evaluate(reading, size)
        assert read == written
        assert (since, across_the_wrap) == (7, 1)


@pytest.mark.browser
async def test_time_code_is_null_where_none_is_drawn(page: Page, origin: str) -> None:
    await page.goto(origin)
    reading = """async (ink) => {
        const { readTimecode } = await import("/web/timecode.js");
        const shown = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
        Object.assign(shown.getContext("2d"), { fillStyle: ink }).fillRect(0, 0, 1280, 720);
        return readTimecode(Object.assign(shown, { videoWidth: 1280 }));
    }"""
    assert [await page.evaluate(reading, ink) for ink in ("#000", "#fff", "#777")] == [None] * 3


@pytest.mark.browser
@pytest.mark.parametrize("script", ["watch.js", "stage.js"])
async def test_player_page_whose_script_did_not_come_loads_again(
    page: Page, stub: StubGateway, origin: str, script: str
) -> None:
    lost: list[str] = []

    async def lose_first(route: Route) -> None:
        if not lost:
            lost.append(route.request.url)
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await page.route(f"**/web/{script}", lose_first)
    await page.goto(f"{origin}/watch/demo#token=secret")
    await expect(page.locator("#state")).to_have_text("Live")
    assert len(lost) == 1
    assert page.url.endswith("#token=secret")
    assert await page.evaluate("history.state") is None, "what is lost at a later load is counted anew"


@pytest.mark.browser
async def test_player_page_that_plays_fetches_its_lost_style_without_a_new_load(page: Page, origin: str) -> None:
    asked: list[str] = []

    async def lose_two(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) <= 2:
            await route.abort("connectionreset")
        else:
            await route.continue_()

    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    await page.route("**/web/rail.css", lose_two)
    await page.goto(f"{origin}/watch/demo")
    await expect(page.locator("#state")).to_have_text("Live")
    await expect(page.locator("body")).to_have_css("margin", "0px")
    assert len(asked) == 3
    assert len(loads) == 1


async def _minutes_go_by(page: Page, is_enough: Callable[[], bool]) -> None:
    """By the page's clock: until it is enough, for 20 s of ours at most, and three more. Loads take time of ours."""
    until_s = time.monotonic() + 20
    more = 3
    while more and time.monotonic() < until_s:
        more -= is_enough()
        await page.clock.run_for(60_000)
        await page.wait_for_timeout(200)


@pytest.mark.browser
@pytest.mark.parametrize("lost", ["rail.css", "watch.js"], ids=["style", "scripts"])
async def test_player_page_whose_style_or_scripts_never_come_asks_so_often_and_no_more(
    page: Page, origin: str, lost: str
) -> None:
    asked = 0

    async def count(route: Route) -> None:
        nonlocal asked
        asked += 1
        await route.abort("connectionreset")

    # Time for a page is what its clock says.
    await page.clock.install()
    await page.route(f"**/web/{lost}", count)
    await page.goto(f"{origin}/watch/demo")
    await _minutes_go_by(page, lambda: asked >= 6)
    assert asked == 6
