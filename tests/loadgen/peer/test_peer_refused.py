"""Sessions that do not come about: each has its cause, and leaves nothing open here or at the server."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator

import pytest

from loadgen.errors import SignallingError
from loadgen.peer import path as path_module
from loadgen.peer import peer as peer_module
from loadgen.peer.peer import Peer
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import until
from tests.loadgen.peer.answers import HOST, Relay, Scripted, answer_to
from tests.loadgen.peer.conftest import MakePeer, Serve


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """A UDP port where nobody answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        yield int(silent.getsockname()[1])


async def _cause(peer: Peer) -> str:
    with pytest.raises(SignallingError) as raised:
        await peer.connect()
    assert peer.socket.fileno() < 0
    assert not peer.is_closed_by_server
    return raised.value.cause


# Joining


async def test_player_of_a_stream_that_nobody_publishes(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    assert await _cause(make_peer(f"{gateway.url}/whep/nothing")) == "http_409"


async def test_host_that_does_not_exist(make_peer: MakePeer) -> None:
    peer = make_peer("http://no-such-host.invalid/whep/table")
    with pytest.raises(SignallingError) as raised:
        await peer.connect()
    assert raised.value.cause == "route"


@pytest.mark.parametrize("text", ["", "<html>", "v=0\r\n"], ids=["empty", "HTML", "no media"])
async def test_answer_that_is_unusable_is_deleted(make_peer: MakePeer, serve: Serve, text: str) -> None:
    script = Scripted(lambda _offer: text)
    assert await _cause(make_peer(await serve(script.handle))) == "answer"
    assert script.requests == ["POST", "DELETE"]


@pytest.mark.parametrize("hosts", [[], ["name.local"]], ids=["none", "mDNS"])
async def test_answer_without_a_usable_candidate(make_peer: MakePeer, serve: Serve, hosts: list[str]) -> None:
    script = Scripted(lambda offer: answer_to(offer, hosts))
    assert await _cause(make_peer(await serve(script.handle))) == "answer"
    assert script.requests == ["POST", "DELETE"]


async def test_server_that_answers_no_check(
    make_peer: MakePeer, serve: Serve, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path_module, "ICE_TIMEOUT_S", 0.1)
    script = Scripted(lambda offer: answer_to(offer, port=silent_port))
    assert await _cause(make_peer(await serve(script.handle))) == "ice_timeout"
    assert script.requests == ["POST", "DELETE"]


async def test_cancelled_join_leaves_nothing_open(make_peer: MakePeer, serve: Serve, silent_port: int) -> None:
    script = Scripted(lambda offer: answer_to(offer, port=silent_port))
    peer = make_peer(await serve(script.handle))
    joining = asyncio.create_task(peer.connect())
    await until(lambda: peer._session_url is not None)
    joining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joining
    assert peer.socket.fileno() < 0
    assert await peer.goodbye(), "the session can still be deleted"
    assert script.requests == ["POST", "DELETE"]


async def test_certificate_of_somebody_else(gateway: GatewayProcess, make_peer: MakePeer, serve: Serve) -> None:
    relay = Relay(f"{gateway.url}/whip/table", lambda text: re.sub("(sha-256) ..:..", r"\1 00:00", text))
    assert await _cause(make_peer((await serve(relay.handle)).replace("whep", "whip"))) == "dtls_failed"
    assert await gateway.sessions() == []


async def test_handshake_that_nobody_begins(
    gateway: GatewayProcess, make_peer: MakePeer, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_module, "HANDSHAKE_TIMEOUT_S", 0.1)
    relay = Relay(f"{gateway.url}/whip/table", lambda text: text.replace("setup:passive", "setup:active"))
    assert await _cause(make_peer((await serve(relay.handle)).replace("whep", "whip"))) == "dtls_failed"
    assert await gateway.sessions() == []
