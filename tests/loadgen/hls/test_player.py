"""One player by LL-HLS against a server whose faults are known."""

import asyncio
import contextlib
import time

import pytest
from aiohttp import web

from loadgen.errors import SignallingError
from loadgen.hls import player as player_module
from loadgen.hls.fetcher import MAX_CONNECTIONS
from tests.loadgen.hls.stub import HOLD_BACK_S, PART_S, Stub, serving
from tests.loadgen.hls.watching import BUSY_S, Watched, watching


@pytest.mark.parametrize("preload_hints", [False, True])
async def test_player_plays_without_stalls_behind_the_live_edge(preload_hints: bool) -> None:
    stub = Stub()
    async with watching(stub, preload_hints) as watched:
        await watched.watch(2.0)
        figures = await watched.leave()
    total, hls = watched.total, watched.total.all_hls
    assert hls.stalls <= watched.stalls_excused
    assert (hls.gaps, hls.overlaps, hls.failures, hls.media_errors) == (0, 0, 0, 0)
    assert total.broken_rules == {}
    assert hls.playlists > 20
    assert (hls.hinted_parts > 20) is preload_hints
    assert total.all_media.frames_complete >= 3 * 18
    assert (total.all_media.frames_incomplete, total.all_media.frames_broken) == (0, 0)
    assert figures.hls == hls
    assert figures.join_s is not None
    assert figures.first_frame_s is not None
    assert 0 < figures.join_s <= figures.first_frame_s < 1.0 + watched.held_up_s
    assert HOLD_BACK_S <= (figures.latency_p50_s or 0) < HOLD_BACK_S + PART_S + BUSY_S + watched.held_up_s
    # The stamp is of when a part begins, which is its PROGRAM-DATE-TIME, for each of its three frames.
    assert figures.delay_p50_s == pytest.approx(figures.latency_p50_s, abs=PART_S)


async def test_player_keeps_its_connections() -> None:
    stub = Stub()
    async with watching(stub, preload_hints=True) as watched:
        await watched.watch(1.0)
    assert len(stub.connections) <= MAX_CONNECTIONS
    assert sum(stub.connections.values()) > 5 * MAX_CONNECTIONS


async def test_token_goes_with_the_multivariant_playlist_alone() -> None:
    seen = []

    def note(request: web.Request) -> None:
        seen.append((request.path.endswith("index.m3u8"), "Authorization" in request.headers))

    stub = Stub(token="secret", refuse=note)
    async with serving(stub) as url:
        watched = Watched(url, token="secret")
        await watched.join()
        await watched.leave()
    assert set(seen) == {(True, True), (False, False)}


async def test_token_that_is_missing_fails_the_join_by_its_status() -> None:
    async with serving(Stub(token="secret")) as url:
        watched = Watched(url)
        with pytest.raises(SignallingError, match="http_401") as raised:
            await watched.join()
    assert raised.value.cause == watched.player.figures.end == "http_401"


async def test_server_without_the_stream_fails_the_join_by_its_status() -> None:
    def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "1"})

    async with serving(Stub(refuse=refuse)) as url:
        watched = Watched(url)
        with pytest.raises(SignallingError, match="http_503"):
            await watched.join()
        figures = watched.player.finish(watched.total, "http_503", time.time())
    assert (figures.join_s, figures.first_frame_s, watched.total.hls_failures) == (None, None, {"http_503": 1})


# What goes wrong


async def test_end_of_the_stream_ends_the_session_when_all_was_shown() -> None:
    stub = Stub()
    async with watching(stub) as watched:
        await watched.watch(0.5)
        await stub.end()
        assert not watched.player.over.is_set()
        await asyncio.wait_for(watched.player.over.wait(), 3.0)
        figures = await watched.leave()
    assert figures.hls is not None
    assert figures.hls.stalls <= watched.stalls_excused
    assert figures.hls.restarts == 0


async def test_generation_that_is_gone_is_begun_anew() -> None:
    stub = Stub()
    async with watching(stub) as watched:
        await watched.watch(0.5)
        frames = watched.total.all_media.frames_complete
        stub.restart()
        await watched.watch(2.5)
        hls = watched.total.all_hls
    assert hls.restarts == 1
    assert hls.failures >= 1
    assert watched.total.all_media.frames_complete > frames + 3 * 10
    assert (hls.gaps, hls.media_errors) == (0, 0)


async def test_stream_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player_module, "GIVE_UP_S", 1.0)
    stub = Stub()
    async with watching(stub) as watched:
        await watched.watch(0.3)
        stub.refuse = lambda _request: web.Response(status=404)
        stub.go_on()
        await asyncio.wait_for(watched.player.over.wait(), 5.0)


async def test_leave_ends_a_player_that_lost_its_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player_module, "CANCEL_AGAIN_S", 0.05)

    async def once_deaf() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    async with serving(Stub()) as url:
        player = Watched(url).player
        player._task = asyncio.create_task(once_deaf())
        await asyncio.sleep(0)
        async with asyncio.timeout(2):
            await player.leave(True)
    assert player._task.cancelled()
