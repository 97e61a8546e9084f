"""A server of signals whose every fault is a test's wish."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from loadgen.signals.messages import SUBPROTOCOL

STREAM = "table"

Json = dict[str, Any]
Answers = Callable[[Json], list[Json]]
"""A bet -> what the server says to it."""


def ack(bet: Json, state: str = "accepted", **more: Any) -> Json:
    """An answer."""
    return {"type": "ack", "betId": bet["betId"], "roundId": bet["roundId"], "state": state, "sentence": "."} | more


def well(bet: Json) -> list[Json]:
    """As a server has to answer."""
    return [ack(bet)]


@dataclass
class Stub:
    """What it says, and what it was told."""

    answers: Answers = well
    token: str | None = None
    may_bet: bool = True
    welcomes: bool = True
    speaks: str = SUBPROTOCOL
    ping_s: float = 0.05
    rounds_every_s: float | None = None
    """Opens a round so often, and closes its bets after half of that."""
    spoil: Callable[[Json], Json] = lambda told: told
    """Does something to each round that is told."""
    bets: list[Json] = field(default_factory=list)
    greets: list[Json] = field(default_factory=list)
    """Said to everybody right after the welcome."""
    pongs: list[int] = field(default_factory=list)
    reports: list[Json] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    """Those that are open."""
    url: str = ""

    def __post_init__(self) -> None:
        self._rounds: dict[str, Json] = {}
        self._pings = 0

    async def enter(self, round_id: str, state: str, closes_in_s: float | None = None) -> None:
        """A round enters a state, and everybody is told."""
        now_ms = time.time_ns() // 1_000_000
        told = self._rounds.setdefault(round_id, {"roundId": round_id, "stream": STREAM, "steps": []})
        told["state"] = state
        told["steps"].append({"state": state, "atUnixMs": now_ms})
        if closes_in_s is not None:
            told["closesAtUnixMs"] = now_ms + round(closes_in_s * 1000)
        await self.tell({"type": "round", "round": self.spoil(json.loads(json.dumps(told)))})

    async def tell(self, message: Json | str) -> None:
        """All who are connected."""
        text = message if isinstance(message, str) else json.dumps(message)
        for socket in tuple(self.sockets):
            with contextlib.suppress(ConnectionError):
                await socket.send_str(text)

    async def deal(self, every_s: float) -> None:
        """One round after another, until cancelled."""
        number = 0
        while True:
            number += 1
            await self.enter(f"r{number}", "betting_open", every_s / 2)
            await asyncio.sleep(every_s / 2)
            await self.enter(f"r{number}", "betting_closed")
            await self.enter(f"r{number}", "result")
            await self.enter(f"r{number}", "settled")
            await asyncio.sleep(every_s / 2)

    async def signals(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket."""
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        socket = web.WebSocketResponse(protocols=(self.speaks,))
        await socket.prepare(request)
        if self.welcomes:
            rounds = list(self._rounds.values())
            welcome = {"type": "welcome", "version": 1, "stream": STREAM, "mayBet": self.may_bet, "rounds": rounds}
            await socket.send_json(welcome | {"pingIntervalMs": 50, "reportIntervalMs": 1000})
        for message in self.greets:
            await socket.send_json(message)
        self.sockets.append(socket)
        pinging = asyncio.create_task(self._ping(socket))
        try:
            async for told in socket:
                if told.type is WSMsgType.TEXT:
                    await self._on_message(socket, json.loads(told.data))
        finally:
            pinging.cancel()
            self.sockets.remove(socket)
        return socket

    async def _ping(self, socket: web.WebSocketResponse) -> None:
        rtt_ms = None
        while True:
            self._pings += 1
            await socket.send_json({"type": "ping", "id": self._pings, "rttMs": rtt_ms})
            rtt_ms = 1.25
            await asyncio.sleep(self.ping_s)

    async def _on_message(self, socket: web.WebSocketResponse, message: Json) -> None:
        match message["type"]:
            case "pong":
                self.pongs.append(message["id"])
            case "report":
                self.reports.append(message)
            case "bet":
                self.bets.append(message)
                for answer in self.answers(message):
                    await socket.send_json(answer)


@contextlib.asynccontextmanager
async def serving(stub: Stub) -> AsyncIterator[Stub]:
    """On a free port, until the end of the block."""
    app = web.Application()
    app.add_routes([web.get("/signals/{stream}", stub.signals)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    dealing = asyncio.create_task(stub.deal(stub.rounds_every_s)) if stub.rounds_every_s is not None else None
    try:
        yield stub
    finally:
        if dealing is not None:
            dealing.cancel()
            await asyncio.gather(dealing, return_exceptions=True)
        for socket in tuple(stub.sockets):
            await socket.close()
        await runner.cleanup()
