"""Bet signals by data channel: an unmodified aiortc client watches, is pinged, bets, and is told what became of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiortc import RTCDataChannel

from gateway.app import Gateway
from gateway.bets.bet import Delivery
from gateway.clock import monotonic_s
from gateway.config import HostPort, Settings
from gateway.rounds.rounds import Command
from gateway.rounds.states import RoundState
from gateway.signals.messages import PROTOCOL
from tests.bets.table import bet as placed_bet
from tests.e2e.aiortc_peer import AiortcStudio, AiortcViewer
from tests.e2e.waiting import until


@dataclass
class Page:
    """What a player's page does with its channel."""

    channel: RTCDataChannel
    heard: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.channel.on("message", self._hear)

    def _hear(self, text: str) -> None:
        message = json.loads(text)
        self.heard.append(message)
        if message["type"] == "ping":
            self.say(type="pong", id=message["id"])

    def say(self, **message: Any) -> None:
        self.channel.send(json.dumps(message))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]

    async def until_heard(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The newest message of that type, once there are so many."""
        await until(lambda: len(self.of(kind)) >= count, 10)
        return self.of(kind)[-1]


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[Gateway, str]]:
    """One in this process, whose stream `card` is live; and its URL."""
    anywhere, loopback = HostPort(host="::", port=0), HostPort(host="127.0.0.1", port=0)
    made = Gateway(Settings.model_validate({"http": loopback, "udp": anywhere, "signals": {"ping_s": 0.5}}))
    url = f"http://{await made.start()}"
    async with contextlib.AsyncExitStack() as ends:
        ends.push_async_callback(made.stop)
        studio = AiortcStudio(f"{url}/whip/card", "VP8")
        ends.push_async_callback(studio.close)
        await studio.connect()
        await until(lambda: made.registry.stream("card") is not None, 15)
        yield made, url


@contextlib.asynccontextmanager
async def watching(url: str, protocol: str = PROTOCOL) -> AsyncIterator[Page]:
    viewer = AiortcViewer(f"{url}/whep/card")
    page = Page(viewer.connection.createDataChannel("signals", ordered=False, maxRetransmits=0, protocol=protocol))
    try:
        await viewer.connect()
        yield page
    finally:
        await viewer.close()


def command(gateway: Gateway, state: RoundState) -> None:
    gateway.hub.play.rounds.command("card", Command(state, "r1"), monotonic_s())


async def test_player_bets_in_time_and_too_late(gateway: tuple[Gateway, str]) -> None:
    made, url = gateway
    async with watching(url) as page:
        assert (await page.until_heard("welcome"))["stream"] == "card"
        command(made, RoundState.BETTING_OPEN)
        assert (await page.until_heard("round"))["round"]["state"] == "betting_open"
        page.say(type="bet", betId="b1", roundId="r1", stake=1)
        assert (await page.until_heard("ack"))["state"] == "accepted"
        command(made, RoundState.BETTING_CLOSED)
        page.say(type="bet", betId="b2", roundId="r1", stake=1)
        assert (await page.until_heard("ack", 2))["state"] == "late"
        assert [message["betId"] for message in page.of("ack")] == ["b1", "b2"]


async def test_round_trips_are_measured(gateway: tuple[Gateway, str]) -> None:
    made, url = gateway
    measured: list[tuple[str, float]] = []
    made.hub.play.signals.on_rtt = lambda stream, seconds: measured.append((stream, seconds))
    async with watching(url) as page:
        await page.until_heard("ping", 4)
    assert len(measured) >= 3
    assert all(stream == "card" and 0 < seconds < 5 for stream, seconds in measured)
    (first, *others) = [message["rttMs"] for message in page.of("ping")]
    assert first is None
    assert others[0] == pytest.approx(measured[0][1] * 1000, abs=0.001)


async def test_delivery_reaches_its_player(gateway: tuple[Gateway, str]) -> None:
    made, url = gateway
    async with watching(url) as page:
        await page.until_heard("welcome")
        (connections,) = made.hub.play.signals._roster.by_stream.values()
        (connection,) = connections
        made.hub.play.signals.tell_delivery(placed_bet(player=connection.player), Delivery.UNDELIVERED, monotonic_s())
        assert (await page.until_heard("delivery"))["outcome"] == "undelivered"


async def test_channel_of_another_version_is_told_goodbye_and_closed(gateway: tuple[Gateway, str]) -> None:
    _, url = gateway
    async with watching(url, "railbird.signals.v2") as page:
        assert PROTOCOL in (await page.until_heard("goodbye"))["sentence"]
        await until(lambda: page.channel.readyState == "closed", 10)


async def test_player_who_goes_is_forgotten(gateway: tuple[Gateway, str]) -> None:
    made, url = gateway
    async with watching(url) as page:
        await page.until_heard("welcome")
        assert len(made.hub.play.signals) == 1
    await until(lambda: len(made.hub.play.signals) == 0, 10)


async def test_gateway_that_stops_says_goodbye(gateway: tuple[Gateway, str]) -> None:
    made, url = gateway
    async with watching(url) as page:
        await page.until_heard("welcome")
        made.hub.drain()
        assert "shutting down" in (await page.until_heard("goodbye"))["sentence"]
