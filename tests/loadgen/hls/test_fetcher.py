"""Requests of one player, to servers that do as they should, and others that do not."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.errors import WireError
from loadgen.errors import SignallingError
from loadgen.hls import fetcher as fetcher_module
from loadgen.hls.fetcher import MAX_RETRY_AFTER_S, Answer, Fetcher

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(None, lambda host: host == "friend.example")
    yield fetcher
    await fetcher.close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves one handler for all paths; returns the root's URL."""
    async with AsyncExitStack() as stack:

        async def start(handler: Handler) -> str:
            application = web.Application()
            application.router.add_route("*", "/{path:.*}", handler)
            return str((await stack.enter_async_context(TestServer(application))).make_url("/"))

        yield start


def answer(body: bytes, is_gzip: bool = False) -> Answer:
    """Of a playlist."""
    return Answer("http://h/", 200, body, is_gzip, None, 0.0, 1.0)


async def test_answer_says_status_body_and_times(fetcher: Fetcher, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "gzip"
        return web.Response(status=503, body=b"busy", headers={"Retry-After": "2"})

    told = await fetcher.get(await serve(handler), 5.0)
    assert (told.status, told.body, told.is_good, told.retry_after_s) == (503, b"busy", False, 2.0)
    assert told.sent_s <= told.arrived_s


@pytest.mark.parametrize(
    ("header", "seconds"), [("0", 0.0), ("3600", MAX_RETRY_AFTER_S), ("soon", None), ("-1", None), ("1.5", None)]
)
async def test_retry_after_is_seconds_and_bounded(
    fetcher: Fetcher, serve: Serve, header: str, seconds: float | None
) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(headers={"Retry-After": header})

    assert (await fetcher.get(await serve(handler), 5.0)).retry_after_s == seconds


async def test_body_without_its_length_is_read_whole_up_to_the_bound(
    fetcher: Fetcher, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(3):
            await response.write(b"x" * 1000)
        return response

    url = await serve(handler)
    assert len((await fetcher.get(url, 5.0)).body) == 3000
    monkeypatch.setattr(fetcher_module, "MAX_BODY_BYTES", 2999)
    with pytest.raises(SignallingError) as raised:
        await fetcher.get(url, 5.0)
    assert raised.value.cause == "http_body"


async def test_silence_is_a_timeout(fetcher: Fetcher, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "5"})
        await response.prepare(request)
        await response.write(b"x")
        await request.content.read()
        await asyncio.sleep(5)
        return response

    with pytest.raises(SignallingError) as raised:
        await fetcher.get(await serve(handler), 0.1)
    assert raised.value.cause == "http_timeout"


async def test_nobody_who_listens_is_an_error(fetcher: Fetcher) -> None:
    with pytest.raises(SignallingError) as raised:
        await fetcher.get("http://127.0.0.1:1/", 5.0)
    assert raised.value.cause == "http_error"


async def test_redirect_of_the_entry_is_followed_with_the_token(fetcher: Fetcher, serve: Serve) -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.path, request.headers.get("Authorization")))
        if request.path == "/":
            return web.Response(status=307, headers={"Location": "there/index.m3u8"})
        return web.Response(body=b"list")

    url = await serve(handler)
    told = await fetcher.enter(url, "secret", 5.0)
    assert (told.url, told.body) == (f"{url}there/index.m3u8", b"list")
    assert seen == [("/", "Bearer secret"), ("/there/index.m3u8", "Bearer secret")]
    await fetcher.get(told.url, 5.0)
    assert seen[-1] == ("/there/index.m3u8", None)


@pytest.mark.parametrize("location", ["/", "http://elsewhere.example/", "", "ftp://friend.example/"])
async def test_redirect_that_leads_nowhere_is_refused(fetcher: Fetcher, serve: Serve, location: str) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": location})

    with pytest.raises(SignallingError) as raised:
        await fetcher.enter(await serve(handler), None, 5.0)
    assert raised.value.cause == "http_redirect"


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("video.m3u8", "https://h/a/g1/video.m3u8"),
        ("/b.m3u8", "https://h/b.m3u8"),
        ("../x/7.0.m4s?a=1", "https://h/a/x/7.0.m4s?a=1"),
        ("https://friend.example/c", "https://friend.example/c"),
    ],
)
async def test_uri_is_relative_to_what_names_it(fetcher: Fetcher, uri: str, address: str) -> None:
    assert fetcher.joined("https://h/a/g1/index.m3u8", uri) == address


@pytest.mark.parametrize("uri", ["https://enemy.example/c", "http://h/c", "data:,x", "https://[::/c"])
async def test_uri_that_leads_elsewhere_is_refused(fetcher: Fetcher, uri: str) -> None:
    with pytest.raises(SignallingError):
        fetcher.joined("https://h/a/index.m3u8", uri)


def test_playlist_is_unpacked() -> None:
    text = "#EXTM3U \u00fc"
    assert answer(text.encode()).text() == answer(gzip.compress(text.encode()), True).text() == text


@pytest.mark.parametrize(
    ("body", "is_gzip"), [(b"\xff", False), (b"#EXTM3U", True), (gzip.compress(b"x" * 100)[:-9], True)]
)
def test_playlist_that_cannot_be_unpacked_is_refused(body: bytes, is_gzip: bool) -> None:
    with pytest.raises(WireError):
        answer(body, is_gzip).text()


def test_playlist_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher_module, "MAX_PLAYLIST_BYTES", 1000)
    with pytest.raises(WireError, match="too long"):
        answer(gzip.compress(bytes(100_000)), True).text()


@pytest.mark.parametrize(("status", "is_told"), [(503, True), (404, False), (200, False)])
async def test_refusal_says_where_else(fetcher: Fetcher, serve: Serve, status: int, is_told: bool) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Link": '<http://b.example/hls/t/index.m3u8>; rel="alternate"'})

    told = await fetcher.get(await serve(handler), 5.0)
    assert told.alternate == ("http://b.example/hls/t/index.m3u8" if is_told else None)
