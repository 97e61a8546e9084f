"""Peers that leave while they are on their way in or out already."""

import asyncio

import pytest
from aiohttp import web

from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import until
from tests.loadgen.peer.conftest import MakePeer, Serve


class _Server:
    """Opens sessions whose answer nobody can use, and deletes them: each only once it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.requests: list[str] = []

    async def script(self, request: web.Request) -> web.StreamResponse:
        """See `conftest.serve`."""
        self.requests.append(f"{request.method} {request.path}")
        await request.read()
        await self.may_answer.wait()
        if request.method == "POST":
            return web.Response(status=201, text="v=0", content_type="application/sdp", headers={"Location": "/s/1"})
        return web.Response(status=200)


async def _cancelled(task: asyncio.Task[object]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_session_of_a_cancelled_post_is_deleted(make_peer: MakePeer, serve: Serve) -> None:
    server = _Server()
    peer = make_peer(await serve(server.script))
    connecting: asyncio.Task[object] = asyncio.create_task(peer.connect())
    await until(lambda: len(server.requests) == 1)
    await _cancelled(connecting)
    goodbye = asyncio.create_task(peer.goodbye())
    server.may_answer.set()
    assert await goodbye
    assert server.requests == ["POST /whep/table", "DELETE /s/1"]
    assert not await peer.goodbye()


async def test_cancelled_post_that_is_refused_leaves_nothing_to_delete(make_peer: MakePeer, serve: Serve) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def refuse(_request: web.Request) -> web.StreamResponse:
        asked.set()
        await may_answer.wait()
        raise web.HTTPServiceUnavailable

    peer = make_peer(await serve(refuse))
    connecting: asyncio.Task[object] = asyncio.create_task(peer.connect())
    await asked.wait()
    await _cancelled(connecting)
    may_answer.set()
    assert not await peer.goodbye()


async def test_cancelled_delete_can_be_repeated(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    peer = make_peer(f"{gateway.url}/whip/table")
    await peer.connect()
    deleting: asyncio.Task[object] = asyncio.create_task(peer.delete())
    await asyncio.sleep(0)
    await _cancelled(deleting)
    await peer.delete()
    assert await gateway.sessions() == []


async def test_socket_can_be_read_until_it_is_closed(gateway: GatewayProcess, make_peer: MakePeer) -> None:
    peer = make_peer(f"{gateway.url}/whip/table")
    await peer.connect()
    assert await peer.delete()
    assert peer.socket.fileno() >= 0
    assert not await peer.delete(), "once is enough"
    peer.close()
    assert peer.socket.fileno() < 0
    peer.close()
