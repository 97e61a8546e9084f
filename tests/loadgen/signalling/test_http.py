"""WHIP and WHEP requests against servers that do as they should, and others that do not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from loadgen.errors import SignallingError
from loadgen.signalling import http as http_module
from loadgen.signalling.http import MAX_BODY_BYTES, MAX_REDIRECTS, Opened, Signalling, http_client

ANSWER = "v=0\r\n"
TOKEN = "a-secret-token"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[..., Awaitable[str]]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with http_client() as session:
        yield session


@pytest.fixture
def signalling(http: aiohttp.ClientSession) -> Signalling:
    return Signalling(http, lambda host: host == "127.0.0.1", TOKEN)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves handlers by path, whatever the method; returns the URL of `/whep/table`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**handlers: Handler) -> str:
            application = web.Application()
            for name, handler in handlers.items():
                application.router.add_route("*", f"/{name}/table", handler)
            server = await stack.enter_async_context(TestServer(application))
            return str(server.make_url("/whep/table"))

        yield start


def _answering(
    status: int = 201, location: str | None = "/session/1", body: str | bytes = ANSWER, **headers: str
) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        told = {"Location": location} if location is not None else {}
        raw = body.encode() if isinstance(body, str) else body
        return web.Response(status=status, body=raw, headers={**told, **headers})

    return handler


async def _refusal(signalling: Signalling, url: str) -> SignallingError:
    with pytest.raises(SignallingError) as raised:
        await signalling.post(url, "offer")
    assert TOKEN not in str(raised.value)
    return raised.value


@pytest.mark.parametrize("status", [201, 307])
@pytest.mark.parametrize(
    "location", [f"http://192.0.2.1/{TOKEN}", f"ftp://{TOKEN}", f"http://{TOKEN}.example/", f"ftp://{'x' * 184}{TOKEN}"]
)
async def test_token_that_a_server_echoes_in_a_location_is_not_told(
    signalling: Signalling, serve: Serve, status: int, location: str
) -> None:
    error = await _refusal(signalling, await serve(whep=_answering(status, location)))
    assert error.cause == ("http_location" if status == 201 else "http_redirect")
    assert TOKEN[:8] not in str(error)


async def test_token_that_a_server_echoes_is_cut_out_first(signalling: Signalling, serve: Serve) -> None:
    error = await _refusal(signalling, await serve(whep=_answering(401, body="x" * 190 + TOKEN)))
    assert TOKEN[:8] not in str(error)


# POST


async def test_post_opens_a_session(signalling: Signalling, serve: Serve) -> None:
    seen: list[tuple[str, str, str | None, str]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.content_type, request.headers.get("Authorization"), await request.text()))
        return web.Response(status=201, text=ANSWER, headers={"Location": "/session/1", "ETag": '"e"'})

    url = await serve(whep=handler)
    opened = await signalling.post(url, "offer")
    assert opened == Opened(ANSWER, url.replace("/whep/table", "/session/1"), '"e"')
    assert seen == [("POST", "application/sdp", f"Bearer {TOKEN}", "offer")]


async def test_post_without_a_token_has_no_authorization(http: aiohttp.ClientSession, serve: Serve) -> None:
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(status=201, headers={"Location": "/session/1"})

    assert (await Signalling(http, lambda _host: True).post(await serve(whep=handler), "offer")).etag is None
    assert seen == [None]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/session/1?x=1", "/session/1?x=1"),
        ("session/1", "/whep/session/1"),
        ("//127.0.0.1:1/session", "http://127.0.0.1:1/session"),
        ("https://127.0.0.1/session", "https://127.0.0.1/session"),
    ],
)
async def test_location_is_followed_from_where_it_was_told(
    signalling: Signalling, serve: Serve, location: str, expected: str
) -> None:
    url = await serve(whep=_answering(location=location))
    root = url.removesuffix("/whep/table")
    assert (await signalling.post(url, "offer")).session_url == (expected if "://" in expected else root + expected)


@pytest.mark.parametrize(
    "location",
    [None, "", "http://example.com/session", "ftp://127.0.0.1/session", "http://[::1", "javascript:0"],
)
async def test_location_that_may_not_be_followed(signalling: Signalling, serve: Serve, location: str | None) -> None:
    assert (await _refusal(signalling, await serve(whep=_answering(location=location)))).cause == "http_location"


@pytest.mark.parametrize("status", [200, 201])
async def test_status_that_opens(signalling: Signalling, serve: Serve, status: int) -> None:
    assert (await signalling.post(await serve(whep=_answering(status)), "offer")).answer_text == ANSWER


@pytest.mark.parametrize("status", [204, 301, 302, 400, 401, 404, 409, 429, 500, 503])
async def test_status_that_refuses_is_the_cause(signalling: Signalling, serve: Serve, status: int) -> None:
    assert (await _refusal(signalling, await serve(whep=_answering(status)))).cause == f"http_{status}"


async def test_refusal_says_what_the_server_said_and_no_more(signalling: Signalling, serve: Serve) -> None:
    body = f"Nobody\x1b[31m publishes, {TOKEN}. " + "x" * 1000
    error = await _refusal(signalling, await serve(whep=_answering(404, body=body)))
    assert "404 Nobody [31m publishes, ***." in str(error)
    assert len(str(error)) < 400


# Bodies


async def test_body_at_the_limit(signalling: Signalling, serve: Serve) -> None:
    opened = await signalling.post(await serve(whep=_answering(body="x" * MAX_BODY_BYTES)), "offer")
    assert len(opened.answer_text) == MAX_BODY_BYTES


@pytest.mark.parametrize("body", [b"x" * (MAX_BODY_BYTES + 1), b"\xff\xfe"], ids=["huge", "no UTF-8"])
@pytest.mark.parametrize("status", [201, 500])
async def test_body_that_is_unusable(signalling: Signalling, serve: Serve, body: bytes, status: int) -> None:
    error = await _refusal(signalling, await serve(whep=_answering(status, body=body)))
    assert error.cause == ("http_body" if status == 201 else "http_500")


async def test_body_without_an_end(signalling: Signalling, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201, headers={"Location": "/session/1"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 10_000)
        return response

    assert (await _refusal(signalling, await serve(whep=handler))).cause == "http_body"


async def test_body_that_breaks_off(signalling: Signalling, serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201, headers={"Location": "/session/1", "Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"v=0")
        assert request.transport is not None
        request.transport.abort()
        return response

    assert (await _refusal(signalling, await serve(whep=handler))).cause == "http_error"


@pytest.mark.parametrize("begins", [False, True], ids=["no answer", "half a body"])
async def test_server_that_is_too_slow(serve: Serve, monkeypatch: pytest.MonkeyPatch, begins: bool) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201, headers={"Location": "/session/1"})
        if begins:
            await response.prepare(request)
            await response.write(b"v=0")
        await asyncio.sleep(30)
        return response

    monkeypatch.setattr(http_module, "TIMEOUT_S", 0.1)
    async with http_client() as http:
        assert (await _refusal(Signalling(http, lambda _h: True), await serve(whep=handler))).cause == "http_timeout"


# Servers that are none


@pytest.mark.parametrize(
    "reply", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 201 Created\r\nX: " + b"x" * 100_000, b"HTTP/1.1 abc\r\n\r\n"]
)
async def test_server_that_speaks_no_http(signalling: Signalling, reply: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        assert (await _refusal(signalling, f"http://{host}:{port}/whep/table")).cause == "http_error"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/whep/table", "http://[::1", "nonsense", "http://a..b/", ""])
async def test_server_that_cannot_be_reached(signalling: Signalling, url: str) -> None:
    assert (await _refusal(signalling, url)).cause == "http_error"


# Redirects


@pytest.mark.parametrize("status", [307, 308])
async def test_redirect_keeps_offer_and_token(signalling: Signalling, serve: Serve, status: int) -> None:
    seen: list[tuple[str, str | None, str]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.headers.get("Authorization"), await request.text()))
        return web.Response(status=201, text=ANSWER, headers={"Location": "session/1"})

    url = await serve(whep=_answering(status, "/other/table"), other=handler)
    opened = await signalling.post(url, "offer")
    assert opened.session_url == url.replace("/whep/table", "/other/session/1")
    assert seen == [("POST", f"Bearer {TOKEN}", "offer")]


@pytest.mark.parametrize("location", [None, "http://example.com/whep/table", "mailto:x@example.com"])
async def test_redirect_that_may_not_be_followed(signalling: Signalling, serve: Serve, location: str | None) -> None:
    assert (await _refusal(signalling, await serve(whep=_answering(307, location)))).cause == "http_redirect"


async def test_redirects_without_an_end(signalling: Signalling, serve: Serve) -> None:
    asked = 0

    async def handler(_request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=307, headers={"Location": "/whep/table"})

    assert (await _refusal(signalling, await serve(whep=handler))).cause == "http_redirect"
    assert asked == MAX_REDIRECTS + 1


# PATCH and DELETE


@pytest.mark.parametrize(("etag", "expected"), [('"e"', '"e"'), (None, "*"), ('W/"e"', "*")])
async def test_patch_says_which_session_it_means(
    signalling: Signalling, serve: Serve, etag: str | None, expected: str
) -> None:
    seen: list[tuple[str, str, str | None, str]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.content_type, request.headers.get("If-Match"), await request.text()))
        return web.Response(text="a=ice-ufrag:x", headers={"ETag": '"f"'})

    assert await signalling.patch(await serve(whep=handler), "fragment", etag) == (200, "a=ice-ufrag:x", '"f"')
    assert seen == [("PATCH", "application/trickle-ice-sdpfrag", expected, "fragment")]


@pytest.mark.parametrize("status", [204, 405, 412, 501])
async def test_patch_returns_the_status(signalling: Signalling, serve: Serve, status: int) -> None:
    assert (await signalling.patch(await serve(whep=_answering(status)), "fragment", None))[0] == status


@pytest.mark.parametrize("status", [200, 204, 404, 307])
async def test_delete_returns_the_status(signalling: Signalling, serve: Serve, status: int) -> None:
    assert await signalling.delete(await serve(whep=_answering(status))) == status


async def test_delete_of_a_server_that_is_gone(signalling: Signalling) -> None:
    with pytest.raises(SignallingError) as raised:
        await signalling.delete("http://127.0.0.1:1/session/1")
    assert raised.value.cause == "http_error"


async def test_each_exchange_has_a_connection_of_its_own(signalling: Signalling, serve: Serve) -> None:
    ports: set[int] = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.Response(status=201, headers={"Location": "/session/1"})

    url = await serve(whep=handler)
    for _ in range(3):
        await signalling.post(url, "offer")
    assert len(ports) == 3


@pytest.mark.parametrize(("status", "is_told"), [(503, True), (404, False)])
async def test_refusal_says_where_else(signalling: Signalling, serve: Serve, status: int, is_told: bool) -> None:
    url = await serve(whep=_answering(status, Link='<http://b.example/whep/table>; rel="alternate"'))
    error = await _refusal(signalling, url)
    assert (error.cause, error.alternate) == (f"http_{status}", "http://b.example/whep/table" if is_told else None)
