"""Players with signals in a crowd: beside their picture, or alone."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

import aiohttp
import pytest

from loadgen.crowd import journey as journey_module
from loadgen.crowd.crowd import Crowd
from loadgen.crowd.lives import Visit
from loadgen.figures import Interval, SessionFigures, SignalCounts
from loadgen.peer.peer import Peer
from loadgen.scenario.players import BetsSpec
from loadgen.signals import bettor as bettor_module
from loadgen.signals import client as client_module
from loadgen.signals.client import SignalsClient
from loadgen.signals.websocket import connect_websocket
from tests.e2e.waiting import until
from tests.loadgen.crowd.fakes import FakePeer, FakeServer, ShortLife, casting, edges, visit
from tests.loadgen.signals.stub import STREAM, Stub, serving
from tests.loadgen.signals.watching import http_client


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second is waited for in vain."""
    monkeypatch.setattr(journey_module, "REJOIN_S", 0.05)
    monkeypatch.setattr(bettor_module, "GRACE_S", 0.2)
    monkeypatch.setattr(client_module, "RECONNECT_S", 0.05)


def alone(**how: Any) -> Visit:
    """A player by signals alone."""
    return replace(visit(STREAM, **how), protocol="none", carrier="websocket", bets=BetsSpec())


def beside(**how: Any) -> Visit:
    """A player by WHEP with a WebSocket beside."""
    return replace(visit(STREAM, **how), carrier="websocket", bets=BetsSpec())


class Stage:
    """A crowd that runs, and what it told."""

    def __init__(self, stub: Stub, http: aiohttp.ClientSession, *lives: ShortLife) -> None:
        self.server = FakeServer()
        self.total = Interval(0.0, 0.0)
        self.ended: list[SessionFigures] = []
        self._stub = stub
        self._http = http
        lives_of_group = [("players", cast(Any, life)) for life in lives]
        self.crowd = Crowd(lives_of_group, casting(peer_of=self._peer, signals_of=self._signals), edges())
        self._task = asyncio.create_task(self.crowd.run(time.time()))

    def _peer(self, visit: Visit) -> FakePeer:
        return self.server.peer(visit.stream)

    def _signals(self, visit: Visit, figures: SessionFigures, _peer: Peer | None) -> SignalsClient:
        connect = partial(connect_websocket, self._http, f"{self._stub.url}/signals/{visit.stream}", None)
        return SignalsClient(connect, figures, visit.bets, visit.seed)

    def look(self) -> Interval:
        """The newest interval; `total` and `ended` have all so far."""
        interval, ended = self.crowd.take()
        self.ended += ended
        self.total.merge(interval)
        return interval

    @property
    def counts(self) -> SignalCounts:
        """All that happened so far."""
        self.look()
        return self.total.signals.get(STREAM, SignalCounts())

    async def end(self) -> None:
        """As a worker ends it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.crowd.end("run_end")
        self.look()
        self.server.close()


@contextlib.asynccontextmanager
async def playing(stub: Stub, *lives: ShortLife) -> AsyncIterator[Stage]:
    """Until the end of the block, and nothing is left open then."""
    async with serving(stub), http_client() as http:
        stage = Stage(stub, http, *lives)
        try:
            yield stage
        finally:
            await stage.end()
            await until(lambda: not stub.sockets)


async def test_players_by_signals_alone_join_bet_and_leave() -> None:
    stub = Stub()
    async with playing(stub, ShortLife([alone()]), ShortLife([alone()])) as stage:
        await until(lambda: stage.look().signal_players == 2)
        assert stage.look().viewers == 2
        await stub.enter("r1", "betting_open", closes_in_s=0.1)
        await until(lambda: stage.counts.accepted == 2)
    assert {figures.end for figures in stage.ended} == {"run_end"}
    assert all(figures.join_s is not None and figures.protocol == "none" for figures in stage.ended)
    assert sum(figures.signals.bets for figures in stage.ended if figures.signals is not None) == 2
    assert (stage.total.joins, stage.total.signal_join_s.count, stage.total.join_s.count) == (2, 2, 0)
    assert stage.total.goodbye_failures == 0


async def test_player_by_whep_has_signals_beside_its_picture() -> None:
    stub = Stub()
    async with playing(stub, ShortLife([beside(stay_s=1.5, leave="goodbye")])) as stage:
        await until(lambda: stage.counts.connections == 1)
        await stub.enter("r1", "betting_open", closes_in_s=0.05)
        await until(lambda: len(stage.ended) == 1 or not stage.look())
    (figures,) = stage.ended
    assert figures.signals is not None
    assert (figures.signals.bets, figures.signals.accepted, figures.end) == (1, 1, "goodbye")
    assert figures.bet_rtt_p50_s is not None
    assert stage.total.joins == stage.total.join_s.count == 1


async def test_answers_are_waited_for_when_a_player_leaves_and_not_when_it_vanishes() -> None:
    for leave, unanswered, abandoned in (("goodbye", 1, 0), ("tab_close", 0, 1)):
        stub = Stub(answers=lambda _bet: [])
        async with playing(stub, ShortLife([beside(stay_s=1.5, leave=leave)])) as stage:
            await until(lambda: stage.counts.connections == 1)
            await stub.enter("r1", "betting_open", closes_in_s=0.01)
            await until(lambda: bool(stage.look() and stage.ended))
        counts = stage.counts
        assert (counts.bets, counts.bets_unanswered, counts.bets_abandoned) == (1, unanswered, abandoned), leave


async def test_answers_are_waited_for_when_the_run_ends() -> None:
    stub = Stub(answers=lambda _bet: [])
    async with playing(stub, ShortLife([beside()]), ShortLife([alone()])) as stage:
        await until(lambda: stage.counts.connections == 2)
        await stub.enter("r1", "betting_open", closes_in_s=0.01)
        await until(lambda: len(stub.bets) == 2)
        began_s = time.monotonic()
    assert (stage.counts.bets_unanswered, stage.counts.bets_abandoned) == (2, 0)
    assert time.monotonic() - began_s >= 0.2


async def test_picture_goes_on_without_signals_that_are_refused() -> None:
    stub = Stub(token="secret")
    async with playing(stub, ShortLife([beside()])) as stage:
        await until(lambda: stage.look().viewers == 1)
        await until(lambda: bool(stage.look() and stage.total.signal_failures["http_401"] > 1))
        assert stage.look().viewers == 1
    assert stage.total.join_failures == {}


async def test_player_by_signals_alone_that_is_refused_has_not_joined() -> None:
    stub = Stub(token="secret")
    async with playing(stub, ShortLife([alone()])) as stage:
        await until(lambda: bool(stage.look() and stage.total.join_failures["http_401"] > 1))
    assert stage.total.joins == 0


async def test_player_by_signals_alone_comes_again_when_the_server_ends_it() -> None:
    stub = Stub()
    async with playing(stub, ShortLife([alone()])) as stage:
        await until(lambda: stage.counts.connections == 1)
        await stub.sockets[0].close()
        await until(lambda: stage.counts.connections == 2)
    assert stage.total.ended == {"closed_by_server": 1, "run_end": 1}
