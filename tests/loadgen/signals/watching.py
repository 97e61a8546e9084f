"""A client of signals against the stub, and what it came to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import aiohttp

from loadgen.figures import Interval, SessionFigures, SignalCounts
from loadgen.scenario.players import BetsSpec
from loadgen.signals.client import SignalsClient
from loadgen.signals.websocket import connect_websocket, websocket_client
from tests.loadgen.signals.stub import STREAM, Stub


@dataclass
class Watching:
    """One client."""

    client: SignalsClient
    figures: SessionFigures
    total: Interval

    def look(self) -> SignalCounts:
        """All that happened so far."""
        self.client.take(self.total)
        assert self.figures.signals is not None
        return self.figures.signals


def client_of(
    stub: Stub,
    http: aiohttp.ClientSession,
    bets: BetsSpec | None = None,
    protocol: str = "none",
    token: str | None = None,
) -> Watching:
    """One that is not connected yet."""
    figures = SessionFigures(STREAM, "players", 0.0, protocol=protocol)
    connect = partial(connect_websocket, http, f"{stub.url}/signals/{STREAM}", token)
    return Watching(SignalsClient(connect, figures, bets, 7), figures, Interval(0.0, 0.0))


@contextlib.asynccontextmanager
async def http_client() -> AsyncIterator[aiohttp.ClientSession]:
    """For WebSockets."""
    async with websocket_client() as http:
        yield http
        await asyncio.sleep(0)
