"""Players of the bench get from a real gateway what they ask for, and its studios publish what they say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.bench.hls.crowd import Crowd
from tests.bench.hls.static import PART, PLAYLIST, Static
from tests.bench.hls.studios import Studios
from tests.bench.hls.tally import Tally
from tests.bench.remote import BenchError
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.windows import in_one_window

HOST = "127.0.0.1"
STREAM = "bench"
WATCHED_S = 2.0
PARTS_A_SECOND = 5
CLOCK_ERROR_S = 0.05
"""Of EXT-X-PROGRAM-DATE-TIME, which lateness is measured against."""


@pytest.fixture
async def cleanup() -> AsyncIterator[AsyncExitStack]:
    """What a test starts goes in here: it ends in reverse order."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def gateway(tmp_path: Path, cleanup: AsyncExitStack) -> GatewayProcess:
    process = GatewayProcess(tmp_path / "gateway.log", f"{HOST}:0", f"{HOST}:0", {})
    cleanup.push_async_callback(process.stop)
    return await process.start()


@pytest.fixture
async def studios(gateway: GatewayProcess, cleanup: AsyncExitStack) -> Studios:
    studios = Studios(gateway.url, HOST)
    cleanup.push_async_callback(studios.close)
    return studios


@pytest.fixture
async def crowd(gateway: GatewayProcess, studios: Studios, cleanup: AsyncExitStack) -> Crowd:
    """Before a stream with sound."""
    await studios.publish([STREAM], True)
    crowd = Crowd(gateway.url)
    cleanup.push_async_callback(crowd.close)
    await crowd.enter(STREAM)
    return crowd


async def _watched(crowd: Crowd) -> Tally:
    await asyncio.sleep(0.5)
    await crowd.take()
    await asyncio.sleep(WATCHED_S)
    return await crowd.take()


def _has_each_part_once(tally: Tally, requesters: int) -> bool:
    """Of so many that ask, whom nothing was refused, and who were never too late to ask."""
    expected = requesters * WATCHED_S * PARTS_A_SECOND
    return tally.parts == pytest.approx(expected, rel=0.3) and (tally.refused, tally.missed) == (0, 0)


async def test_players_get_each_part_and_playlist_once(crowd: Crowd) -> None:
    await crowd.join(3)

    def holds(tally: Tally) -> bool:
        return (
            _has_each_part_once(tally, 3 * 2)
            and tally.playlists == pytest.approx(3 * 2 * WATCHED_S * PARTS_A_SECOND, rel=0.3)
            and -CLOCK_ERROR_S < min(tally.playlists_late_s) < min(tally.parts_late_s)
            and max(tally.parts_late_s) < WATCHED_S
        )

    tally = await in_one_window(lambda: _watched(crowd), holds)
    assert tally.cpu_s > 0


@pytest.mark.parametrize("hinted", [False, True])
async def test_chorus_gets_each_part_once(crowd: Crowd, hinted: bool) -> None:
    await crowd.ask_for_parts(4, hinted)
    tally = await in_one_window(lambda: _watched(crowd), lambda tally: _has_each_part_once(tally, 4))
    assert tally.part_bytes / tally.parts > 10_000


async def test_who_left_asks_for_nothing(crowd: Crowd) -> None:
    await crowd.join(1)
    await crowd.reload(1)
    await asyncio.sleep(0.5)
    await crowd.leave()
    tally = await _watched(crowd)
    assert (tally.requests, tally.missed) == (0, 0)


async def test_stream_that_is_not_there_is_said(gateway: GatewayProcess, cleanup: AsyncExitStack) -> None:
    crowd = Crowd(gateway.url)
    cleanup.push_async_callback(crowd.close)
    with pytest.raises(BenchError, match="no index of nobody: 404"):
        await crowd.enter("nobody")


async def test_studio_without_audio_has_one_rendition(gateway: GatewayProcess, studios: Studios) -> None:
    await studios.publish([STREAM], False)
    async with aiohttp.ClientSession() as http, http.get(f"{gateway.url}/hls/{STREAM}/index.m3u8") as response:
        text = await response.text()
    assert response.status == 200
    assert "TYPE=AUDIO" not in text
    assert await studios.packets() > 0


async def test_constant_answers_are_the_bytes_that_were_given(cleanup: AsyncExitStack) -> None:
    static = Static({PLAYLIST: b"#EXTM3U\n", PART: bytes(1000)})
    cleanup.push_async_callback(static.close)
    url, _pid = await static.start()
    crowd = Crowd(url)
    cleanup.push_async_callback(crowd.close)
    await crowd.ask_for(PART, 3)
    tally = await in_one_window(lambda: _watched(crowd), lambda tally: _has_each_part_once(tally, 3))
    assert tally.part_bytes == tally.parts * 1000
