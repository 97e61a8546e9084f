"""A crowd of real players whose server is a test's."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from loadgen.crowd import crowd as crowd_module
from loadgen.crowd import journey as journey_module
from loadgen.crowd import rounds as rounds_module
from loadgen.crowd.crowd import Crowd
from loadgen.crowd.lives import Visit
from loadgen.figures import Interval, SessionFigures
from loadgen.scenario.bounds import MAX_PLAYERS, MAX_REQUESTS_PER_S
from tests.e2e.waiting import until
from tests.loadgen.crowd.fakes import HOUR_S, FakePeer, FakeServer, ShortLife, casting, edges, refusal, visit

SOON_S = 0.02


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second is waited for in vain."""
    monkeypatch.setattr(journey_module, "REJOIN_S", SOON_S)
    monkeypatch.setattr(rounds_module, "_CHECK_ROUNDS", 5)
    monkeypatch.setattr(rounds_module, "_REPORT_ROUNDS", 5)


class Stage:
    """A crowd that runs, and what it told."""

    def __init__(self, *lives: ShortLife) -> None:
        self.server = FakeServer()
        lives_of_group = [("viewers", cast(Any, life)) for life in lives]
        self.crowd = Crowd(lives_of_group, casting(peer_of=self._peer), edges())
        self.total = Interval(at_s=0.0, seconds=0.0)
        self.ended: list[SessionFigures] = []
        self._task: asyncio.Task[None] | None = None

    def _peer(self, visit: Visit) -> FakePeer:
        return self.server.peer(visit.stream)

    def begin(self) -> None:
        """The run begins."""
        self._task = asyncio.create_task(self.crowd.run(time.time()))

    async def end(self, cause: str = "run_end") -> None:
        """As a worker ends it."""
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.crowd.end(cause)
        self.look()

    def look(self) -> Interval:
        """The newest interval; `total` and `ended` have all so far."""
        interval, ended = self.crowd.take()
        self.ended += ended
        self.total.merge(interval)
        return interval

    async def watching(self, count: int = 1) -> FakePeer:
        """Once so many watch; the newest peer."""
        await until(lambda: self.look().viewers == count)
        return self.server.peers[-1]

    async def over(self, count: int = 1) -> None:
        """Once so many sessions have ended."""

        def are_over() -> bool:
            self.look()
            return len(self.ended) >= count

        await until(are_over)

    @property
    def ends(self) -> list[str]:
        """How sessions ended, in order."""
        return [session.end for session in self.ended]


@pytest.fixture
async def stages() -> AsyncIterator[list[Stage]]:
    stages: list[Stage] = []
    yield stages
    for stage in stages:
        if stage._task is not None:
            stage._task.cancel()
            await asyncio.gather(stage._task, return_exceptions=True)
        stage.crowd.rounds.close()
        stage.server.close()


def _stage(stages: list[Stage], *lives: ShortLife) -> Stage:
    stage = Stage(*lives)
    stages.append(stage)
    return stage


# Joining


async def test_player_joins_and_is_read(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit()]))
    stage.begin()
    peer = await stage.watching()
    peer.show(peer.video.frame(size=3, is_keyframe=True))
    await until(lambda: (stage.look(), stage.total.all_media.packets)[1] == 3)
    assert (stage.total.joins, stage.total.join_s.count, stage.total.first_frame_s.count) == (1, 1, 1)
    await stage.end()
    (session,) = stage.ended
    assert (session.stream, session.group, session.end) == ("table", "viewers", "run_end")
    assert session.media.packets == 3
    assert session.join_s is not None


async def test_player_comes_when_it_is_to(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit()], arrives_s=HOUR_S), ShortLife([visit()], arrives_s=0.05))
    stage.begin()
    await stage.watching()
    await stage.end()
    assert len(stage.server.peers) == 1
    assert 0.04 <= stage.ended[0].started_s < 5


async def test_refused_player_is_counted_and_comes_again(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit()]))
    stage.server.refusals = [refusal("http_503"), refusal("ice_timeout")]
    stage.begin()
    await stage.watching()
    assert stage.total.join_failures == Counter(http_503=1, ice_timeout=1)
    assert (stage.total.joins, stage.total.ended) == (1, Counter())
    assert stage.ends == ["http_503", "ice_timeout"]
    assert stage.ended[1].started_s - stage.ended[0].ended_s >= SOON_S / 2
    assert [session.join_s for session in stage.ended] == [None, None]
    await stage.end()


async def test_player_that_is_always_refused_asks_less_and_less_often(
    stages: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey_module, "MAX_REJOIN_S", 8 * SOON_S)
    stage = _stage(stages, ShortLife([visit()]))
    stage.server.refusals = [refusal("http_503") for _ in range(100)]
    stage.begin()
    await asyncio.sleep(24 * SOON_S)
    stage.look()
    # At 0, 1, 3, 7, 15 and 23 times SOON_S.
    assert stage.total.join_failures["http_503"] <= 6
    await until(lambda: (stage.look(), stage.total.join_failures["http_503"])[1] >= 3)


def test_all_players_there_can_be_ask_no_more_often_than_is_allowed() -> None:
    assert MAX_PLAYERS / journey_module.MAX_REJOIN_S <= MAX_REQUESTS_PER_S


async def test_join_in_progress_is_shown(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit()]))
    stage.server.post.clear()
    stage.begin()
    await until(lambda: stage.look().joining == 1)
    stage.server.post.set()
    await stage.watching()
    assert stage.look().joining == 0
    await stage.end()


# Leaving


@pytest.mark.parametrize("leave", ["goodbye", "tab_close", "hop"])
async def test_player_leaves_after_its_stay(stages: list[Stage], leave: str) -> None:
    stage = _stage(stages, ShortLife([visit("one", SOON_S, leave, 0.0), visit("two")]))
    stage.begin()
    await stage.over()
    assert (stage.ends, stage.total.ended) == ([leave], Counter({leave: 1}))
    first = stage.server.peers[0]
    assert first.is_closed
    assert first.restarts == 0, "nobody asked for an ICE restart"
    assert (stage.server.deletes, first.has_said_close_notify) == (
        (Counter(), False) if leave == "tab_close" else (Counter({"one/1": 1}), True)
    )
    assert (await stage.watching()).name == "two/2"
    await stage.end()


async def test_somebody_comes_in_its_place_after_a_while(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit("one", SOON_S, "goodbye", 0.2), visit("two")]))
    stage.begin()
    await stage.watching()
    await stage.over()
    await stage.watching()
    await stage.end()
    first, second = stage.ended
    assert second.started_s - first.ended_s >= 0.19


async def test_last_visit_is_the_end_of_a_life(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit(stay_s=SOON_S, leave="goodbye")]))
    stage.begin()
    await stage.over()
    await asyncio.sleep(3 * SOON_S)
    assert (len(stage.server.peers), stage.look().viewers, len(stage.crowd.rounds)) == (1, 0, 0)
    await stage.end()
    assert stage.ends == ["goodbye"]


async def test_what_is_sent_until_the_delete_is_counted(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit(stay_s=0.2, leave="goodbye")]))
    stage.begin()
    peer = await stage.watching()
    peer.show(peer.video.frame(size=2, is_keyframe=True))
    peer.last_frame = peer.video.frame(size=5)
    await stage.over()
    assert stage.total.all_media.packets == stage.ended[0].media.packets == 7
    await stage.end()


async def test_delete_that_takes_long_is_no_time_watched(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit(stay_s=0.1, leave="goodbye")]))
    stage.server.answers_delete.clear()
    began_s = time.time()
    stage.begin()
    peer = await stage.watching()
    peer.show(peer.video.frame(size=2, is_keyframe=True))
    await until(lambda: stage.server.deleting == 1)
    assert stage.look().viewers == 0
    peer.show(peer.video.frame(size=3))
    left_s = time.time() - began_s
    await asyncio.sleep(0.3)
    stage.server.answers_delete.set()
    await stage.over()
    (session,) = stage.ended
    assert session.media.packets == 5
    assert session.ended_s <= left_s
    assert session.media.watched_s <= left_s
    await stage.end()


async def test_session_that_the_server_ends_begins_again(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit(stay_s=HOUR_S, leave="hop", away_s=0.0), visit("other")]))
    stage.begin()
    peer = await stage.watching()
    peer.is_closed_by_server = True
    await stage.over()
    assert stage.ends == ["closed_by_server"]
    assert (await stage.watching()).name == "table/2", "the same visit again"
    await stage.end()
    assert stage.total.ended == Counter(closed_by_server=1, run_end=1)


# Networks


@pytest.mark.parametrize(("takes_deletes", "failures"), [(True, 0), (False, 2)])
async def test_session_whose_delete_is_not_taken_is_counted(
    stages: list[Stage], takes_deletes: bool, failures: int
) -> None:
    stage = _stage(stages, ShortLife([visit()]), ShortLife([visit()]))
    stage.server.takes_deletes = takes_deletes
    stage.begin()
    await stage.watching(2)
    await stage.end()
    stage.look()
    assert stage.total.goodbye_failures == failures


async def test_player_whose_network_changes_is_read_on_its_new_socket(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit(ice_restart_every_s=0.1)]))
    stage.begin()
    peer = await stage.watching()
    await until(lambda: peer.restarts == 1)
    peer.show(peer.video.frame(size=2, is_keyframe=True))
    await until(lambda: (stage.look(), stage.total.all_media.packets)[1] == 2)
    await until(lambda: peer.restarts >= 3)
    await stage.end()
    assert stage.total.ice_restarts == stage.ended[0].ice_restarts == peer.restarts
    assert stage.ends == ["run_end"]


async def test_server_that_cannot_restart_ice_keeps_its_player(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit(ice_restart_every_s=0.1)]))
    stage.server.restarts_ice = False
    stage.begin()
    peer = await stage.watching()
    await until(lambda: peer.restarts >= 2)
    assert stage.look().viewers == 1
    await stage.end()
    assert (stage.total.ice_restarts, stage.ends) == (0, ["run_end"])
    assert stage.total.ice_restart_failures == {"http_405": peer.restarts}


# Our own bugs


@pytest.mark.parametrize("method", ["check", "restart_ice", "take_rtts_s"])
async def test_player_that_fails_ends_and_the_others_go_on(
    stages: list[Stage], method: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = _stage(stages, *(ShortLife([visit(ice_restart_every_s=0.2)]) for _ in range(3)))
    stage.begin()
    await stage.watching(3)
    broken, *others = stage.server.peers
    broken.raises = {method}
    await stage.over()
    assert stage.total.ended == Counter(internal_error=1)
    assert (broken.is_closed, stage.server.deletes) == (True, Counter({broken.name: 1}))
    checks = [peer.checks for peer in others]
    await until(lambda: all(peer.checks > before for peer, before in zip(others, checks, strict=True)))
    assert stage.look().viewers == 2
    assert len(stage.server.peers) == 3, "it does not come again"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert f"ZeroDivisionError: {method}" in caplog.text
    await stage.end()
    assert stage.total.ended == Counter(internal_error=1, run_end=2)


async def test_player_that_fails_to_begin_does_not_come_again(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit()]), ShortLife([visit()]))
    stage.server.refusals = [ZeroDivisionError("a bug")]
    stage.begin()
    await stage.watching(1)
    await asyncio.sleep(3 * SOON_S)
    assert stage.total.join_failures == Counter(internal_error=1)
    assert len(stage.server.peers) == 2
    await stage.end()
    assert stage.server.open == set()


# The end of the run


async def test_end_deletes_all_sessions_a_few_at_a_time(stages: list[Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd_module, "MAX_FAREWELLS", 3)
    stage = _stage(stages, *(ShortLife([visit()]) for _ in range(10)))
    stage.begin()
    await stage.watching(10)
    await stage.end("interrupted")
    assert stage.total.ended == Counter(interrupted=10)
    assert stage.server.open == set()
    assert set(stage.server.deletes.values()) == {1}
    assert stage.server.most_deleting == 3
    assert all(peer.is_closed and peer.has_said_close_notify for peer in stage.server.peers)
    assert stage.look().viewers == 0


async def test_who_waits_for_its_goodbye_is_still_read(stages: list[Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd_module, "MAX_FAREWELLS", 1)
    stage = _stage(stages, ShortLife([visit()]), ShortLife([visit()]))
    stage.begin()
    await stage.watching(2)
    stage.server.answers_delete.clear()
    ending = asyncio.create_task(stage.end())
    await until(lambda: stage.server.deleting == 1)
    checks = [peer.checks for peer in stage.server.peers]
    await until(lambda: all(p.checks > before for p, before in zip(stage.server.peers, checks, strict=True)))
    assert stage.look().viewers == 1
    for peer in stage.server.peers:
        peer.show(peer.video.frame(size=2, is_keyframe=True))
    stage.server.answers_delete.set()
    await ending
    assert stage.total.all_media.packets == 4


async def test_end_deletes_who_is_joining_or_leaving(stages: list[Stage]) -> None:
    stage = _stage(
        stages,
        ShortLife([visit("leaves", SOON_S, "goodbye")]),
        ShortLife([visit("joins")]),
        ShortLife([visit("absent")], arrives_s=HOUR_S),
    )
    stage.server.unanswered.add("joins")
    stage.server.answers_delete.clear()
    stage.begin()
    await until(lambda: (stage.look().joining, stage.server.deleting) == (1, 1))
    asyncio.get_running_loop().call_later(0.1, stage.server.answers_delete.set)
    await stage.end()
    assert stage.server.deletes == Counter({"leaves/1": 1, "joins/2": 1})
    assert stage.total.ended == Counter(goodbye=1), "it left by itself; who never joined has not ended"
    assert stage.total.join_failures == Counter()
    assert all(peer.is_closed for peer in stage.server.peers)


async def test_end_is_bounded_when_the_server_hangs(stages: list[Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd_module, "FAREWELL_WITHIN_S", 0.2)
    monkeypatch.setattr(crowd_module, "MAX_FAREWELLS", 2)
    stage = _stage(stages, *(ShortLife([visit()]) for _ in range(5)))
    stage.begin()
    await stage.watching(5)
    stage.server.answers_delete.clear()
    began_s = time.monotonic()
    await stage.end()
    assert time.monotonic() - began_s < 10, "as shipped it would be 20 s"
    assert stage.total.ended == Counter(run_end=5)
    assert all(peer.is_closed for peer in stage.server.peers)
    assert stage.look().viewers == 0


async def test_end_of_a_crowd_that_never_ran_does_nothing(stages: list[Stage]) -> None:
    stage = _stage(stages, ShortLife([visit()]))
    await stage.crowd.end("interrupted")
    stage.look()
    assert (stage.ended, stage.server.peers) == ([], [])
