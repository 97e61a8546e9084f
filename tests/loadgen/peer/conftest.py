"""Servers of every kind for peers: the gateway, stock aiortc, and one whose answers a test writes."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.transport.certificate import Certificate
from loadgen.peer.peer import Peer
from loadgen.signalling.http import Signalling, http_client
from loadgen.signalling.offer import player_offer, studio_offer
from tests.e2e.gateway_process import GatewayProcess

MakePeer = Callable[[str], Peer]
Script = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Script], Awaitable[str]]


@pytest.fixture
async def cleanup() -> AsyncIterator[contextlib.AsyncExitStack]:
    """What a test starts goes in here: it ends in reverse order."""
    async with contextlib.AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def gateway(tmp_path: Path, cleanup: contextlib.AsyncExitStack) -> GatewayProcess:
    """railbird, as an operator runs it."""
    process = GatewayProcess(tmp_path / "gateway.log", "127.0.0.1:0", "127.0.0.1:0", {})
    cleanup.push_async_callback(process.stop)
    return await process.start()


@pytest.fixture
async def make_peer(cleanup: contextlib.AsyncExitStack) -> MakePeer:
    """A peer of a URL, a studio where that says `/whip/`; closed after the test."""
    http = await cleanup.enter_async_context(http_client())
    signalling = Signalling(http, lambda host: host == "127.0.0.1")
    certificate = Certificate.generateCertificate()

    def make(url: str) -> Peer:
        offer = studio_offer if "/whip/" in url else player_offer
        peer = Peer(certificate, signalling, url, offer, lambda _host: True)
        cleanup.callback(peer.vanish)
        return peer

    return make


@pytest.fixture
def serve(cleanup: contextlib.AsyncExitStack) -> Serve:
    """Serves a script for every request; returns the URL of a WHEP endpoint."""

    async def start(script: Script) -> str:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", script)
        server = await cleanup.enter_async_context(TestServer(application))
        return str(server.make_url("/whep/table"))

    return start
