"""A real gateway behind the front: players as they behave, and what they cost it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest

from gateway.demo.__main__ import TOKEN_VARIABLE
from gateway.signals.messages import PROTOCOL
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.hls_reader import HlsReader
from tests.e2e.studio_av import AvStudio
from tests.e2e.studio_demo import DemoStudio
from tests.front.conftest import StartFront
from tests.front.nginx_process import NginxProcess

pytestmark = pytest.mark.nginx

PLAYERS = 40
PLAY_S = 5.0
TOKEN = "let-me-in"
BEHIND_THE_FRONT = {"TRUSTED_PROXIES": '["127.0.0.1"]', "AUTH__OPEN_TO_NETWORK": "true"}
"""The front tells whom it asks for, and these tests are about caching: no door but one asks for a token."""


class Tally:
    """What nginx said of each URL: X-Cache, or - for what it does not cache."""

    def __init__(self) -> None:
        self.by_url: dict[str, Counter[str]] = {}
        self.trace = aiohttp.TraceConfig()
        self.trace.on_request_end.append(self._note)

    async def _note(
        self, session: aiohttp.ClientSession, context: SimpleNamespace, ended: aiohttp.TraceRequestEndParams
    ) -> None:
        said = self.by_url.setdefault(ended.url.raw_path_qs, Counter())
        said[ended.response.headers.get("X-Cache", "-")] += 1

    def upstream(self) -> int:
        """Requests that came to the gateway."""
        return sum(said.total() - said["HIT"] for said in self.by_url.values())


async def _on_air(
    tmp_path: Path, cleanup: contextlib.AsyncExitStack, **settings: str
) -> tuple[GatewayProcess, AvStudio]:
    """A gateway with a studio that publishes `t`."""
    gateway = GatewayProcess(tmp_path / "gateway.log", "127.0.0.1:0", "127.0.0.1:0", BEHIND_THE_FRONT | settings)
    cleanup.push_async_callback(gateway.stop)
    studio = AvStudio(await gateway.start(), "t")
    cleanup.push_async_callback(studio.stop)
    await studio.start()
    await gateway.live("t")
    return gateway, studio


def _port(gateway: GatewayProcess) -> int:
    return int(gateway.url.rpartition(":")[2])


def _client(front: NginxProcess, tally: Tally) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(ssl=front.tls(), limit=0)
    return aiohttp.ClientSession(front.url, connector=connector, trace_configs=[tally.trace])


async def test_players_cost_one_request_a_url(
    tmp_path: Path, start_front: StartFront, cleanup: contextlib.AsyncExitStack
) -> None:
    gateway, _studio = await _on_air(tmp_path, cleanup)
    front, tally = await start_front(workers=2, gateway_port=_port(gateway)), Tally()
    async with _client(front, tally) as client:
        readers = await asyncio.gather(*(HlsReader.open(client, "t") for _ in range(PLAYERS)))
        await asyncio.sleep(PLAY_S)
        await asyncio.gather(*(reader.stop() for reader in readers))
    shared = {url: said for url, said in tally.by_url.items() if "_HLS_msn=" in url or url.endswith((".m4s", ".mp4"))}
    assert len(shared) > PLAY_S / 0.2
    assert {url: said["MISS"] for url, said in shared.items() if said["MISS"] != 1} == {}
    assert max(said["HIT"] for said in shared.values()) == PLAYERS - 1
    assert (await gateway.metrics()).value("railbird_hls_requests_total") == tally.upstream()
    assert all(reader.video.segments and reader.audio.segments for reader in readers)
    payloads = {(segment.msn, segment.payload) for reader in readers for segment in reader.video.segments}
    assert len(payloads) == len({msn for msn, _payload in payloads})


async def test_watch_token_is_asked_for_by_the_index_alone(
    tmp_path: Path, start_front: StartFront, cleanup: contextlib.AsyncExitStack
) -> None:
    gateway, _studio = await _on_air(tmp_path, cleanup, TOKENS__WATCH=TOKEN)
    front, tally = await start_front(gateway_port=_port(gateway)), Tally()
    async with _client(front, tally) as client:
        for token, status in ((TOKEN, 200), ("guess", 401), (TOKEN, 200)):
            async with client.get("/hls/t/index.m3u8", headers={"Authorization": f"Bearer {token}"}) as response:
                assert response.status == status
                below = response.headers.get("Content-Location", "")
        async with client.get(below) as response:
            assert response.status == 200
    assert tally.by_url["/hls/t/index.m3u8"] == {"-": 3}


async def test_round_is_played_by_the_studios_token(
    tmp_path: Path, start_front: StartFront, cleanup: contextlib.AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    settings = BEHIND_THE_FRONT | {"TOKENS__PUBLISH": TOKEN, "TOKENS__CONTROL": "operator"}
    gateway = GatewayProcess(tmp_path / "gateway.log", "127.0.0.1:0", "127.0.0.1:0", settings)
    cleanup.push_async_callback(gateway.stop)
    studio = DemoStudio(await gateway.start())
    cleanup.push_async_callback(studio.stop)
    await studio.start()
    await gateway.live("demo")
    front, path = await start_front(gateway_port=_port(gateway)), "/api/v1/streams/demo/rounds"
    async with _client(front, Tally()) as client:
        for token, status in (("guess", 401), (TOKEN, 201), (TOKEN, 200)):
            bearer = {"Authorization": f"Bearer {token}"}
            said = {"state": "betting_open", "roundId": "coup-1", "closesInMs": 60000}
            async with client.post(path, json=said, headers=bearer) as response:
                assert response.status == status
        async with client.get(path, headers=bearer) as response:
            assert [each["state"] for each in (await response.json())["rounds"]] == ["betting_open"]
        async with client.get(path) as response:
            assert response.status == 401
        origin = {"Origin": "https://back-office.example", "Access-Control-Request-Method": "POST"}
        async with client.options(path, headers=origin) as response:
            assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (204, "*")


async def test_pages_of_the_front_itself_have_signals_whatever_its_port(
    tmp_path: Path, start_front: StartFront, cleanup: contextlib.AsyncExitStack
) -> None:
    settings = BEHIND_THE_FRONT | {"ALLOWED_ORIGINS": '["https://tables.example"]'}
    gateway = GatewayProcess(tmp_path / "gateway.log", "127.0.0.1:0", "127.0.0.1:0", settings)
    cleanup.push_async_callback(gateway.stop)
    await gateway.start()
    front = await start_front(gateway_port=_port(gateway))
    async with _client(front, Tally()) as client:
        for origin in ("https://tables.example", front.url):
            async with client.ws_connect("/signals/t", protocols=(PROTOCOL,), origin=origin) as socket:
                assert socket.protocol == PROTOCOL
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await client.ws_connect("/signals/t", protocols=(PROTOCOL,), origin="https://other.example")


async def test_generation_of_a_gateway_that_was_restarted_is_gone(
    tmp_path: Path, start_front: StartFront, cleanup: contextlib.AsyncExitStack
) -> None:
    gateway, studio = await _on_air(tmp_path, cleanup)
    front, tally = await start_front(gateway_port=_port(gateway)), Tally()
    async with _client(front, tally) as client:
        before = await _generation_playlist(client)
        await studio.stop()
        await gateway.stop()
        again = gateway.restarted(tmp_path / "again.log")
        cleanup.push_async_callback(again.stop)
        second = AvStudio(await again.start(), "t")
        cleanup.push_async_callback(second.stop)
        await second.start()
        await again.live("t")
        assert await _generation_playlist(client) != before
        async with client.get(f"{before}?_HLS_msn=1") as response:
            assert response.status == 404


async def _generation_playlist(client: aiohttp.ClientSession) -> str:
    """The address of the video playlist."""
    async with client.get("/hls/t/index.m3u8") as response:
        assert response.status == 200
        return response.headers["Content-Location"].replace("index", "video")
