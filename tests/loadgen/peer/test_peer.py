"""Peers with real servers: railbird (ICE-lite, DTLS server) and stock aiortc (full ICE, DTLS client)."""

import asyncio
import time

import pytest

from loadgen.errors import SignallingError
from loadgen.peer import peer as peer_module
from loadgen.peer.datagrams import Arrival
from loadgen.peer.ice import CONSENT_TIMEOUT_S
from loadgen.peer.peer import MAX_EARLY_ARRIVALS, Peer
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import until
from tests.loadgen.peer.conftest import MakePeer
from tests.loadgen.peer.control import closed_by_server, read, round_trip
from tests.loadgen.stock.process import StockServer


async def _studio(gateway: GatewayProcess, make_peer: MakePeer) -> Peer:
    studio = make_peer(f"{gateway.url}/whip/table")
    await studio.connect()
    return studio


# railbird


async def test_studio_and_player_connect(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    studio = await _studio(gateway, make_peer)
    player = make_peer(f"{gateway.url}/whep/table")
    await player.connect()
    assert (player.answer.is_lite, player.answer.setup) == (True, "passive")
    assert player.socket.getpeername() == ("127.0.0.1", gateway.udp_port)
    assert player.srtp.profile == studio.srtp.profile
    assert all(0 < rtt_s < 1 for rtt_s in player.take_rtts_s())
    assert 0 < await round_trip(player) < 1
    assert (player.failed_sends, player.malformed, player.dropped_early) == (0, 0, 0)
    assert not player.is_closed_by_server


async def test_player_whose_target_has_a_name_of_the_other_family(
    gateway: GatewayProcess, make_peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def towards_ipv6(_host: str) -> str:
        return "::1"

    monkeypatch.setattr(peer_module, "local_host_towards", towards_ipv6)
    studio = make_peer(f"{gateway.url}/whip/table")
    try:
        await studio.connect()
    except SignallingError as error:
        if error.cause == "socket":
            pytest.skip("no IPv6")
        raise
    assert studio.socket.getpeername() == ("127.0.0.1", gateway.udp_port)
    assert await studio.restart_ice()


async def test_goodbye_ends_the_session_at_once(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    studio = await _studio(gateway, make_peer)
    assert await studio.goodbye()
    assert await gateway.sessions() == []
    assert studio.socket.fileno() < 0
    assert not studio.is_closed_by_server
    assert not await studio.goodbye(), "a second goodbye has nothing to delete"


async def test_vanished_peer_says_nothing(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    studio = await _studio(gateway, make_peer)
    studio.vanish()
    studio.send(b"\x80 media")
    studio.check(0.0)
    studio.on_control(b"\x16 handshake", 0.0)
    assert studio.failed_sends == 0
    await asyncio.sleep(0.1)
    assert len(await gateway.sessions()) == 1
    assert await studio.goodbye(), "who vanished can still delete its session"
    assert await gateway.sessions() == []


async def test_close_notify_of_the_server_is_seen(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    studio = await _studio(gateway, make_peer)
    gateway.terminate()
    await closed_by_server(studio)


async def test_server_that_is_silent_for_long_has_ended_the_session(
    gateway: GatewayProcess, make_peer: MakePeer
) -> None:
    studio = await _studio(gateway, make_peer)
    studio.check(time.time() + CONSENT_TIMEOUT_S - 1)
    assert not studio.is_closed_by_server
    studio.check(time.time() + CONSENT_TIMEOUT_S + 1)
    assert studio.is_closed_by_server


async def test_session_deleted_by_another_is_seen(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    studio = await _studio(gateway, make_peer)
    other = await _studio(gateway, make_peer)  # takes the stream over
    await closed_by_server(studio)
    assert not other.is_closed_by_server
    assert not await studio.goodbye(), "its session is gone"


async def test_media_before_the_owner_takes_over_is_bounded(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    studio = await _studio(gateway, make_peer)
    studio.take_over()
    for _ in range(MAX_EARLY_ARRIVALS + 3):
        studio._on_arrival(Arrival(b"\x80 media", 7, 0, ("", 0)))
    assert (len(studio.take_over()), studio.dropped_early) == (MAX_EARLY_ARRIVALS, 3)


# Stock aiortc


async def test_player_of_a_full_agent_that_begins_the_handshake(make_peer: MakePeer) -> None:
    async with StockServer("--own-picture") as server:
        player = make_peer(server.whep("table"))
        await player.connect()
        assert (player.answer.is_lite, player.answer.setup) == (False, "active")
        assert all(arrival.run[0] >= 128 for arrival in player.take_over())
        await until(lambda: read(player) > 0)
        assert 0 < await round_trip(player) < 1
        assert not await player.restart_ice()
        assert player.restart_failure == "http_405"
        assert 0 < await round_trip(player) < 1
        assert await player.goodbye()


async def test_studio_of_a_full_agent_sees_it_leave(make_peer: MakePeer) -> None:
    async with StockServer() as server:
        studio = make_peer(server.whip("table"))
        await studio.connect()
        assert 0 < await round_trip(studio) < 1
    await closed_by_server(studio)
