"""Bet signals by WebSocket, as players' pages and others speak it."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from gateway.http import signals
from gateway.http.signals import FRAMES_A_TURN, MAX_WAITING_BYTES
from gateway.signals.connection import Connection
from gateway.signals.messages import PROTOCOL
from tests.http.conftest import Api, Serve

OPEN = {"state": "betting_open", "roundId": "r1"}
TOKEN = "s3cret-of-ada"


class Player:
    """A player's WebSocket."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self.line = line

    async def next(self, kind: str) -> dict[str, Any]:
        """The next message of that type."""
        while True:
            message = json.loads(await self.line.receive_str())
            if message["type"] == kind:
                assert isinstance(message, dict)
                return message

    async def say(self, **message: Any) -> None:
        await self.line.send_str(json.dumps(message))

    async def closed(self) -> int | None:
        """Read to the end; the code of the close."""
        async for _ in self.line:
            pass
        return self.line.close_code


Enter = Callable[..., Awaitable[Player]]


@dataclass
class RawLine:
    """A WebSocket of whoever speaks no more of the protocol than he wants."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, frames: bytes) -> None:
        self.writer.write(frames)
        await self.writer.drain()

    async def read_until(self, part: bytes) -> None:
        async with asyncio.timeout(10):
            await self.reader.readuntil(part)

    async def read_to_the_end(self) -> None:
        async with asyncio.timeout(10):
            await self.reader.read()


Raw = Callable[[Api], Awaitable[RawLine]]


@pytest.fixture
async def raw() -> AsyncIterator[Raw]:
    """Opens WebSockets without a client."""
    lines: list[RawLine] = []

    async def opened(api: Api) -> RawLine:
        lines.append(RawLine(*await asyncio.open_connection("127.0.0.1", api.port)))
        await lines[-1].send(HANDSHAKE.encode())
        return lines[-1]

    yield opened
    for line in lines:
        line.writer.close()


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame with a mask of zeros."""
    return bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload


@pytest.fixture
async def enter() -> AsyncIterator[Enter]:
    """Opens WebSockets; `aiohttp.WSServerHandshakeError` where one is refused."""
    players: list[Player] = []  # what nobody holds would hang up
    async with aiohttp.ClientSession() as client:

        async def entered(
            api: Api, stream: str = "table", protocols: tuple[str, ...] = (PROTOCOL,), **headers: str
        ) -> Player:
            url = f"http://127.0.0.1:{api.port}/signals/{stream}"
            players.append(Player(await client.ws_connect(url, protocols=protocols, headers=headers)))
            return players[-1]

        yield entered
        for player in players:
            await player.line.close()


async def command(api: Api, **round_command: Any) -> None:
    answer = await api.request(
        "POST", "/api/v1/streams/table/rounds", json.dumps(round_command), {"Content-Type": "application/json"}
    )
    assert answer.status in (200, 201), answer.text


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for what the gateway is about to notice."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def is_gone(api: Api) -> None:
    """Until the gateway has noticed that the last player is gone."""
    await until(lambda: len(api.gateway.hub.play.signals) == 0)


def connection_of(api: Api) -> Connection:
    """The only one."""
    ((connection,),) = api.gateway.hub.play.signals._roster.by_stream.values()
    return connection


async def refused(entering: Awaitable[Player]) -> aiohttp.WSServerHandshakeError:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await entering
    return refusal.value


# What a player does


async def test_player_bets_on_an_open_round(api: Api, enter: Enter) -> None:
    api.go_live()
    player = await enter(api)
    welcome = await player.next("welcome")
    assert (welcome["version"], welcome["stream"], welcome["mayBet"]) == (1, "table", True)
    await command(api, **OPEN)
    told = await player.next("round")
    assert told["round"]["state"] == "betting_open"
    await player.say(type="bet", betId="b1", roundId="r1", amount=5)
    assert (await player.next("ack"))["state"] == "accepted"
    await command(api, state="betting_closed", roundId="r1")
    await player.say(type="bet", betId="b2", roundId="r1", amount=5)
    assert (await player.next("ack"))["state"] == "late"


@pytest.mark.parametrize(("dscp", "tos"), [({"enabled": True, "bet_signals": "CS5"}, 40 << 2), ({}, 0)])
async def test_connection_has_the_mark_of_signals(
    serve: Serve, enter: Enter, monkeypatch: pytest.MonkeyPatch, dscp: dict[str, Any], tos: int
) -> None:
    connections: list[socket.socket] = []

    class Noting(signals.WebSocketCarrier):
        def __init__(self, line: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
            super().__init__(line, transport)
            assert transport is not None
            connections.append(transport.get_extra_info("socket"))

    monkeypatch.setattr(signals, "WebSocketCarrier", Noting)
    await enter(await serve(dscp=dscp))
    assert [each.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) for each in connections] == [tos]


async def test_pong_is_measured(api: Api, enter: Enter) -> None:
    player = await enter(api)
    ping = await player.next("ping")
    await player.say(type="pong", id=ping["id"])
    measured = (await player.next("ping"))["rttMs"]
    assert 0 < measured < 5000
    metrics = (await api.request("GET", "/metrics")).text
    assert 'railbird_bet_signal_rtt_seconds_count{carrier="websocket",stream="table"} 1.0' in metrics
    assert 'railbird_signal_connections{carrier="websocket",stream="table"} 1.0' in metrics


async def test_report_is_counted(api: Api, enter: Enter) -> None:
    player = await enter(api)
    sent = {"framesDecoded": 1, "framesDropped": 0, "freezeCount": 0, "freezesMs": 0}
    await player.say(type="report", protocol="hls", intervalMs=1000, **sent)
    await player.say(type="nothing")  # answered, and so the report before it was read
    await player.next("error")
    # It came sooner than half an interval after the beginning.
    assert api.gateway.hub.play.signals.reports.states == {("table", "too_often"): 1}


async def test_player_waits_for_a_stream_that_nobody_publishes(api: Api, enter: Enter) -> None:
    player = await enter(api, "later")
    assert (await player.next("welcome"))["rounds"] == []


async def test_player_who_hangs_up_is_forgotten(api: Api, enter: Enter) -> None:
    player = await enter(api)
    await player.next("welcome")
    await player.line.close()
    await is_gone(api)


async def test_player_whose_connection_breaks_is_forgotten(api: Api, enter: Enter) -> None:
    player = await enter(api)
    await player.next("welcome")
    transport = player.line.get_extra_info("socket")
    transport.shutdown(socket.SHUT_RDWR)
    await is_gone(api)


# Who is let in


async def test_protocol_is_chosen_and_the_token_is_not_repeated(serve: Serve, enter: Enter) -> None:
    api = await serve(tokens={"watch": TOKEN})
    player = await enter(api, protocols=(PROTOCOL, f"bearer.{TOKEN}"))
    assert player.line.protocol == PROTOCOL
    await player.next("welcome")


async def test_token_comes_by_header_too(serve: Serve, enter: Enter) -> None:
    api = await serve(tokens={"watch": TOKEN})
    player = await enter(api, Authorization=f"Bearer {TOKEN}")
    await player.next("welcome")


async def test_token_of_any_characters_opens_the_socket_when_it_is_percent_encoded(serve: Serve, enter: Enter) -> None:
    token = "let-me in (100 %), ää"
    api = await serve(tokens={"watch": token})
    player = await enter(api, protocols=(PROTOCOL, f"bearer.{quote(token)}"))
    assert (await player.next("welcome"))["mayBet"] is True


@pytest.mark.parametrize("protocols", [(PROTOCOL,), (PROTOCOL, "bearer.wrong"), (PROTOCOL, "bearer.")])
async def test_player_without_the_token_is_refused(serve: Serve, enter: Enter, protocols: tuple[str, ...]) -> None:
    api = await serve(tokens={"watch": TOKEN})
    assert (await refused(enter(api, protocols=protocols))).status == 401


async def test_token_is_in_no_log(serve: Serve, enter: Enter, caplog: pytest.LogCaptureFixture) -> None:
    with capture_logs() as logs:
        api = await serve(tokens={"watch": TOKEN}, log_level="debug")
        player = await enter(api, protocols=(PROTOCOL, f"bearer.{TOKEN}"))
        await player.next("welcome")
        await refused(enter(api, protocols=(f"bearer.{TOKEN}",)))
        await refused(enter(api, protocols=("railbird.signals.v2", f"bearer.{TOKEN}")))
    assert TOKEN not in str(logs)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("protocols", [(), ("railbird.signals.v2",), ("graphql-ws",)])
async def test_other_protocols_are_refused(api: Api, enter: Enter, protocols: tuple[str, ...]) -> None:
    assert (await refused(enter(api, protocols=protocols))).status == 400


async def test_request_that_is_no_websocket_is_refused(api: Api) -> None:
    plain = await api.request("GET", "/signals/table", headers={"Sec-WebSocket-Protocol": PROTOCOL})
    assert plain.status == 400


async def test_name_that_is_none_is_refused(api: Api, enter: Enter) -> None:
    assert (await refused(enter(api, "-table"))).status == 404


ORIGINS = {
    "one that is allowed": ("https://tables.example", None),
    "the gateway's own": ("http://{host}", None),
    "the gateway's own behind TLS": ("https://{host}", None),
    "another": ("https://evil.example", 403),
    "another that begins alike": ("https://tables.example.evil.example", 403),
    "none that can be told": ("null", 403),
    "nonsense": ("http://[", 403),
}


@pytest.mark.parametrize(("origin", "status"), ORIGINS.values(), ids=ORIGINS)
async def test_pages_of_other_origins_are_refused(serve: Serve, enter: Enter, origin: str, status: int | None) -> None:
    api = await serve(allowed_origins=["https://tables.example"])
    entering = enter(api, Origin=origin.format(host=f"127.0.0.1:{api.port}"))
    if status is None:
        await (await entering).next("welcome")
    else:
        assert (await refused(entering)).status == status


async def test_any_page_may_where_all_origins_are_allowed(api: Api, enter: Enter) -> None:
    await (await enter(api, Origin="https://evil.example")).next("welcome")


async def test_connections_are_bounded(serve: Serve, enter: Enter) -> None:
    api = await serve(signals={"connections": 1})
    await enter(api)
    refusal = await refused(enter(api))
    assert refusal.status == 503
    assert refusal.headers is not None
    assert refusal.headers["Retry-After"] == "10"


async def test_connections_of_an_address_are_bounded(serve: Serve, enter: Enter) -> None:
    api = await serve(signals={"connections_per_address": 1})
    player = await enter(api)
    assert (await refused(enter(api))).status == 503
    await player.line.close()
    await is_gone(api)
    await enter(api)


async def test_player_who_finds_no_room_after_the_handshake_is_closed(
    serve: Serve, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once see the same last place."""
    api = await serve(signals={"connections": 1})
    await enter(api)
    table = api.gateway.hub.play.signals
    check = table.check_room
    looks = iter([lambda *_: None, check])
    monkeypatch.setattr(table, "check_room", lambda *asked: next(looks)(*asked))
    assert await (await enter(api)).closed() == aiohttp.WSCloseCode.TRY_AGAIN_LATER


# What is too much


async def test_message_that_is_too_large_ends_the_connection(api: Api, enter: Enter) -> None:
    player = await enter(api)
    await player.line.send_str("x" * 5000)
    assert await player.closed() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    await is_gone(api)


async def test_bytes_are_answered_with_an_error(api: Api, enter: Enter) -> None:
    player = await enter(api)
    await player.line.send_bytes(b'{"type":"pong","id":1}')
    assert "text" in (await player.next("error"))["sentence"]


async def test_flood_is_told_goodbye(api: Api, enter: Enter) -> None:
    player = await enter(api)
    for _ in range(500):
        await player.line.send_str('{"type":"pong","id":1}')
    await player.next("goodbye")
    assert await player.closed() == aiohttp.WSCloseCode.GOING_AWAY


async def test_pings_of_the_protocol_are_answered(api: Api, raw: Raw) -> None:
    line = await raw(api)
    await line.send(frame(0x9, b"x"))
    await line.read_until(b"\x8a\x01x")


@pytest.mark.parametrize("opcode", [0x9, 0xA, 0x1, 0x2], ids=["pings", "pongs", "texts", "bytes"])
async def test_flood_of_any_frames_is_cut_without_waiting_for_a_handshake(
    api: Api, raw: Raw, monkeypatch: pytest.MonkeyPatch, opcode: int
) -> None:
    monkeypatch.setattr(signals, "CLOSE_TIMEOUT_S", 3600.0)
    with capture_logs() as logs:
        line = await raw(api)
        await line.send(frame(opcode, b"x") * 1000)
        await line.read_until(b'"type":"goodbye"')
        await line.read_to_the_end()
        await is_gone(api)
    assert api.gateway.hub.play.signals.figures.dropped["flood"] == 1
    assert not [each for each in logs if each["event"] == "request failed"]


async def test_frames_that_come_together_are_taken_in_turns(
    api: Api, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, turns = 0, Counter[int]()

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(Connection, "on_text", lambda *_: turns.update([turn]))
    line = await raw(api)
    await line.read_until(b'"type":"ping"')
    counting = asyncio.create_task(count_turns())
    await line.send(frame(0x1, b"x") * 200)
    await until(lambda: turns.total() == 200)
    counting.cancel()
    assert max(turns.values()) <= FRAMES_A_TURN


HANDSHAKE = "\r\n".join(
    (
        "GET /signals/table HTTP/1.1",
        "Host: gateway",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {PROTOCOL}",
        "\r\n",
    )
)


async def test_slow_reader_is_cut_and_counted(api: Api) -> None:
    """It never reads; its kernel buffers fill, then the gateway's."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, ("127.0.0.1", api.port))
    await loop.sock_sendall(slow, HANDSHAKE.encode())
    table = api.gateway.hub.play.signals
    await until(lambda: len(table) == 1)
    connection = connection_of(api)
    most = 0
    for _ in range(2000):
        connection.send("x" * MAX_WAITING_BYTES)
        if table.figures.unsent:
            break
        most += 1
        await asyncio.sleep(0)
    assert table.figures.unsent["websocket"] == 1
    assert 0 < most < 2000
    await is_gone(api)
    slow.close()


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 70_000])
async def test_frame_of_each_length_is_read(api: Api, enter: Enter, size: int) -> None:
    player = await enter(api)
    await player.next("ping")
    connection_of(api).send("ä" * (size // 2) + "a" * (size % 2))
    text = await player.line.receive_str()
    assert len(text.encode()) == size


# The end


async def stopped(serve: Serve, enter: Enter) -> tuple[Player, asyncio.Task[None]]:
    """A player, and the stopping of the server that it is connected to."""
    api = await serve()
    player = await enter(api)
    await player.next("welcome")
    api.gateway.hub.drain()
    return player, asyncio.create_task(api.gateway._http.stop())


async def test_gateway_that_stops_says_goodbye(serve: Serve, enter: Enter) -> None:
    player, stopping = await stopped(serve, enter)
    assert 0 <= (await player.next("goodbye"))["reconnectAfterMs"] <= 3000
    assert await player.closed() == aiohttp.WSCloseCode.GOING_AWAY
    await stopping


async def test_gateway_that_stops_does_not_wait_for_a_player_who_does_not_answer(
    serve: Serve, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "CLOSE_TIMEOUT_S", 0.05)
    player, stopping = await stopped(serve, enter)
    await stopping  # the player's client reads nothing, and so does not close its half
    await player.next("goodbye")


async def test_gateway_that_stops_lets_nobody_in(api: Api, enter: Enter) -> None:
    api.gateway.hub.drain()
    assert (await refused(enter(api))).status == 503
