"""LL-HLS of a studio that goes and returns, and of a browser, also behind a path that loses packets: whole, in sync."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import pytest
from playwright.async_api import Browser

from tests.e2e.chromium import StudioPage
from tests.e2e.conftest import StartGateway
from tests.e2e.hls_reader import HlsReader
from tests.e2e.hls_stretch import IN_SYNC_MS, Stretch, in_sync, most, on_time
from tests.e2e.relay import LISTEN, relay_before
from tests.e2e.studio_demo import DemoStudio

LOSS: Final = 0.03
MEDIA_S: Final = 12.0
LONGEST_S: Final = 2.45
"""Of a segment: rounded it must be the target duration, which is 2."""


async def test_killed_studio_that_returns_is_a_discontinuity_in_both_renditions_and_in_sync(
    start_gateway: StartGateway, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    gateway = await start_gateway()
    first, second = DemoStudio(gateway), DemoStudio(gateway)
    cleanup.push_async_callback(second.stop)
    await first.start()
    await gateway.live("demo")
    reader = await HlsReader.open(gateway.http, "demo")
    await asyncio.sleep(4)
    await first.kill()
    await second.start()
    await asyncio.sleep(10)
    await reader.stop()
    before, after = Stretch.all_of(reader)
    for stretch in (before, after):
        assert stretch.steps() == {0}
        seen_ms = await asyncio.to_thread(in_sync, stretch, 2, measured)
        assert most(seen_ms) < IN_SYNC_MS
        assert on_time(await asyncio.to_thread(stretch.pdt_errors_ms))


@pytest.mark.browser
@pytest.mark.parametrize("loss", [0.0, LOSS], ids=["clean", "lossy"])
async def test_chromium_s_table_is_continuous_and_in_sync(
    start_gateway: StartGateway,
    browser: Browser,
    cleanup: contextlib.AsyncExitStack,
    measured: Callable[[str], None],
    loss: float,
) -> None:
    gateway = await start_gateway(**LISTEN)
    relay = await cleanup.enter_async_context(relay_before(gateway))
    relay.loss = loss
    studio = await StudioPage.publishing(browser, gateway.url, "table", "H264")
    cleanup.push_async_callback(studio.close)
    await gateway.live("table")
    (stretch,) = Stretch.all_of(await HlsReader.read(gateway.http, "table", MEDIA_S))
    lost = sum(path.lost["rtp"] for path in relay.paths.values())
    assert (lost > 0) == (loss > 0)
    assert stretch.steps() == {0}
    lengths_s = [segment.duration_s for segment in stretch.video_segments]
    measured(f"segments of {min(lengths_s):.2f} to {max(lengths_s):.2f} s; {lost} packets lost")
    await asyncio.to_thread(in_sync, stretch, MEDIA_S - 5, measured)
    # The first one ends at its first keyframe, whenever that comes.
    assert all(1.4 <= length_s <= LONGEST_S for length_s in lengths_s[1:])
