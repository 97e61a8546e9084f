"""A bet's whole way through a running gateway: from a player's WebSocket to the operator's webhook, and back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import structlog
from structlog.testing import capture_logs

from gateway import log
from gateway.app import Gateway
from gateway.config import HostPort, Settings
from gateway.log import PLAYER_HASH_DIGITS
from tests.bets.casino import Casino, open_casino, refuse, take, until
from tests.http.conftest import Api, Serve
from tests.tracing.collector import open_collector
from tests.tracing.made import TRACE_ID, TRACEPARENT

ROUNDS = "/api/v1/streams/table/rounds"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def casino() -> AsyncIterator[Casino]:
    """One that takes bets."""
    async with open_casino() as opened:
        yield opened


class Player:
    """One who has signals by WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def bet(self, bet_id: str = "b1", **fields: Any) -> None:
        """Place one on the round `r1`."""
        await self._socket.send_str(json.dumps({"type": "bet", "betId": bet_id, "roundId": "r1", **fields}))

    async def told(self, kind: str) -> dict[str, Any]:
        """The next message of that type."""
        while True:
            message: dict[str, Any] = await self._socket.receive_json(timeout=10)
            if message["type"] == kind:
                return message


@asynccontextmanager
async def playing(api: Api) -> AsyncIterator[Player]:
    """A player at a table whose round `r1` takes bets."""
    api.go_live()
    opened = await api.request("POST", ROUNDS, '{"state": "betting_open", "roundId": "r1"}', JSON)
    assert opened.status == 201
    url = f"http://127.0.0.1:{api.port}/signals/table"
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(url, protocols=("railbird.signals.v1",)) as socket,
    ):
        yield Player(socket)


@asynccontextmanager
async def to_be_stopped(**settings: object) -> AsyncIterator[Api]:
    """A gateway that the test itself stops."""
    loopback = HostPort(host="127.0.0.1", port=0)
    gateway = Gateway(Settings.model_validate({"http": loopback, "udp": loopback, **settings}))
    async with aiohttp.ClientSession() as client:
        yield Api(gateway, await gateway.start(), client)


def upstream(casino: Casino, **settings: object) -> dict[str, Any]:
    """Settings of bets."""
    return {"upstream": {"url": casino.url, "secret": "secret", **settings}}


async def metric(api: Api, sample: str) -> float:
    """Its value; KeyError without it."""
    text = (await api.request("GET", "/metrics")).text
    return float(dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))[sample])


async def test_bet_is_acknowledged_handed_on_and_its_delivery_told(serve: Serve, casino: Casino) -> None:
    api = await serve(bets=upstream(casino))
    async with playing(api) as player:
        await player.bet(amount=25, traceparent=TRACEPARENT)
        assert (await player.told("ack"))["state"] == "accepted"
        delivery = await player.told("delivery")
    assert (delivery["betId"], delivery["roundId"], delivery["outcome"]) == ("b1", "r1", "delivered")
    (call,) = casino.calls
    assert call.message["fields"] == {"amount": 25}
    assert (call.message["betId"], call.message["streamId"]) == ("b1", "table")
    assert call.headers["traceparent"].split("-")[1] == TRACE_ID
    assert await metric(api, 'railbird_bets_upstream_total{outcome="delivered"}') == 1
    assert await metric(api, "railbird_bet_upstream_seconds_count") == 1
    assert await metric(api, 'railbird_bets_total{state="accepted",stream="table"}') == 1


async def test_refused_bet_is_told_as_undelivered(serve: Serve, casino: Casino) -> None:
    casino.reply = refuse(422)
    async with playing(await serve(bets=upstream(casino))) as player:
        await player.bet()
        assert (await player.told("ack"))["state"] == "accepted"
        assert (await player.told("delivery"))["outcome"] == "undelivered"


async def test_bet_without_an_upstream_has_no_delivery(api: Api) -> None:
    async with playing(api) as player:
        await player.bet()
        assert (await player.told("ack"))["state"] == "accepted"
        await player.bet()
        again = await player.told("ack")
    assert (again["state"], again["first"]) == ("duplicate", "accepted")
    assert "railbird_bets_upstream_waiting 0.0" not in (await api.request("GET", "/metrics")).text


async def test_bets_beyond_the_queue_are_unavailable(serve: Serve, casino: Casino) -> None:
    casino.reply = refuse(503)
    async with playing(await serve(bets=upstream(casino, queue_bets=1))) as player:
        await player.bet("b1")
        await player.bet("b2")
        assert [(await player.told("ack"))["state"] for _ in range(2)] == ["accepted", "unavailable"]
        casino.reply = take
        assert (await player.told("delivery"))["betId"] == "b1"
        await player.bet("b2")
        assert (await player.told("delivery"))["betId"] == "b2"


async def test_gateway_that_stops_hands_on_what_it_can_and_tells_before_its_goodbye(casino: Casino) -> None:
    casino.reply = refuse(503)
    async with to_be_stopped(bets=upstream(casino)) as api, playing(api) as player:
        await player.bet()
        await until(lambda: len(casino.calls) >= 2)
        casino.reply = take
        await api.gateway.stop()
        assert (await player.told("delivery"))["outcome"] == "delivered"
        await player.told("goodbye")


async def test_gateway_that_stops_tells_whose_bets_do_not_count(casino: Casino) -> None:
    casino.reply = refuse(503)
    async with (
        to_be_stopped(bets=upstream(casino), timeouts={"shutdown_s": 0.5}) as api,
        playing(api) as player,
    ):
        await player.bet()
        await until(lambda: len(casino.calls) >= 1)
        await api.gateway.stop()
        assert (await player.told("delivery"))["outcome"] == "undelivered"
        await player.told("goodbye")


async def test_log_names_bet_and_trace_but_no_player(
    serve: Serve, casino: Casino, capsys: pytest.CaptureFixture[str]
) -> None:
    casino.reply = refuse(422)
    log.configure("json", "debug")
    try:
        async with open_collector() as collector:
            api = await serve(bets=upstream(casino), tracing={"otlp_endpoint": collector.url})
            async with playing(api) as player:
                await player.bet(traceparent=TRACEPARENT)
                await player.told("delivery")
            await api.gateway.tracing.stop(10.0)
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        structlog.reset_defaults()
    told = {line["event"]: line for line in lines if "betId" in line}
    assert told.keys() == {"bet", "bet undelivered"}
    name = casino.calls[0].message["playerId"]
    for line in told.values():
        assert (line["streamId"], line["roundId"], line["betId"]) == ("table", "r1", "b1")
        assert len(line["playerId"]) == PLAYER_HASH_DIGITS
    assert told["bet"]["playerId"] == told["bet undelivered"]["playerId"]
    assert told["bet undelivered"]["traceId"] == TRACE_ID
    assert name not in json.dumps(lines)


async def test_unencrypted_upstream_beyond_this_machine_is_warned_of(serve: Serve) -> None:
    with capture_logs() as logs:
        await serve(bets={"upstream": {"url": "http://192.0.2.1/bets", "secret": "secret"}})
    assert "bets travel unencrypted" in [each["event"] for each in logs]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/", "https://192.0.2.1/"])
async def test_upstream_that_nobody_can_overhear_is_not_warned_of(serve: Serve, url: str) -> None:
    with capture_logs() as logs:
        await serve(bets={"upstream": {"url": url, "secret": "secret"}})
    assert "bets travel unencrypted" not in [each["event"] for each in logs]
