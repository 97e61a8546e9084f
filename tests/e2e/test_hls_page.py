"""The player page on LL-HLS: forced to it, and where a firewall lets no UDP through, for as long as it does not."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest
from playwright.async_api import Browser

from tests.e2e.chromium import WatchPage, chromium
from tests.e2e.conftest import StartGateway
from tests.e2e.firewall import Firewall
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.lossy_link import LISTEN_NEAR, TUN, LossyLink, lossy_link
from tests.e2e.studio_av import AvStudio
from tests.e2e.waiting import eventually
from tests.e2e.windows import in_one_window

pytestmark = pytest.mark.browser

SHOWN = Path(__file__).with_name("shown.js")
SETTLE_S = 5.0
WINDOW_S = 20.0
AGE_MEDIAN_WITHIN_MS = 1000
AGE_P95_WITHIN_MS = 1500
FALLEN_BACK_WITHIN_MS = 3000
BACK_WITHIN_S = 30.0
"""The first pause of the player is at most 7.5 s, the second 15 s, and it wants to see two seconds of frames."""
FROZEN_WITHIN_MS = 5000
"""Two seconds and a look until it counts as frozen, then a start of HLS, of the packager too."""
MOVES_FRAMES = 20
"""In two seconds, those of the start included."""
DARKEST = 20
"""Black is 0, the card is about 105, and half of that while the page dims it."""


class ShownPage(WatchPage):
    """/watch/{stream}, with `shown.js` beside it."""

    @classmethod
    async def at(cls, browser: Browser, address: str) -> Self:
        """Open that address, and do not wait for anything."""
        page: Self = await cls._opened(browser, 1000, 800)
        await page.page.add_init_script(path=SHOWN)
        await page.go(address, wait_until="commit")
        return page

    async def until_live_by(self, transport: str, within_s: float = 15.0) -> None:
        """Wait until the page is live, and by what."""
        await eventually(self._way, lambda way: way == [transport, "live"], within_s)

    async def _way(self) -> list[str]:
        return await self.look("[window.railbird?.transport, window.railbird?.state]", [])

    async def frames(self, transport: str, since_ms: float = 0.0) -> list[dict[str, Any]]:
        """{atMs, ageMs} of each frame shown by that transport."""
        element = {"webrtc": "picture", "hls": "picture-hls"}[transport]
        frames: list[dict[str, Any]] = await self.page.evaluate(
            "([element, sinceMs]) => shown.framesOf(element, sinceMs)", [element, since_ms]
        )
        return frames

    async def first_ms(self, transport: str) -> float:
        """When the first frame of that transport was shown, in ms since the page's load began; waits for it."""
        frames = await eventually(lambda: self.frames(transport), bool)
        first_ms: float = frames[0]["atMs"]
        return first_ms

    async def gap_ms(self, since_ms: float) -> float:
        """The longest time between two frames shown since then."""
        gap_ms: float = await self.page.evaluate("sinceMs => shown.longestGapMs(sinceMs)", since_ms)
        return gap_ms

    async def dark_looks(self, since_ms: float) -> list[dict[str, Any]]:
        """{atMs, id, luma} of the animation frames since then that showed next to nothing, or nothing at all."""
        dark: list[dict[str, Any]] = await self.page.evaluate(
            "([since, least]) => shown.looks.filter(({ atMs, luma }) => atMs > since && !(luma > least))",
            [since_ms, DARKEST],
        )
        return dark

    async def index_ms(self) -> float:
        """When the page asked for the stream by HLS for the first time, in ms since its load began."""
        asked_ms: float = await self.page.evaluate(
            "performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/index.m3u8')).startTime"
        )
        return asked_ms


@pytest.fixture
def link_needs() -> None:
    if not TUN.exists():
        pytest.skip(f"no {TUN}: there is nothing to make a link of")


async def _studio(gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack) -> None:
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live("card")


@dataclass(frozen=True)
class _Window:
    """Of who came and stayed."""

    stalls: int
    age_median_ms: float
    age_p95_ms: float

    @property
    def is_smooth(self) -> bool:
        return not self.stalls and (self.age_median_ms <= AGE_MEDIAN_WITHIN_MS and self.age_p95_ms <= AGE_P95_WITHIN_MS)


@pytest.mark.timeout(240)
async def test_chromium_plays_ll_hls_a_second_behind_without_a_stall(
    start_gateway: StartGateway,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    artifacts: Path,
    measured: Callable[[str], None],
) -> None:
    gateway = await start_gateway(HLS__START="at_once")
    await _studio(gateway, cleanup)
    await asyncio.sleep(SETTLE_S)

    async def measure() -> _Window:
        watch = await ShownPage.at(browser, f"{gateway.url}/watch/card?transport=hls")
        async with contextlib.AsyncExitStack() as leaving:
            leaving.push_async_callback(watch.close)
            return await _window(watch, artifacts, measured)

    await in_one_window(measure, lambda window: window.is_smooth)


async def _window(watch: ShownPage, artifacts: Path, measured: Callable[[str], None]) -> _Window:
    await watch.until_live_by("hls")
    first_ms = await watch.first_ms("hls") - await watch.index_ms()
    measured(f"first frame {first_ms:.0f} ms after the page asked for the stream")

    await asyncio.sleep(SETTLE_S)
    since_ms = await watch.now_ms()
    await asyncio.sleep(WINDOW_S)
    ages_ms = [frame["ageMs"] for frame in await watch.frames("hls", since_ms) if frame["ageMs"] is not None]
    assert len(ages_ms) > 10 * WINDOW_S, "the time code could not be read: the picture is not the studio's"
    percentiles = statistics.quantiles(ages_ms, n=20)
    figures = await watch.figures()
    measured(
        f"glass to glass {statistics.median(ages_ms):.0f} ms (p50), {percentiles[-1]:.0f} ms (p95), "
        f"by the playlist {figures['latencyMs']:.0f} ms; {figures['stallCount']} stalls, "
        f"{figures['framesDropped']} of {figures['framesDecoded']} frames dropped in {WINDOW_S + SETTLE_S:.0f} s"
    )
    await watch.page.screenshot(path=artifacts / "watch-hls.png")
    assert await watch.requests("POST") == []
    return _Window(figures["stallCount"], statistics.median(ages_ms), percentiles[-1])


@pytest.mark.netns
@pytest.mark.nft
@pytest.mark.timeout(180)
@pytest.mark.usefixtures("link_needs")
async def test_page_falls_back_to_hls_behind_a_firewall_and_returns_when_it_opens(
    start_gateway: StartGateway,
    chromium_executable: str,
    cleanup: contextlib.AsyncExitStack,
    artifacts: Path,
    measured: Callable[[str], None],
    tmp_path: Path,
) -> None:
    link = await cleanup.enter_async_context(lossy_link(loss=0.0))
    gateway = await start_gateway(**LISTEN_NEAR, HLS__START="at_once")
    await _studio(gateway, cleanup)
    await asyncio.sleep(SETTLE_S)
    firewall = Firewall(link.namespace)
    firewall.block_udp()
    watch = await _opened_behind(link, chromium_executable, gateway, cleanup, tmp_path)
    await watch.until_live_by("hls")
    first_ms = await watch.first_ms("hls")
    measured(f"UDP blocked: LL-HLS shows its first frame {first_ms:.0f} ms after the page's load began")
    assert first_ms <= FALLEN_BACK_WITHIN_MS
    await asyncio.sleep(2)
    assert len(await watch.frames("hls", first_ms)) > MOVES_FRAMES, "the picture does not move"
    await watch.page.screenshot(path=artifacts / "watch-fallen-back.png")

    firewall.open_udp()
    opened_ms = await watch.now_ms()
    await watch.until_live_by("webrtc", BACK_WITHIN_S)
    back_ms = await watch.first_ms("webrtc")
    measured(f"UDP opens: back on WebRTC after {(back_ms - opened_ms) / 1000:.1f} s")
    await asyncio.sleep(1)
    measured(f"longest time between two frames from the fall to the return {await watch.gap_ms(first_ms):.0f} ms")
    assert await watch.dark_looks(first_ms) == []

    firewall.block_udp()
    blocked_ms = await watch.now_ms()
    await watch.until_live_by("hls")
    await asyncio.sleep(1)
    gap_ms = await watch.gap_ms(blocked_ms - 1000)
    measured(f"UDP blocked while WebRTC plays: {gap_ms / 1000:.1f} s until LL-HLS goes on")
    assert gap_ms <= FROZEN_WITHIN_MS
    await watch.page.wait_for_function("railbird.signals.carrier === 'websocket'")
    firewall.open_udp()
    await watch.until_live_by("webrtc", BACK_WITHIN_S)
    await asyncio.sleep(1)
    assert await watch.dark_looks(first_ms) == []
    await watch.page.screenshot(path=artifacts / "watch-back.png")


async def _opened_behind(
    link: LossyLink,
    executable: str,
    gateway: GatewayProcess,
    cleanup: contextlib.AsyncExitStack,
    directory: Path,
) -> ShownPage:
    """The player page in a Chromium at the far end of the link."""
    browser = await cleanup.enter_async_context(chromium(link.command(executable, directory)))
    watch = await ShownPage.at(browser, f"{gateway.url}/watch/card")
    cleanup.push_async_callback(watch.close)
    return watch
