"""What lies below a generation: one form of each answer is kept, and each client gets what it can read."""

from __future__ import annotations

import gzip

import aiohttp
import pytest
from yarl import URL

from tests.front.stub_origin import ELSEWHERE, PART, PLAYLIST, StubOrigin

pytestmark = pytest.mark.nginx

PLAYLIST_PATH = "/hls/t/g/video.m3u8?_HLS_msn=0&_HLS_part=0"
PART_PATH = "/hls/t/g/video/0.0.m4s"


@pytest.mark.parametrize(
    ("asked", "upstream"),
    [
        ("video.m3u8?_HLS_msn=0&_HLS_part=3", "video.m3u8?_HLS_msn=0&_HLS_part=3"),
        ("video.m3u8?_HLS_part=3&x=1&_HLS_msn=0", "video.m3u8?_HLS_msn=0&_HLS_part=3"),
        ("video.m3u8?_HLS_skip=YES&_HLS_msn=000&_hls_push=1", "video.m3u8?_HLS_msn=0&_HLS_skip=YES"),
        ("video.m3u8?cache=buster", "video.m3u8"),
        ("video.m3u8?x_HLS_msn=7", "video.m3u8"),
        ("video/0.0.m4s?session=1", "video/0.0.m4s"),
        ("video//0.0.m4s", "video/0.0.m4s"),
    ],
)
async def test_query_is_made_one(asked: str, upstream: str, client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    async with client.get(f"/hls/t/g/{asked}") as response:
        assert response.status == 200
    assert origin.asked == {f"/hls/t/g/{upstream}": 1}


@pytest.mark.parametrize("query", ["_HLS_msn=-1", "_HLS_msn=", "_HLS_msn", "_HLS_part=x", "_HLS_skip=maybe"])
async def test_query_that_the_gateway_refuses_reaches_it(
    query: str, client: aiohttp.ClientSession, origin: StubOrigin
) -> None:
    await client.get(f"/hls/t/g/audio.m3u8?{query}")
    assert list(origin.asked) == [str(URL(f"/hls/t/g/audio.m3u8?{query}"))]


async def test_playlist_is_kept_as_gzip_and_unpacked_for_who_cannot_read_it(
    client: aiohttp.ClientSession, origin: StubOrigin
) -> None:
    for encoding in ("br, gzip", "identity", "gzip", ""):
        async with client.get(PLAYLIST_PATH, headers={"Accept-Encoding": encoding}) as response:
            body = await response.read()
            assert response.headers["Vary"] == "Accept-Encoding"
            assert ("gzip" in encoding) == (response.headers.get("Content-Encoding") == "gzip")
            assert (gzip.decompress(body) if "gzip" in encoding else body) == PLAYLIST
    assert origin.asked[PLAYLIST_PATH] == 1


async def test_playlist_without_directives_is_never_kept(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    for _ in range(2):
        async with client.get("/hls/t/g/video.m3u8") as response:
            assert response.headers["X-Cache"] == "MISS"
    assert origin.asked["/hls/t/g/video.m3u8"] == 2


async def test_head_asks_for_the_whole_and_serves_who_comes_next(
    client: aiohttp.ClientSession, origin: StubOrigin
) -> None:
    async with client.head(PART_PATH) as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) == len(PART)
    async with client.get(PART_PATH) as response:
        assert (response.headers["X-Cache"], await response.read()) == ("HIT", PART)
    assert origin.asked[PART_PATH] == 1


@pytest.mark.parametrize("is_kept_before", [True, False])
async def test_range_and_condition_are_answered_from_the_whole(
    is_kept_before: bool, client: aiohttp.ClientSession, origin: StubOrigin
) -> None:
    if is_kept_before:
        await client.get(PART_PATH)
    async with client.get(PART_PATH, headers={"Range": "bytes=256-511"}) as response:
        assert response.status == 206
        assert await response.read() == PART[256:512]
    async with client.get(PART_PATH, headers={"If-None-Match": f'"{len(PART)}"'}) as response:
        assert response.status == 304
    assert origin.asked[PART_PATH] == 1
    assert not {"Range", "If-None-Match"} & set(origin.headers[PART_PATH])


async def test_nothing_of_the_client_goes_to_the_gateway(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    theirs = {"Authorization": "Bearer x", "Cookie": "a=b", "Origin": "https://x.example", "X-Forwarded-For": "::1"}
    await client.get(PLAYLIST_PATH, headers=theirs)
    assert set(origin.headers[PLAYLIST_PATH]) == {"Host", "Accept-Encoding"}
    assert origin.headers[PLAYLIST_PATH]["Accept-Encoding"] == "gzip"


async def test_pages_of_other_origins_may_read_it(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    preflight = {"Origin": "https://tables.example", "Access-Control-Request-Method": "GET"}
    async with client.options(PART_PATH, headers=preflight) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert not origin.asked
    async with client.get(PART_PATH, headers=preflight) as response:
        assert response.headers.getall("Access-Control-Allow-Origin") == ["*"]
        assert "Access-Control-Allow-Methods" not in response.headers
    origin.status = 404
    async with client.get("/hls/t/g/video/0.1.m4s", headers=preflight) as response:
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (404, "*")


async def test_pages_of_other_origins_may_read_where_else_to_ask(
    client: aiohttp.ClientSession, origin: StubOrigin
) -> None:
    origin.status = 503
    async with client.get(PLAYLIST_PATH, headers={"Origin": "https://tables.example"}) as response:
        assert (response.status, response.headers["Link"]) == (503, ELSEWHERE)
        assert {"Link", "Retry-After"} <= set(response.headers["Access-Control-Expose-Headers"].split(", "))


async def test_writing_is_refused(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    for method in ("POST", "PUT", "DELETE"):
        async with client.request(method, PART_PATH) as response:
            assert response.status == 405
    assert not origin.asked
