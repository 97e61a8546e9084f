"""A real browser, and a gateway that the test holds the strings of."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.web.stub_gateway import StubGateway

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=20_000)
"""In ms: Chromium, the server and its encoder share two cores."""


@pytest.fixture
async def stub() -> AsyncIterator[StubGateway]:
    stub = StubGateway()
    yield stub
    await stub.close()


@pytest.fixture
async def origin(stub: StubGateway) -> AsyncIterator[str]:
    """Where the stub is served, e.g. http://127.0.0.1:40123."""
    async with served(stub) as origin:
        yield origin


@contextlib.asynccontextmanager
async def served(stub: StubGateway) -> AsyncIterator[str]:
    """Serve it on a free port; yields the origin."""
    runner = web.AppRunner(stub.application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


@pytest.fixture
async def browser(chromium_executable: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_executable, args=CHROMIUM_ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def context(browser: Browser) -> BrowserContext:
    return await browser.new_context(viewport={"width": 1280, "height": 800})


@pytest.fixture
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A page on which an error of a script fails the test."""
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    assert errors == []
