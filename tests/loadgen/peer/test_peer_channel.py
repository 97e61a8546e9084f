"""The data channel of a peer, with the real gateway."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.transport.certificate import Certificate
from loadgen.errors import SignallingError
from loadgen.peer.datagrams import receive
from loadgen.peer.peer import Peer
from loadgen.signalling.http import Signalling, http_client
from loadgen.signalling.offer import player_offer, player_offer_with_signals
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import until
from tests.loadgen.peer.conftest import MakePeer


class Notes:
    """What a channel brought."""

    def __init__(self) -> None:
        self.is_open = False
        self.told: list[tuple[dict[str, Any], float]] = []
        self.is_closed = False

    def on_open(self) -> None:
        self.is_open = True

    def on_text(self, text: str, arrival_s: float) -> None:
        self.told.append((json.loads(text), arrival_s))

    def on_closed(self) -> None:
        self.is_closed = True

    def types(self) -> list[str]:
        return [message["type"] for message, _arrival_s in self.told]


async def _player(gateway: GatewayProcess, stack: contextlib.AsyncExitStack, offer: Any) -> Peer:
    http = await stack.enter_async_context(http_client())
    signalling = Signalling(http, lambda host: host == "127.0.0.1")
    certificate = Certificate.generateCertificate()
    peer = Peer(certificate, signalling, f"{gateway.url}/whep/table", offer, lambda _host: True)
    stack.callback(peer.vanish)
    await peer.connect()
    return peer


@contextlib.asynccontextmanager
async def _reading(peer: Peer) -> AsyncIterator[None]:
    """Its owner's part: what is control is handed to it, until the end of the block."""
    loop, socket = asyncio.get_running_loop(), peer.socket

    def read() -> None:
        while (arrival := receive(socket)) is not None:
            for datagram in arrival.datagrams():
                if datagram[0] < 128:
                    peer.on_control(datagram, arrival.arrival_ns / 1e9)

    loop.add_reader(socket.fileno(), read)
    try:
        yield
    finally:
        loop.remove_reader(socket.fileno())


async def test_channel_is_opened_and_carries_both_ways(
    gateway: GatewayProcess, make_peer: MakePeer, cleanup: contextlib.AsyncExitStack
) -> None:
    await make_peer(f"{gateway.url}/whip/table").connect()
    player, notes = await _player(gateway, cleanup, player_offer_with_signals), Notes()
    async with _reading(player):
        channel = player.open_channel(notes, notes.on_open)
        await until(lambda: "welcome" in notes.types())
        assert notes.is_open
        sent_s = time.time()
        assert channel.send('{"type":"bet","betId":"b1","roundId":"none"}')
        await until(lambda: "ack" in notes.types())
        ack, arrival_s = next((each, at_s) for each, at_s in notes.told if each["type"] == "ack")
        assert (ack["betId"], ack["state"]) == ("b1", "unknown_round")
        assert 0 < arrival_s - sent_s < 5
        channel.close()
        assert not channel.send("late")
    assert (player.malformed, notes.is_closed) == (0, False)


async def test_channel_ends_with_the_session(
    gateway: GatewayProcess, make_peer: MakePeer, cleanup: contextlib.AsyncExitStack
) -> None:
    await make_peer(f"{gateway.url}/whip/table").connect()
    player, notes = await _player(gateway, cleanup, player_offer_with_signals), Notes()
    async with _reading(player):
        player.open_channel(notes, notes.on_open)
        await until(lambda: notes.is_open)
    player.close()
    assert notes.is_closed


async def test_channel_that_was_not_offered_cannot_be_opened(
    gateway: GatewayProcess, make_peer: MakePeer, cleanup: contextlib.AsyncExitStack
) -> None:
    await make_peer(f"{gateway.url}/whip/table").connect()
    player, notes = await _player(gateway, cleanup, player_offer), Notes()
    with pytest.raises(SignallingError) as caught:
        player.open_channel(notes, notes.on_open)
    assert caught.value.cause == "no_channel"
