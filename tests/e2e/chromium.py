"""Chromium on the gateway's own pages, with `probe.js` beside them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Error, Page, async_playwright, expect

from tests.e2e.network import gathered_families
from tests.e2e.waiting import eventually

ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    # The studio's page and the player's are both in the background of one another.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]
LOOPBACK_ARGUMENTS = ["--allow-loopback-in-peer-connection"]
"""On a machine that has nothing else: else Chromium behaves as it does for everybody."""
LOSE_CONNECTION = """(peer => {{
    Object.defineProperty(peer, "connectionState", {{ value: "disconnected", configurable: true }});
    peer.dispatchEvent(new Event("connectionstatechange"));
    delete peer.connectionState;
}})({})"""
"""What a browser reports when ICE has lost its path, of the RTCPeerConnection that the braces name."""
PROBE = Path(__file__).with_name("probe.js")

Value = TypeVar("Value")

expect.set_options(timeout=20_000)
"""In ms: pages, their encoders and decoders, studios and gateways share two cores."""


@contextlib.asynccontextmanager
async def chromium(executable: str | Path) -> AsyncIterator[Browser]:
    """A Chromium of its own, without a window."""
    arguments = ARGUMENTS + ([] if gathered_families() else LOOPBACK_ARGUMENTS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


async def sendable_codecs(browser: Browser) -> list[str]:
    """Names of the video codecs that this browser says it can send, RTX and the like left out."""
    page = await browser.new_page()
    mime_types = await page.evaluate("RTCRtpSender.getCapabilities('video').codecs.map(({ mimeType }) => mimeType)")
    await page.close()
    names = dict.fromkeys(str(mime_type).partition("/")[2].upper() for mime_type in mime_types)
    return [name for name in names if name not in {"RTX", "RED", "ULPFEC", "FLEXFEC-03"}]


class _Page:
    """One page in a browser context of its own, as another person's browser would have it."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        """What the page's scripts threw."""
        self._context = context
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    @classmethod
    async def _opened(cls, browser: Browser, width_px: int, height_px: int) -> Any:
        context = await browser.new_context(viewport={"width": width_px, "height": height_px})
        await context.add_init_script(path=PROBE)
        return cls(context, await context.new_page())

    async def go(self, address: str, wait_until: Literal["load", "commit"] = "load") -> None:
        """Open that address; once more where the network changed meanwhile, as a fresh namespace's does."""
        try:
            await self.page.goto(address, wait_until=wait_until)
        except Error as error:
            if "net::ERR_NETWORK_CHANGED" not in error.message:
                raise
            await self.page.goto(address, wait_until=wait_until)

    async def look(self, expression: str, absent: Value) -> Value:
        """What the page says; `absent` while it loads again, as it does when its script got lost."""
        try:
            said: Value = await self.page.evaluate(expression)
        except Error as error:
            if "Execution context was destroyed" not in error.message:
                raise
            return absent
        return said

    async def state(self) -> str:
        """`window.railbird.state`; empty while there is none."""
        return await self.look("window.railbird?.state ?? ''", "")

    async def until_state(self, *states: str, within_s: float = 15.0) -> str:
        """Wait for one of these states, and return it; AssertionError with what the page says instead."""
        try:
            return await eventually(self.state, lambda state: state in states, within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; the page says: {await self.page.inner_text('body')}") from None

    async def requests(self, method: str) -> list[dict[str, Any]]:
        """The page's WHIP or WHEP requests of that method: {path, startedMs, status}."""
        requests: list[dict[str, Any]] = await self.page.evaluate("probe.requests")
        return [request for request in requests if request["method"] == method]

    async def close(self) -> None:
        """Close the page as a person closes a tab; what its scripts threw fails the test."""
        await self.page.close(run_before_unload=False)
        await self._context.close()
        assert self.errors == []


class StudioPage(_Page):
    """/studio/{stream}."""

    @classmethod
    async def publishing(cls, browser: Browser, url: str, stream: str, codec: str) -> StudioPage:
        """Publish the drawn table by `codec`, and wait until the page says that it is live."""
        studio: StudioPage = await cls._opened(browser, 1000, 800)
        query = f"source=table&codec={codec.lower()}&bitrate=1000000&autostart=1"
        await studio.go(f"{url}/studio/{stream}?{query}")
        await studio.until_state("live")
        return studio


class WatchPage(_Page):
    """/watch/{stream}."""

    @classmethod
    async def opened(
        cls, browser: Browser, url: str, stream: str, *, width_px: int = 1000, height_px: int = 800
    ) -> WatchPage:
        """Open the player page, in whatever state that puts it."""
        watch: WatchPage = await cls._opened(browser, width_px, height_px)
        await watch.go(f"{url}/watch/{stream}")
        return watch

    @classmethod
    async def watching(cls, browser: Browser, url: str, stream: str) -> WatchPage:
        """Open the player page, and wait until it plays."""
        watch = await cls.opened(browser, url, stream)
        await watch.until_state("live")
        return watch

    async def inbound(self) -> dict[str, Any]:
        """WebRTC's inbound-rtp of the video, with `remote` (address), `srtpCipher` and `audioPackets`."""
        inbound: dict[str, Any] = await self.page.evaluate("probe.inbound()")
        return inbound

    async def figures(self) -> dict[str, Any]:
        """`window.railbird.stats()`: what the page itself measures."""
        figures: dict[str, Any] = await self.page.evaluate("window.railbird.stats()")
        return figures

    async def now_ms(self) -> float:
        """The page's clock, for `longest_gap_ms`."""
        now_ms: float = await self.page.evaluate("performance.now()")
        return now_ms

    async def longest_gap_ms(self, since_ms: float) -> float:
        """The longest time between two frames shown, the second of them after `since_ms`."""
        gap_ms: float = await self.page.evaluate("since => probe.longestGapMs(since)", since_ms)
        return gap_ms

    async def first_frame_ms(self) -> float:
        """From the start of the POST to the first frame on the screen; call it when the page plays."""
        first_ms: float = await self.page.evaluate("probe.firstFrameMs()")
        return first_ms

    async def ages_ms(self, frames: int) -> list[float]:
        """How old each of the next frames is when it is shown, by its time code."""
        ages_ms: list[float] = await self.page.evaluate("count => probe.agesMs(count)", frames)
        return ages_ms

    async def dominant_colour(self) -> str:
        """`red`, `green` or `blue`: what the middle of the picture has most of, as a screenshot shows it."""
        with Image.open(io.BytesIO(await self.page.locator("#picture").screenshot())) as image:
            pixels = np.asarray(image.convert("RGB"), dtype=np.float32)
        rows = pixels.shape[0]
        means = pixels[rows // 3 : rows // 2].mean(axis=(0, 1))
        return ("red", "green", "blue")[int(means.argmax())]

    async def until_colour(self, colour: str, within_s: float = 10.0) -> None:
        """Wait until the picture is mostly of that colour."""
        await eventually(self.dominant_colour, lambda now: now == colour, within_s)

    async def remote_ufrag(self) -> str:
        """The gateway's ufrag, as the browser has it from the answer."""
        sdp: str = await self.page.evaluate("probe.peer.remoteDescription.sdp")
        return next(line for line in sdp.splitlines() if line.startswith("a=ice-ufrag:"))

    async def lose_connection(self) -> None:
        """Let the browser report once what it reports when ICE has lost its path: the page's own code does the rest."""
        await self.page.evaluate(LOSE_CONNECTION.format("probe.peer"))

    async def until_decoded(self, more: int, within_s: float = 10.0) -> dict[str, Any]:
        """Wait until that many more frames have been decoded, and return `inbound`."""
        wanted = _decoded(await self.inbound()) + more
        return await eventually(self.inbound, lambda inbound: _decoded(inbound) >= wanted, within_s)


def _decoded(inbound: dict[str, Any]) -> int:
    return int(inbound.get("framesDecoded", 0))
