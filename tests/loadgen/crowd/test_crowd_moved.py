"""Players that their server sends to another edge: two edges that are none, with signals and without."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import aiohttp
import pytest

from loadgen.crowd import journey as journey_module
from loadgen.crowd.casting import Casting
from loadgen.crowd.crowd import Crowd
from loadgen.crowd.lives import Visit
from loadgen.errors import SignallingError
from loadgen.figures import Interval, SessionFigures, SignalCounts
from loadgen.peer.peer import Peer
from loadgen.scenario.players import BetsSpec
from loadgen.signals import bettor as bettor_module
from loadgen.signals import client as client_module
from loadgen.signals.client import SignalsClient
from loadgen.signals.websocket import connect_websocket
from loadgen.target.edges import Edges
from loadgen.target.safety import Permission
from loadgen.target.urls import Endpoints
from tests.e2e.waiting import until
from tests.loadgen.crowd.fakes import FakePeer, FakeServer, ShortLife, visit
from tests.loadgen.signals.stub import STREAM, Json, Stub, ack, serving, well
from tests.loadgen.signals.watching import http_client

FOREIGN = "http://192.0.2.1"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second is waited for in vain."""
    monkeypatch.setattr(journey_module, "REJOIN_S", 0.05)
    monkeypatch.setattr(journey_module, "LEAST_STAY_S", 0.05)
    monkeypatch.setattr(bettor_module, "GRACE_S", 0.2)
    monkeypatch.setattr(client_module, "RECONNECT_S", 0.05)


def alone(**how: Any) -> Visit:
    """A player by signals alone."""
    return replace(visit(STREAM, **how), protocol="none", carrier="websocket", bets=BetsSpec())


def beside(**how: Any) -> Visit:
    """A player by WHEP with a WebSocket beside."""
    return replace(visit(STREAM, **how), carrier="websocket", bets=BetsSpec())


def move(to: str | None, after_s: float = 0.0) -> Json:
    """What a gateway says that is about to stop."""
    return {"type": "move", "sentence": ".", "afterMs": after_s * 1000, "to": to}


class Stage:
    """A crowd that runs, at the edge `a` first."""

    def __init__(self, http: aiohttp.ClientSession, a: Stub, b: Stub, *lives: ShortLife) -> None:
        self.a, self.b = a, b
        self.servers = {a.url: FakeServer(), b.url: FakeServer()}
        self.total = Interval(0.0, 0.0)
        self.ended: list[SessionFigures] = []
        self.visits: list[Visit] = []
        """Of all who have asked for a picture."""
        self._http = http
        self._edges = Edges(Endpoints(a.url), Permission("127.0.0.1", frozenset(), frozenset()))
        peer_of: Any = self._peer
        cast_of = Casting(peer_of, cast(Any, None), self._signals, 0.15, self._edges)
        self.crowd = Crowd([("players", cast(Any, life)) for life in lives], cast_of, self._edges)
        self._task = asyncio.create_task(self.crowd.run(time.time()))

    def _peer(self, visit: Visit) -> FakePeer:
        self.visits.append(visit)
        return self.servers[self._edges.base(visit.edge)].peer(visit.stream)

    def _signals(self, visit: Visit, figures: SessionFigures, _peer: Peer | None) -> SignalsClient:
        url = self._edges.endpoints(visit.edge).signals(visit.stream)
        return SignalsClient(partial(connect_websocket, self._http, url, None), figures, visit.bets, visit.seed)

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

    async def connected(self, stub: Stub, count: int = 1) -> None:
        """Once so many have signals there, and all that join have a picture."""
        await until(lambda: len(stub.sockets) == count and self.look().joining == 0)

    async def moved(self, count: int = 1) -> None:
        """Once so many were told and have left."""
        await until(lambda: bool(self.look()) and self.total.moved[STREAM] == count)

    def show(self, url: str) -> None:
        """A keyframe to whoever is there."""
        for peer in self.servers[url].peers:
            if not peer.is_closed:
                peer.show(peer.video.frame(size=3, is_keyframe=True))

    async def end(self) -> None:
        """As a worker ends it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.crowd.end("run_end")
        self.look()
        for server in self.servers.values():
            server.close()


@contextlib.asynccontextmanager
async def playing(a: Stub, b: Stub, *lives: ShortLife) -> AsyncIterator[Stage]:
    """Until the end of the block, and nothing is left open then."""
    async with serving(a), serving(b), http_client() as http:
        stage = Stage(http, a, b, *lives)
        try:
            yield stage
        finally:
            await stage.end()
            await until(lambda: not a.sockets and not b.sockets)


async def test_player_goes_on_at_the_edge_that_it_is_told() -> None:
    async with playing(Stub(), Stub(), ShortLife([beside()])) as stage:
        a, b = stage.a.url, stage.b.url
        await stage.connected(stage.a)
        stage.show(a)
        await until(lambda: stage.look().viewers == 1 and stage.total.all_media.packets == 3)
        await stage.a.tell(move(b))
        await stage.connected(stage.b)
        stage.show(b)
        await until(lambda: bool(stage.look()) and stage.total.move_s.count == 1)
        assert not stage.servers[a].open
        assert set(stage.servers[a].deletes.values()) == {1}
    first, second = stage.ended
    assert (first.end, first.edge, first.moved, second.edge, second.was_told) == ("moved", a, True, b, True)
    assert second.left_s is not None
    assert first.ended_s >= second.left_s > 0
    assert second.move_s == stage.total.move_s.largest
    assert (stage.total.ended, stage.total.joins_at) == ({"moved": 1, "run_end": 1}, {a: 1, b: 1})
    assert (stage.total.join_failures, stage.total.goodbye_failures, stage.total.back_s.count) == ({}, 0, 0)


async def test_player_waits_as_long_as_it_is_told() -> None:
    async with playing(Stub(), Stub(), ShortLife([beside()])) as stage:
        await stage.connected(stage.a)
        told_s = time.monotonic()
        await stage.a.tell(move(stage.b.url, after_s=0.3))
        await stage.connected(stage.b)
        assert time.monotonic() - told_s >= 0.3


async def test_player_by_signals_alone_is_back_when_it_is_welcomed() -> None:
    async with playing(Stub(), Stub(), ShortLife([alone()])) as stage:
        await stage.connected(stage.a)
        await stage.a.tell(move(stage.b.url))
        await stage.connected(stage.b)
        await until(lambda: bool(stage.look()) and stage.total.move_s.count == 1)
    assert [each.end for each in stage.ended] == ["moved", "run_end"]
    assert stage.total.signal_join_s.count == 2


async def test_newcomer_that_is_told_with_its_welcome_goes_on_too() -> None:
    for one in (beside, alone):
        async with playing(Stub(), Stub(), ShortLife([one()])) as stage:
            stage.a.greets.append(move(stage.b.url))
            await stage.connected(stage.b)
            assert (stage.total.join_failures, stage.total.signal_failures) == ({}, {})


async def test_player_without_a_word_where_to_comes_again_by_the_same_address() -> None:
    async with playing(Stub(), Stub(), ShortLife([beside()])) as stage:
        await stage.connected(stage.a)
        await stage.a.tell(move(None))
        await until(lambda: bool(stage.look()) and stage.total.joins_at == {stage.a.url: 2})
        assert stage.total.moved == {STREAM: 1}


async def test_edge_that_may_not_be_loaded_is_refused_and_the_player_stays() -> None:
    async with playing(Stub(), Stub(), ShortLife([beside()])) as stage:
        await stage.connected(stage.a)
        await stage.a.tell(move(FOREIGN))
        await until(lambda: bool(stage.look()) and stage.total.moves_refused == {"not_permitted": 1})
        await asyncio.sleep(0.1)
        assert (stage.look().viewers, stage.total.moved, stage.total.joins) == (1, {}, 1)


async def test_stay_goes_on_at_the_other_edge() -> None:
    async with playing(Stub(), Stub(), ShortLife([beside(stay_s=3.0, leave="goodbye")])) as stage:
        await stage.connected(stage.a)
        await stage.a.tell(move(stage.b.url, after_s=0.2))
        await until(lambda: bool(stage.look()) and stage.total.ended == {"moved": 1, "goodbye": 1})
    first, second = stage.visits
    assert (first.stay_s, first.leave, second.leave) == (3.0, "goodbye", "goodbye")
    assert second.stay_s is not None
    assert 0 < second.stay_s <= 3.0 - 0.2


@pytest.mark.parametrize("one", [beside, alone])
async def test_bet_without_an_answer_is_sent_again_at_the_other_edge(one: Callable[[], Visit]) -> None:
    silent = Stub(answers=lambda _bet: [])
    async with playing(silent, Stub(answers=_knows_no_round), ShortLife([one()])) as stage:
        await stage.connected(stage.a)
        await until(lambda: stage.counts.connections == 1)
        await silent.enter("r1", "betting_open", closes_in_s=0.01)
        await until(lambda: len(silent.bets) == 1)
        await silent.tell(move(stage.b.url))
        await until(lambda: len(stage.b.bets) == 1)
        await until(lambda: stage.counts.bets_answered == 1)
        assert stage.b.bets == silent.bets
    counts = stage.counts
    assert (counts.bets, counts.resends, counts.unknown_round, counts.rules_broken) == (1, 1, 1, 0)
    assert (counts.bets_unanswered, counts.bets_abandoned) == (0, 0)


async def test_answer_that_comes_while_its_player_leaves_counts_and_the_bet_is_sent_to_nobody_else() -> None:
    silent = Stub(answers=lambda _bet: [])
    async with playing(silent, Stub(answers=_knows_no_round), ShortLife([beside()])) as stage:
        leaving_from = stage.servers[silent.url]
        leaving_from.answers_delete.clear()
        await stage.connected(stage.a)
        await until(lambda: stage.counts.connections == 1)
        await silent.enter("r1", "betting_open", closes_in_s=0.01)
        await until(lambda: len(silent.bets) == 1)
        await silent.tell(move(stage.b.url))
        await until(lambda: leaving_from.deleting == 1)
        await silent.tell(ack(silent.bets[0]))
        await until(lambda: stage.counts.accepted == 1)
        leaving_from.answers_delete.set()
        await until(lambda: stage.counts.connections == 2)
        await stage.connected(stage.b)
    counts = stage.counts
    assert stage.b.bets == []
    assert (counts.bets, counts.bets_answered, counts.resends, counts.rules_broken) == (1, 1, 0, 0)
    assert (counts.unknown_round, counts.bets_unanswered, counts.bets_abandoned) == (0, 0, 0)


def _knows_no_round(bet: Json) -> list[Json]:
    return [ack(bet, "unknown_round")]


async def test_bet_that_nobody_answers_anywhere_is_unanswered_once() -> None:
    silent = Stub(answers=lambda _bet: [])
    async with playing(silent, Stub(answers=lambda _bet: []), ShortLife([beside()])) as stage:
        await stage.connected(stage.a)
        await until(lambda: stage.counts.connections == 1)
        await silent.enter("r1", "betting_open", closes_in_s=0.01)
        await until(lambda: len(silent.bets) == 1)
        await silent.tell(move(stage.b.url))
        await until(lambda: len(stage.b.bets) == 1)
    assert (stage.counts.bets, stage.counts.bets_answered, stage.counts.bets_unanswered) == (1, 0, 1)


async def test_player_bets_on_at_the_other_edge() -> None:
    async with playing(Stub(), Stub(answers=well), ShortLife([beside()])) as stage:
        await stage.connected(stage.a)
        await stage.a.tell(move(stage.b.url))
        await stage.connected(stage.b)
        await until(lambda: stage.counts.connections == 2)
        await stage.b.enter("r2", "betting_open", closes_in_s=0.05)
        await until(lambda: stage.counts.accepted == 1)


async def test_refused_player_goes_where_the_refusal_says() -> None:
    async with playing(Stub(), Stub(), ShortLife([visit(STREAM)])) as stage:
        a, b = stage.a.url, stage.b.url
        stage.servers[a].refusals = [SignallingError("http_503", "no", f"{b}/whep/{STREAM}")]
        await until(lambda: stage.look().viewers == 1)
    assert (stage.total.join_failures, stage.total.joins_at) == ({"http_503": 1}, {b: 1})
    assert (stage.total.moved, stage.total.move_s.count, stage.total.back_s.count) == ({}, 0, 0)


async def test_player_that_is_closed_without_a_word_is_back_elsewhere() -> None:
    async with playing(Stub(), Stub(), ShortLife([visit(STREAM)])) as stage:
        a, b = stage.a.url, stage.b.url
        await until(lambda: stage.look().viewers == 1)
        stage.servers[a].refusals = [SignallingError("http_503", "no", f"{b}/whep/{STREAM}")]
        stage.servers[a].peers[0].is_closed_by_server = True
        await until(lambda: stage.look().viewers == 1 and stage.total.joins_at == {a: 1, b: 1}, 15.0)
        stage.show(b)
        await until(lambda: bool(stage.look()) and stage.total.back_s.count == 1)
    assert stage.total.ended == {"closed_by_server": 1, "run_end": 1}
    assert (stage.total.moved, stage.total.move_s.count, stage.total.closed_untold) == ({}, 0, 1)


async def test_player_that_is_closed_without_a_word_and_sees_nothing_again_is_counted() -> None:
    async with playing(Stub(), Stub(), ShortLife([visit(STREAM)])) as stage:
        a = stage.servers[stage.a.url]
        await until(lambda: stage.look().viewers == 1)
        a.refusals = [SignallingError("http_404", "no")] * 1000
        a.peers[0].is_closed_by_server = True
        await until(lambda: bool(stage.look()) and stage.total.join_failures["http_404"] >= 1, 15.0)
    assert (stage.total.closed_untold, stage.total.back_s.count, stage.total.moved) == (1, 0, {})


async def test_player_that_is_closed_before_its_time_goes_where_it_was_told() -> None:
    async with playing(Stub(), Stub(), ShortLife([beside()])) as stage:
        await stage.connected(stage.a)
        await stage.a.tell(move(stage.b.url, after_s=60.0))
        await asyncio.sleep(0.1)
        stage.servers[stage.a.url].peers[0].is_closed_by_server = True
        await stage.connected(stage.b)
    assert stage.ended[0].end == "closed_by_server"
    assert (stage.ended[0].moved, stage.ended[1].was_told, stage.total.moved) == (True, True, {STREAM: 1})
    assert stage.total.closed_untold == 0
