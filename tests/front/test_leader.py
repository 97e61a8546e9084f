"""The one whose request stands for all: what becomes of the others when it goes, or is refused, or the gateway dies."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.e2e.waiting import until
from tests.front.conftest import LUA, PLAIN, OpenClient, StartFront
from tests.front.stub_origin import ELSEWHERE, REFUSAL, StubOrigin

pytestmark = pytest.mark.nginx

PATH = "/hls/t/g/video.m3u8?_HLS_msn=0&_HLS_part=0"
FOLLOWERS = 10
ALL_HAVE_ASKED_S = 0.6
"""After the first request has come to the origin: the others are sent with it, and wait inside nginx."""


Answer = tuple[int, str, str | None, str | None]
"""Status, text, `Retry-After` and `Link`."""


async def _follow(client: aiohttp.ClientSession) -> Answer:
    async with client.get(PATH, headers={"Accept-Encoding": "identity"}) as response:
        told = response.headers
        return response.status, await response.text(), told.get("Retry-After"), told.get("Link")


async def _crowd(client: aiohttp.ClientSession, origin: StubOrigin) -> list[asyncio.Task[Answer]]:
    """All of them have asked, and one of them stands for all."""
    tasks = [asyncio.create_task(_follow(client)) for _ in range(FOLLOWERS)]
    await until(lambda: origin.asked[PATH] == 1)
    await asyncio.sleep(ALL_HAVE_ASKED_S)
    return tasks


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("status", [400, 404, 503])
async def test_refusal_is_shared_by_those_who_waited_and_not_kept(
    status: int, workers: int, start_front: StartFront, origin: StubOrigin, open_client: OpenClient
) -> None:
    client = open_client(await start_front(LUA, workers))
    origin.hold, origin.status = asyncio.Event(), status
    tasks = await _crowd(client, origin)
    origin.hold.set()
    assert set(await asyncio.gather(*tasks)) == {(status, REFUSAL, "2", ELSEWHERE)}
    assert origin.asked[PATH] == 1
    origin.status = None
    assert (await _follow(client))[0] == 200
    assert origin.asked[PATH] == 2


async def test_refusal_is_not_kept_by_the_plain_front(
    start_front: StartFront, origin: StubOrigin, open_client: OpenClient
) -> None:
    client = open_client(await start_front(PLAIN))
    origin.status = 404
    assert (await _follow(client))[0] == 404
    origin.status = None
    assert (await _follow(client))[0] == 200


@pytest.mark.parametrize(("protocol", "requests"), [("--http1.1", 1), ("--http2", 2)])
@pytest.mark.parametrize("workers", [1, 2])
async def test_followers_are_served_when_the_leader_goes_away(
    protocol: str, requests: int, workers: int, start_front: StartFront, origin: StubOrigin, open_client: OpenClient
) -> None:
    """Over HTTP/2 nginx drops what the gateway answers to a leader that has gone: another one leads, and asks again."""
    front = await start_front(LUA, workers)
    origin.hold = asyncio.Event()
    leader = await asyncio.create_subprocess_exec("curl", "--silent", "--insecure", protocol, front.url + PATH)
    await until(lambda: origin.asked[PATH] == 1)
    followers = await _crowd(open_client(front), origin)
    leader.kill()
    await leader.wait()
    origin.hold.set()
    answers = await asyncio.gather(*followers)
    assert {status for status, *_ in answers} == {200}
    assert origin.asked[PATH] == requests


async def test_reload_of_nginx_interrupts_nobody(
    start_front: StartFront, origin: StubOrigin, open_client: OpenClient
) -> None:
    """Who asks the new workers waits for what the old ones were asked first."""
    front = await start_front(LUA, 2)
    origin.hold = asyncio.Event()
    before = await _crowd(open_client(front), origin)
    front.reload()
    await asyncio.sleep(ALL_HAVE_ASKED_S)
    after = await _crowd(open_client(front), origin)
    origin.hold.set()
    assert {status for status, *_ in await asyncio.gather(*before, *after)} == {200}
    assert origin.asked[PATH] == 1


async def test_gateway_that_dies_is_asked_again_when_it_is_back(
    client: aiohttp.ClientSession, origin: StubOrigin
) -> None:
    origin.hold = asyncio.Event()
    tasks = await _crowd(client, origin)
    await origin.stop()
    assert {status for status, *_ in await asyncio.gather(*tasks)} == {502}
    assert (await _follow(client))[0] == 502
    origin.hold = None
    await origin.start()
    assert (await _follow(client))[0] == 200
