"""One node, asked for over TLS."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from gateway.cordon import api
from gateway.cordon.api import MAX_NODE_BYTES, ApiError, ApiServer
from tests.cordon.api_server import NAME, ApiServerStub, Reply, node, refuse, write_certificate


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield session


async def _refusal(server: ApiServerStub, client: aiohttp.ClientSession) -> str:
    with pytest.raises(ApiError) as refused:
        await ApiServer(server.url, server.credentials).node(client, NAME)
    return str(refused.value)


async def test_node_is_asked_for_by_its_name_and_with_the_token(
    server: ApiServerStub, client: aiohttp.ClientSession
) -> None:
    data = await ApiServer(f"{server.url}/", server.credentials).node(client, NAME)
    assert json.loads(data) == node()
    assert server.asked == [(f"/api/v1/nodes/{NAME}", "Bearer first")]


async def test_name_does_not_lead_elsewhere(server: ApiServerStub, client: aiohttp.ClientSession) -> None:
    await ApiServer(server.url, server.credentials).node(client, "../secrets?x")
    assert server.asked[0][0] == "/api/v1/nodes/..%2Fsecrets%3Fx"


async def test_token_is_read_again_as_it_is_renewed(server: ApiServerStub, client: aiohttp.ClientSession) -> None:
    asked = ApiServer(server.url, server.credentials)
    await asked.node(client, NAME)
    server.renew("second", is_told=False)
    with pytest.raises(ApiError, match="it answered with status 401"):
        await asked.node(client, NAME)
    server.renew("second")
    await asked.node(client, NAME)
    assert [shown for _, shown in server.asked] == ["Bearer first", "Bearer first", "Bearer second"]


async def test_authority_is_read_again_as_it_is_renewed(
    server: ApiServerStub, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    asked, ca = ApiServer(server.url, server.credentials), server.credentials / "ca.crt"
    right = ca.read_bytes()
    write_certificate(tmp_path, ca)
    with pytest.raises(ApiError, match="it cannot be asked: ClientConnectorCertificateError"):
        await asked.node(client, NAME)
    assert server.asked == [], "nobody may see the token whose certificate is not signed by our authority"
    ca.write_bytes(right)
    await asked.node(client, NAME)


async def test_node_is_asked_for_over_one_connection(server: ApiServerStub, client: aiohttp.ClientSession) -> None:
    connections = set()

    async def reply(request: web.Request) -> web.StreamResponse:
        connections.add(request.transport)
        return web.json_response(node())

    server.reply = reply
    asked = ApiServer(server.url, server.credentials)
    for _ in range(3):
        await asked.node(client, NAME)
    assert len(connections) == 1


@pytest.mark.parametrize("status", [201, 403, 404, 429, 500, 503])
async def test_status_other_than_200_is_no_answer(
    server: ApiServerStub, client: aiohttp.ClientSession, status: int
) -> None:
    server.reply = refuse(status)
    assert await _refusal(server, client) == f"it answered with status {status}"


async def test_redirection_is_not_followed(server: ApiServerStub, client: aiohttp.ClientSession) -> None:
    server.reply = refuse(307, Location=f"{server.url}/elsewhere")
    assert await _refusal(server, client) == "it answered with status 307"
    assert len(server.asked) == 1


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    chunk = b" " * (1 << 20)
    for _ in range(MAX_NODE_BYTES // len(chunk) + 2):
        await response.write(chunk)
    await response.write_eof()
    return response


async def _cut_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.close()
    return response


async def _silent(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def _dripping(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(300):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response


BROKEN: dict[str, tuple[Reply, str]] = {
    "endless": (_endless, f"its answer is longer than {MAX_NODE_BYTES} bytes"),
    "cut off": (_cut_off, "it cannot be asked: ClientPayloadError"),
}


@pytest.mark.parametrize(("reply", "why"), BROKEN.values(), ids=BROKEN)
async def test_answer_that_is_broken_is_refused(
    server: ApiServerStub, client: aiohttp.ClientSession, reply: Reply, why: str
) -> None:
    server.reply = reply
    assert await _refusal(server, client) == why


@pytest.mark.parametrize("reply", [_silent, _dripping])
async def test_answer_that_takes_too_long_is_given_up(
    server: ApiServerStub, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr(api, "TIMEOUT_S", 0.3)
    server.reply = reply
    assert (await _refusal(server, client)).startswith("it did not answer within")


async def test_server_that_is_down_is_told_the_same_way_each_time(
    server: ApiServerStub, client: aiohttp.ClientSession
) -> None:
    server.url = "https://127.0.0.1:1"
    assert {await _refusal(server, client) for _ in range(3)} == {"it cannot be asked: ClientConnectorError"}


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no token": (lambda at: (at / "token").unlink(), "token cannot be read: No such file or directory"),
    "empty token": (lambda at: (at / "token").write_text("\n"), "the token is none"),
    "two lines": (lambda at: (at / "token").write_text("a\r\nHost: b"), "the token is none"),
    "not ASCII": (lambda at: (at / "token").write_text("Ж"), "the token is none"),
    "no authority": (lambda at: (at / "ca.crt").unlink(), "ca.crt cannot be read: No such file or directory"),
    "empty authority": (lambda at: (at / "ca.crt").write_text(""), "ca.crt holds no certificates"),
    "no certificates": (lambda at: (at / "ca.crt").write_text("hello"), "ca.crt holds no certificates"),
}


@pytest.mark.parametrize(("damage", "why"), DAMAGE.values(), ids=DAMAGE)
async def test_credentials_that_are_damaged_are_told(
    server: ApiServerStub, client: aiohttp.ClientSession, damage: Callable[[Path], object], why: str
) -> None:
    damage(server.credentials)
    assert await _refusal(server, client) == why
    assert server.asked == []
