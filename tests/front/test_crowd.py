"""Many players cost the gateway one request for each playlist and each part."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
import pytest

from tests.e2e.waiting import until
from tests.front.conftest import LUA, PLAIN, OpenClient, StartFront
from tests.front.stub_origin import PART, PART_S, PARTS_A_SEGMENT, PLAYLIST, StubOrigin

pytestmark = pytest.mark.nginx

PLAYERS = 48
PARTS = 10


async def _play(client: aiohttp.ClientSession, first: int, seen: Counter[str]) -> None:
    """As a player does: wait for the playlist and for the part that it hinted at, then for the next ones."""
    for number in range(first, first + PARTS):
        msn, part = divmod(number, PARTS_A_SEGMENT)
        playlist = f"/hls/t/g/video.m3u8?_HLS_msn={msn}&_HLS_part={part}"
        await asyncio.gather(_load(client, playlist, seen), _load(client, f"/hls/t/g/video/{msn}.{part}.m4s", seen))


async def _load(client: aiohttp.ClientSession, path: str, seen: Counter[str]) -> None:
    async with client.get(path, headers={"Accept-Encoding": "identity"}) as response:
        body = await response.read()
        assert response.status == 200
        assert body == (PLAYLIST if ".m3u8" in path else PART)
        seen[response.headers["X-Cache"]] += 1


@pytest.mark.parametrize(("conf", "workers"), [(LUA, 1), (LUA, 3), (PLAIN, 2)])
async def test_crowd_costs_one_request_a_url(
    conf: str, workers: int, start_front: StartFront, origin: StubOrigin, open_client: OpenClient
) -> None:
    front = await start_front(conf, workers)
    client = open_client(front)
    msn, part = origin.next_part()
    seen: Counter[str] = Counter()
    first = (msn + 1) * PARTS_A_SEGMENT + part
    await asyncio.gather(*(_play(client, first, seen) for _ in range(PLAYERS)))
    assert set(origin.asked.values()) == {1}
    assert seen == {"MISS": 2 * PARTS, "HIT": 2 * PARTS * (PLAYERS - 1)}


async def test_generations_and_streams_are_not_mixed_up(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    paths = [f"/hls/t/{generation}/{name}/0.0.m4s" for generation in ("g1", "g2") for name in ("video", "audio")]
    for path in paths:
        await _load(client, path, Counter())
    assert origin.asked == dict.fromkeys(paths, 1)


@pytest.mark.parametrize("workers", [1, 2])
async def test_followers_are_released_with_the_leaders_answer(
    workers: int, start_front: StartFront, origin: StubOrigin, open_client: OpenClient
) -> None:
    """Who waits for nginx's own lock looks each 500 ms: the last of so many comes more than a part's 200 ms behind."""
    client = open_client(await start_front(LUA, workers))
    lags_s = [await _lag_s(client, origin, f"/hls/t/g{number}/video/0.0.m4s") for number in range(5)]
    assert min(lags_s) < PART_S


async def _lag_s(client: aiohttp.ClientSession, origin: StubOrigin, path: str) -> float:
    """Between the first and the last of a crowd that was answered."""
    origin.hold = asyncio.Event()
    players = [asyncio.create_task(_answered_s(client, path)) for _ in range(PLAYERS)]
    await until(lambda: origin.asked[path] == 1)
    await asyncio.sleep(PART_S)
    origin.hold.set()
    answered_s = await asyncio.gather(*players)
    assert origin.asked[path] == 1
    return max(answered_s) - min(answered_s)


async def _answered_s(client: aiohttp.ClientSession, path: str) -> float:
    await _load(client, path, Counter())
    return asyncio.get_running_loop().time()
