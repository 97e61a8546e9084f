"""ICE restarts: with railbird, and with servers that cannot or answer nonsense."""

import asyncio
import re
from collections.abc import Callable

import pytest

from loadgen.peer import path as path_module
from loadgen.peer import peer as peer_module
from loadgen.peer.datagrams import Arrival
from loadgen.peer.path import IcePath
from loadgen.peer.peer import Peer
from loadgen.peer.restart import Restarted, SessionToRestart, restarted_path
from loadgen.signalling.http import Signalling
from tests.e2e.gateway_process import GatewayProcess
from tests.loadgen.peer.answers import Relay
from tests.loadgen.peer.conftest import MakePeer, Serve
from tests.loadgen.peer.control import round_trip


async def _studio(gateway: GatewayProcess, make_peer: MakePeer) -> Peer:
    studio = make_peer(f"{gateway.url}/whip/table")
    await studio.connect()
    return studio


async def test_ice_restart_moves_to_another_socket(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    studio = await _studio(gateway, make_peer)
    before, port = studio.socket, studio.socket.getsockname()[1]
    for _ in range(2):  # the second needs the new ETag
        assert await studio.restart_ice()
        assert studio.restart_failure is None
    assert before.fileno() < 0
    assert studio.socket.getsockname()[1] != port
    assert 0 < await round_trip(studio) < 1
    assert await studio.goodbye()


async def test_what_the_old_socket_still_holds_is_kept_over_a_restart(
    gateway: GatewayProcess, make_peer: MakePeer
) -> None:
    studio = await _studio(gateway, make_peer)
    studio.check(0.0)  # its answer stays in the old socket
    assert await studio.restart_ice()
    assert len(studio.take_rtts_s()) == 3


async def test_media_of_both_sockets_is_kept_in_order(
    gateway: GatewayProcess, make_peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = await _studio(gateway, make_peer)
    runs = [b"\x80 in the old socket", b"\x80 in the new one"]
    in_old, in_new = (Arrival(run, len(run), 0, studio.socket.getpeername()) for run in runs)

    async def restarted_with_media(
        old: IcePath, session: SessionToRestart, signalling: Signalling, on_other: Callable[[Arrival], None]
    ) -> Restarted:
        monkeypatch.setattr(old, "read_all", lambda: on_other(in_old))
        restarted = await restarted_path(old, session, signalling, on_other)
        on_other(in_new)
        return restarted

    monkeypatch.setattr(peer_module, "restarted_path", restarted_with_media)
    assert await studio.restart_ice()
    assert [arrival.run for arrival in studio.take_over() if arrival.run in runs] == runs
    assert studio.take_over() == []


async def test_restart_of_a_session_that_is_gone_fails(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    studio = await _studio(gateway, make_peer)
    before = studio.socket
    await _studio(gateway, make_peer)
    assert not await studio.restart_ice()
    assert studio.restart_failure == "http_404"
    assert studio.socket is before


@pytest.mark.parametrize(
    ("relay", "cause"),
    [
        (Relay("", patch_status=204), "http_204"),
        (Relay("", patch_status=501), "http_501"),
        (Relay("", edit_fragment=lambda _text: ""), "answer"),
        (Relay("", edit_fragment=lambda _text: "no SDP"), "answer"),
        (Relay("", edit_fragment=lambda text: re.sub("a=ice-pwd:.*", "a=ice-pwd:short", text)), "answer"),
        (Relay("", edit_fragment=lambda text: re.sub("a=ice-pwd:.*", f"a=ice-pwd:{'x' * 24}", text)), "ice_timeout"),
        (Relay("", edit_fragment=lambda text: "x" * 100_000), "http_body"),
    ],
    ids=["204", "501", "empty", "no SDP", "short password", "wrong password", "huge"],
)
async def test_restart_that_fails_leaves_the_session_as_it_was(
    gateway: GatewayProcess,
    make_peer: MakePeer,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    relay: Relay,
    cause: str,
) -> None:
    relay.endpoint = f"{gateway.url}/whip/table"
    peer = make_peer((await serve(relay.handle)).replace("whep", "whip"))
    await peer.connect()
    before = peer.socket
    monkeypatch.setattr(path_module, "ICE_TIMEOUT_S", 0.2)
    assert not await peer.restart_ice()
    assert (peer.restart_failure, peer.socket) == (cause, before)
    assert 0 < await round_trip(peer) < 1
    assert await peer.goodbye()


async def test_restart_without_new_candidates_takes_those_known(
    gateway: GatewayProcess, make_peer: MakePeer, serve: Serve
) -> None:
    endpoint = f"{gateway.url}/whip/table"
    relay = Relay(endpoint, edit_fragment=lambda text: re.sub("a=candidate:.*\r\n", "", text))
    peer = make_peer((await serve(relay.handle)).replace("whep", "whip"))
    await peer.connect()
    assert await peer.restart_ice()
    assert 0 < await round_trip(peer) < 1


async def test_restart_of_a_peer_that_leaves_meanwhile(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    peer = make_peer(f"{gateway.url}/whip/table")
    await peer.connect()
    restarting = asyncio.create_task(peer.restart_ice())
    await asyncio.sleep(0)
    peer.vanish()
    assert not await restarting
    assert peer.restart_failure == "closed"
    assert peer.socket.fileno() < 0
