"""Players by LL-HLS in a crowd: they come, hop, vanish and stay like the others."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest

from loadgen.crowd import journey as journey_module
from loadgen.crowd.crowd import Crowd
from loadgen.crowd.lives import Visit
from loadgen.figures import Interval, SessionFigures
from loadgen.hls.fetcher import Fetcher
from loadgen.hls.player import HlsPlayer, Source
from loadgen.hls.playlists import Playlists
from tests.e2e.waiting import until
from tests.loadgen.crowd.fakes import ShortLife, casting, edges, visit
from tests.loadgen.hls.stub import Stub, serving


def by_hls(**how: Any) -> Visit:
    """One session by LL-HLS."""
    return replace(visit(**how), protocol="hls")


class Stage:
    """A crowd that runs, and what it told."""

    def __init__(self, url: str, *lives: ShortLife) -> None:
        self.players: list[HlsPlayer] = []
        self._url = url
        lives_of_group = [("tvs", cast(Any, life)) for life in lives]
        self.crowd = Crowd(lives_of_group, casting(hls_player_of=self._player), edges())
        self.total = Interval(0.0, 0.0)
        self.ended: list[SessionFigures] = []
        self._task = asyncio.create_task(self.crowd.run(time.time()))

    def _player(self, visit: Visit, figures: SessionFigures, began_s: float) -> HlsPlayer:
        source = Source(self._url, preload_hints=visit.preload_hints)
        player = HlsPlayer(source, Fetcher(None, lambda _host: False), Playlists(), figures, began_s)
        self.players.append(player)
        return player

    def look(self) -> Interval:
        """The newest interval; `total` and `ended` have all so far."""
        interval, ended = self.crowd.take()
        self.ended += ended
        self.total.merge(interval)
        return interval

    def has_ended(self, count: int) -> bool:
        """Whether so many sessions have."""
        self.look()
        return len(self.ended) >= count

    async def end(self) -> None:
        """As a worker ends it."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.crowd.end("run_end")
        self.look()


@pytest.fixture
async def stub() -> AsyncIterator[tuple[Stub, str]]:
    """A server, and where its stream is."""
    stub = Stub()
    async with serving(stub) as url:
        yield stub, url


async def test_players_by_hls_come_and_leave_in_every_way(stub: tuple[Stub, str]) -> None:
    ways = [by_hls(stay_s=0.3, leave=leave, away_s=0.0) for leave in ("hop", "tab_close", "goodbye")]
    stage = Stage(stub[1], ShortLife([*ways, by_hls()]))
    await until(lambda: stage.has_ended(3))
    await until(lambda: stage.look().hls_viewers == 1)
    await asyncio.sleep(0.5)
    await stage.end()
    assert [session.end for session in stage.ended] == ["hop", "tab_close", "goodbye", "run_end"]
    assert {session.protocol for session in stage.ended} == {"hls"}
    assert (stage.total.joins, stage.total.hls_join_s.count, stage.total.join_s.count) == (4, 4, 0)
    assert stage.total.goodbye_failures == 0
    assert stage.ended[-1].first_frame_s is not None
    assert sum(session.media.frames_complete for session in stage.ended) == stage.total.all_media.frames_complete > 0
    assert all(player._fetcher._http.closed for player in stage.players)


async def test_player_by_hls_whose_stream_ends_comes_again(
    stub: tuple[Stub, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey_module, "REJOIN_S", 0.05)
    server, url = stub
    stage = Stage(url, ShortLife([by_hls()]))
    await until(lambda: stage.look().hls_viewers == 1)
    await server.end()
    await until(lambda: stage.has_ended(1) and len(stage.players) > 1)
    await stage.end()
    assert stage.ended[0].end == "closed_by_server"


async def test_player_by_hls_that_is_refused_is_counted_by_its_cause(stub: tuple[Stub, str]) -> None:
    server, url = stub
    server.token = "secret"
    stage = Stage(url, ShortLife([by_hls()]))
    await until(lambda: stage.has_ended(1))
    await stage.end()
    assert (stage.total.join_failures, stage.total.hls_failures) == ({"http_401": 1}, {"http_401": 1})
    assert [session.end for session in stage.ended] == ["http_401"]


async def test_bug_of_a_player_by_hls_ends_it_and_no_other(
    stub: tuple[Stub, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(stub[1], ShortLife([by_hls()]), ShortLife([by_hls()]))
    await until(lambda: stage.look().hls_viewers == 2)

    def fall_over(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(stage.players[0]._screen._playback, "add_audio", fall_over)
    await until(lambda: stage.has_ended(1))
    assert stage.look().hls_viewers == 1
    await stage.end()
    assert [session.end for session in stage.ended] == ["internal_error", "run_end"]
