"""The other end: a real HTTP server that takes bets as docs/upstream.md has it, and may be told to fail."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Call:
    """One request."""

    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def message(self) -> dict[str, Any]:
        """The body's JSON."""
        message: dict[str, Any] = json.loads(self.body)
        return message

    @property
    def key(self) -> str:
        """What tells a bet that comes again."""
        return self.headers["Idempotency-Key"]


async def take(_request: web.Request) -> web.StreamResponse:
    """Well."""
    return web.Response(status=204)


def refuse(status: int, **headers: str) -> Reply:
    """Always with that status; an underscore stands for a header's hyphen."""

    async def reply(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return reply


@dataclass
class Casino:
    """What came, in order."""

    reply: Reply = take
    calls: list[Call] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    connections: set[Any] = field(default_factory=set)
    players_at_once: Counter[str] = field(default_factory=Counter)
    url: str = ""

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The bets, each once however often it came, in the order in which they were first taken."""
        first: dict[str, dict[str, Any]] = {}
        for call in self.calls:
            if 200 <= call.status < 300:
                first.setdefault(call.key, call.message)
        return list(first.values())

    async def on_bet(self, request: web.Request) -> web.StreamResponse:
        """POST."""
        body = await request.read()
        player = json.loads(body)["playerId"]
        self.at_once += 1
        self.players_at_once[player] += 1
        assert self.players_at_once[player] == 1, "two requests of a player at once"
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.connections.add(request.transport)
        try:
            response = await self.reply(request)
        finally:
            self.at_once -= 1
            self.players_at_once[player] -= 1
        self.calls.append(Call(dict(request.headers), body, response.status))
        return response


@asynccontextmanager
async def open_casino(reply: Reply = take, port: int = 0) -> AsyncIterator[Casino]:
    """Serves until the block ends."""
    casino = Casino(reply)
    app = web.Application()
    app.router.add_post("/bets", casino.on_bet)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    casino.url = f"http://127.0.0.1:{runner.addresses[0][1]}/bets"
    try:
        yield casino
    finally:
        await runner.cleanup()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it; the test's own timeout ends what does not come."""
    while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0.005)
