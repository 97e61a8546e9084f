"""What is not cached: signalling, pages, the playlist that asks for a token; and what is not for the world."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.front.nginx_process import NginxProcess
from tests.front.stub_origin import TOKEN, StubOrigin

pytestmark = pytest.mark.nginx

OPERATIONS = (
    *("/metrics", "/livez", "/readyz", "/metrics/", "//metrics", "/%6detrics", "/./metrics?x=1"),
    *("/hls/../metrics", "/hls/%2e%2e/metrics", "/hls/..%2Fmetrics"),
    *("/api/", "/api/v1/sessions", "/api/v1/sessions/1", "/api/v1/streams/../sessions"),
    *(
        "/api/v1/drain",
        "/api/v1/streams/t/rounds/",
        "/api/v1/streams/t/rounds/1",
        "/api/v1/streams/t/rounds/../../../drain",
    ),
    *("/ops", "/ops/", "//ops", "/watch/..%2Fops"),
)


async def test_playlist_behind_a_token_is_not_shared(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    path = "/hls/t/index.m3u8"
    for given, status in ((TOKEN, 200), ("", 401), ("Bearer guess", 401), (TOKEN, 200)):
        async with client.get(path, headers={"Authorization": given}) as response:
            assert response.status == status
            assert "X-Cache" not in response.headers
        assert origin.headers[path].get("Authorization", "") == given
    assert origin.asked[path] == 4


async def test_token_is_never_logged(client: aiohttp.ClientSession, front: NginxProcess, origin: StubOrigin) -> None:
    await origin.stop()
    async with client.get("/hls/t/index.m3u8", headers={"Authorization": "Bearer s3cret"}) as response:
        assert response.status == 502
    assert "GET /hls/t/index.m3u8" in front.log()
    assert "s3cret" not in front.log()


@pytest.mark.parametrize("path", OPERATIONS)
async def test_operations_are_not_reachable(path: str, front: NginxProcess, origin: StubOrigin) -> None:
    for method in ("GET", "DELETE"):
        assert await _raw_status(front, method, path) == 404
    assert not origin.asked


async def test_probe_that_names_no_host_is_answered(front: NginxProcess) -> None:
    assert await _raw_status(front, "GET", "/", "HTTP/1.0\r\n") == 200


async def _raw_status(
    front: NginxProcess, method: str, target: str, rest: str = "HTTP/1.1\r\nHost: front\r\nConnection: close\r\n"
) -> int:
    """The status for a request line that no client library has tidied up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port, ssl=front.tls())
    writer.write(f"{method} {target} {rest}\r\n".encode())
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


async def test_streams_may_be_listed_and_nothing_else(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    for path in ("/api/v1/streams", "/api/v1/streams/table-1"):
        async with client.get(path) as response:
            assert await response.text() == f"GET {path} 0"
        async with client.delete(path) as response:
            assert response.status == 403
        assert origin.asked[path] == 1


async def test_rounds_are_said_and_read_and_nothing_else(client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    path = "/api/v1/streams/table-1/rounds"
    for method, body in (("GET", b""), ("POST", b'{"state": "settled"}'), ("OPTIONS", b"")):
        async with client.request(method, path, data=body, headers={"Authorization": TOKEN}) as response:
            assert await response.text() == f"{method} {path} {len(body)}"
        assert origin.headers[path]["Authorization"] == TOKEN
    for method in ("PUT", "PATCH", "DELETE"):
        async with client.request(method, path, headers={"Authorization": TOKEN}) as response:
            assert response.status == 403
    assert origin.asked[path] == 3


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "OPTIONS"])
async def test_signalling_passes(method: str, client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    theirs = {"Authorization": TOKEN, "If-Match": '"x"', "X-Forwarded-For": "203.0.113.9"}
    async with client.request(method, "/whep/t?a=1", data=b"v=0\r\n", headers=theirs) as response:
        assert await response.text() == f"{method} /whep/t?a=1 5"
        assert "X-Cache" not in response.headers
    given = origin.headers["/whep/t?a=1"]
    assert (given["Authorization"], given["If-Match"]) == (TOKEN, '"x"')
    assert (given["X-Forwarded-For"], given["X-Forwarded-Proto"]) == ("127.0.0.1", "https")


@pytest.mark.parametrize(("size_bytes", "status"), [(64 * 1024, 200), (64 * 1024 + 1, 413)])
async def test_body_is_bounded(size_bytes: int, status: int, client: aiohttp.ClientSession, origin: StubOrigin) -> None:
    async with client.post("/whip/t", data=bytes(size_bytes)) as response:
        assert response.status == status
    assert origin.asked["/whip/t"] == (status == 200)


async def test_signals_are_websockets(client: aiohttp.ClientSession) -> None:
    async with client.ws_connect("/signals/t") as socket:
        await socket.send_str("no more bets")
        assert await socket.receive_str(timeout=5.0) == "no more bets"
