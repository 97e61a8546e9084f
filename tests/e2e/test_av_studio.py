"""PyAV's WHIP muxer publishes: it is DTLS server and knows AES128_CM_SHA1_80 only."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser

from tests.e2e.aiortc_peer import AiortcViewer
from tests.e2e.chromium import WatchPage
from tests.e2e.gateway_process import GatewayProcess, codecs_of
from tests.e2e.studio_av import AvStudio
from tests.e2e.windows import in_one_window

FIRST_FRAME_WITHIN_MS = 500
MEDIAN_AGE_WITHIN_MS = 150


@dataclass(frozen=True)
class _Window:
    """Of who came and stayed."""

    first_frame_ms: float
    dropped: int
    age_ms: float

    @property
    def is_smooth(self) -> bool:
        return self.first_frame_ms < FIRST_FRAME_WITHIN_MS and not self.dropped and self.age_ms < MEDIAN_AGE_WITHIN_MS


@pytest.fixture
async def studio(gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack) -> AvStudio:
    """A studio that publishes the blue card as `card`, live for a second."""
    studio = await AvStudio(gateway, "card", "blue").start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live("card")
    return studio


@pytest.mark.usefixtures("studio")
async def test_av_studio_negotiates_its_only_srtp_profile(gateway: GatewayProcess) -> None:
    assert await codecs_of(gateway, "card") == {"H264", "opus"}
    assert [session["profile"] for session in await gateway.sessions()] == ["SRTP_AES128_CM_SHA1_80"]


@pytest.mark.browser
@pytest.mark.usefixtures("studio")
async def test_av_studio_plays_in_chromium(
    gateway: GatewayProcess, browser: Browser, measured: Callable[[str], None]
) -> None:
    async def measure() -> _Window:
        watch = await WatchPage.watching(browser, gateway.url, "card")
        async with contextlib.AsyncExitStack() as leaving:
            leaving.push_async_callback(watch.close)
            return await _window(watch, measured)

    await in_one_window(measure, lambda window: window.is_smooth)


async def _window(watch: WatchPage, measured: Callable[[str], None]) -> _Window:
    first_frame_ms = await watch.first_frame_ms()
    measured(f"first frame {first_frame_ms:.0f} ms after the POST, a keyframe each second")
    before = await watch.inbound()
    after = await watch.until_decoded(60)
    assert after["audioPackets"] > before["audioPackets"]
    dropped = after["framesDropped"] - before["framesDropped"]
    age_ms = statistics.median(await watch.ages_ms(20))
    measured(f"glass to glass {age_ms:.0f} ms (p50), {dropped} frames dropped")
    assert age_ms >= 0
    return _Window(first_frame_ms, dropped, age_ms)


@pytest.mark.usefixtures("studio")
async def test_av_studio_plays_in_aiortc(
    gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    viewer = AiortcViewer(f"{gateway.url}/whep/card")
    cleanup.push_async_callback(viewer.close)
    await viewer.connect()
    await viewer.until_frames(45)
    assert viewer.ground() == "blue"
    assert viewer.audio_frames > 0
    measured(f"drawn to decoded {statistics.median(viewer.ages_ms):.0f} ms (p50)")
    assert 0 <= statistics.median(viewer.ages_ms[-30:]) < 1000


async def test_av_studio_ends_by_delete(gateway: GatewayProcess, studio: AvStudio) -> None:
    await studio.stop()
    assert studio.returncode == 0
    report = await gateway.stream("card")
    assert report is not None
    assert report["state"] == "waiting"
    ended = (await gateway.metrics()).value("railbird_sessions_ended_total", leg="ingest", cause="deleted")
    assert ended == 1
