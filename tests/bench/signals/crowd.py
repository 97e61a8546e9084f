"""The process of players with signals: the load generator's own, told how many by the bench."""

import asyncio
import time
from typing import Literal

from loadgen.figures import Interval
from loadgen.scenario.schema import BetsSpec, PlayersSpec, RampArrival, Scenario, SignalsSpec
from loadgen.target.safety import require_permission
from loadgen.target.urls import Endpoints
from loadgen.workers.players import PlayersPlan, PlayersService
from loadgen.workers.target import Target
from tests.bench.gateway_process import STREAM
from tests.bench.remote import Service

Kind = Literal["websocket", "data_channel", "plain"]
"""`plain` are players by WHEP without signals: what those with a data channel are compared with."""

JOINS_PER_S = 150.0
"""No more than the gateway takes on one core."""


class Crowd(Service):
    """Players of one gateway; nobody bets but on rounds."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._players: PlayersService | None = None
        self._running: asyncio.Task[None] | None = None

    async def join(self, kind: Kind, count: int, bets_a_round: int) -> None:
        """`count` players; back when all are there. Each bets so often on each round."""
        target = Target(Endpoints(self._url), require_permission(self._url, ()))
        self._players = PlayersService(PlayersPlan(_scenario(kind, count, bets_a_round), target, 0, 1))
        self._running = asyncio.create_task(self._players.run(time.time()))
        seen = Interval(0.0, 0.0)
        while seen.joins < count or (kind != "plain" and _connections(seen) < count):
            await asyncio.sleep(0.1)
            seen.merge(self._players.take()[0])
            if self._running.done():
                self._running.result()

    async def take(self) -> Interval:
        """What happened since the last call."""
        assert self._players is not None, "join first"
        return self._players.take()[0]

    async def leave(self) -> Interval:
        """All of them, with the answers that are still to come; what happened since the last `take`."""
        players, self._players = self._players, None
        assert players is not None, "join first"
        await self._end(players)
        return players.take()[0]

    async def close(self) -> None:
        """End."""
        if self._players is not None:
            await self._end(self._players)

    async def _end(self, players: PlayersService) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await players.end("run_end")


def _connections(seen: Interval) -> int:
    return sum(counts.connections for counts in seen.signals.values())


def _scenario(kind: Kind, count: int, bets_a_round: int) -> Scenario:
    signals = SignalsSpec(bets=BetsSpec(per_round=bets_a_round) if bets_a_round else None)
    players = PlayersSpec(
        name="crowd",
        count=count,
        streams=(STREAM,),
        protocol="none" if kind == "websocket" else "whep",
        arrival=RampArrival(ramp_s=count / JOINS_PER_S),
        sampled=0.0,
        signals=None if kind == "plain" else signals,
    )
    return Scenario(name="bench", duration_s=3600.0, players=(players,))
