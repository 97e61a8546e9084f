"""One player by LL-HLS against a server whose faults are known."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from aiohttp import web

from loadgen.errors import SignallingError
from loadgen.figures import Interval, SessionFigures
from loadgen.hls import player as player_module
from loadgen.hls.fetcher import MAX_CONNECTIONS, Fetcher
from loadgen.hls.player import HlsPlayer, Source
from loadgen.hls.playlists import Playlists
from tests.loadgen.hls.stub import HOLD_BACK_S, PART_S, Stub, serving

BUSY_S = 0.15
"""How late a busy machine may be."""


class Watched:
    """A player, and what it told."""

    def __init__(self, url: str, preload_hints: bool = False, token: str | None = None) -> None:
        self.began_s = time.time()
        fetcher = Fetcher(None, lambda _host: False)
        figures = SessionFigures("table", "tvs", 0.0, is_sampled=True, protocol="hls")
        self.player = HlsPlayer(Source(url, token, preload_hints), fetcher, Playlists(), figures, self.began_s)
        self.total = Interval(0.0, 0.0)

    async def join(self) -> None:
        await self.player.join(time.time())
        self.player.begin(time.time())

    async def watch(self, seconds: float) -> None:
        """So long; figures are taken every tenth of a second."""
        until_s = time.time() + seconds
        while time.time() < until_s:
            await asyncio.sleep(0.1)
            self.look()

    def look(self) -> None:
        interval = Interval(0.0, 0.0)
        self.player.take(interval, time.time())
        self.total.merge(interval)

    async def leave(self) -> SessionFigures:
        await self.player.leave(False)
        interval = Interval(0.0, 0.0)
        figures = self.player.finish(interval, "run_end", time.time())
        self.total.merge(interval)
        return figures


@asynccontextmanager
async def watching(stub: Stub, preload_hints: bool = False) -> AsyncIterator[Watched]:
    """A player that has joined."""
    async with serving(stub) as url:
        watched = Watched(url, preload_hints)
        await watched.join()
        try:
            yield watched
        finally:
            await watched.player.leave(True)


def paths(stub: Stub, kind: str) -> list[str]:
    """Media of one rendition that was asked for, in order: `12.3`."""
    return [path.split("/")[-1].removesuffix(".m4s") for path in stub.asked if f"/{kind}/" in path and "m4s" in path]


@pytest.mark.parametrize("preload_hints", [False, True])
async def test_player_plays_without_stalls_behind_the_live_edge(preload_hints: bool) -> None:
    stub = Stub()
    async with watching(stub, preload_hints) as watched:
        await watched.watch(2.0)
        figures = await watched.leave()
    total, hls = watched.total, watched.total.all_hls
    assert (hls.stalls, hls.gaps, hls.overlaps, hls.failures, hls.media_errors) == (0, 0, 0, 0, 0)
    assert total.broken_rules == {}
    assert hls.playlists > 20
    assert (hls.hinted_parts > 20) is preload_hints
    assert total.all_media.frames_complete >= 3 * 18
    assert (total.all_media.frames_incomplete, total.all_media.frames_broken) == (0, 0)
    assert figures.hls == hls
    assert figures.join_s is not None
    assert figures.first_frame_s is not None
    assert 0 < figures.join_s <= figures.first_frame_s < 1.0
    assert HOLD_BACK_S <= (figures.latency_p50_s or 0) < HOLD_BACK_S + PART_S + BUSY_S
    # The stamp is of when a part begins, which is its PROGRAM-DATE-TIME, for each of its three frames.
    assert figures.delay_p50_s == pytest.approx(figures.latency_p50_s, abs=PART_S)


@pytest.mark.parametrize("preload_hints", [False, True])
async def test_parts_are_asked_for_in_order_and_each_once(preload_hints: bool) -> None:
    stub = Stub()
    async with watching(stub, preload_hints) as watched:
        await watched.watch(1.2)
    for kind in ("video", "audio"):
        positions = [tuple(map(int, name.split("."))) for name in paths(stub, kind)]
        assert len(positions) > 10
        for (msn, part), following in pairwise(positions):
            assert following in ((msn, part + 1), (msn + 1, 0))


async def test_reloads_ask_for_the_next_part_and_skip_what_is_known() -> None:
    stub = Stub(history_s=9.0)
    async with watching(stub) as watched:
        await watched.watch(1.0)
        hls = watched.total.all_hls
    reloads = [path.partition("?")[2] for path in stub.asked if "video.m3u8?" in path]
    assert len(reloads) == len(set(reloads)) > 5
    assert all(query.startswith("_HLS_msn=") and query.endswith("&_HLS_skip=YES") for query in reloads)
    assert hls.delta_updates > 10
    assert (hls.gaps, watched.total.broken_rules) == (0, {})


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


# What is measured


async def test_pause_of_the_stream_is_one_stall_of_its_length() -> None:
    pause_s = 1.5
    stub = Stub()
    async with watching(stub) as watched:
        await watched.watch(0.8)
        stub.pause()
        await watched.watch(pause_s)
        stub.go_on()
        await watched.watch(0.8)
        figures = await watched.leave()
    hls, media = watched.total.all_hls, watched.total.all_media
    # What was in the buffer is played first; the stall ends with the first part after the pause.
    assert (hls.stalls, media.freezes) == (1, 1)
    assert hls.stalled_s == pytest.approx(pause_s - HOLD_BACK_S + PART_S, abs=PART_S + BUSY_S)
    assert media.frozen_s == hls.stalled_s == pytest.approx(figures.longest_gap_s)


async def test_stall_that_goes_on_to_the_end_is_counted() -> None:
    stub = Stub()
    async with watching(stub) as watched:
        await watched.watch(0.5)
        stub.pause()
        await watched.watch(1.0)
        figures = await watched.leave()
    assert figures.hls is not None
    assert figures.hls.stalls == 1
    assert figures.hls.stalled_s == pytest.approx(1.0 - HOLD_BACK_S, abs=PART_S + BUSY_S)


@pytest.mark.parametrize("preload_hints", [False, True])
@pytest.mark.parametrize("late_s", [0.06, 0.25])
async def test_late_server_is_measured_as_late_as_it_is(late_s: float, preload_hints: bool) -> None:
    async with watching(Stub(late_s=late_s), preload_hints) as watched:
        await watched.watch(2.0)
        await watched.leave()
    requests, lateness = watched.total.hls_request_s, watched.total.hls_lateness_s
    assert requests.count > 5
    assert lateness.count > 5
    assert late_s <= (requests.quantile(0.5) or 0) * 1.01 < late_s + BUSY_S
    # A server that needs longer for an answer than for a part is asked for each too late, on top.
    asked_late_s = late_s if late_s > PART_S else 0.0
    assert late_s <= (lateness.quantile(0.5) or 0) * 1.01 < late_s + asked_late_s + BUSY_S


async def test_server_that_is_not_late_is_measured_as_it_is() -> None:
    async with watching(Stub()) as watched:
        await watched.watch(1.0)
    assert (watched.total.hls_request_s.quantile(0.5) or 9) < BUSY_S
    assert (watched.total.hls_lateness_s.quantile(0.5) or 9) < BUSY_S


async def test_gap_between_parts_is_missing_frames() -> None:
    stub = Stub()
    async with watching(stub) as watched:
        await watched.watch(0.3)
        stub.gap_ticks = 2 * 3_000
        await watched.watch(0.6)
    hls = watched.total.all_hls
    assert (hls.gaps, hls.overlaps, watched.total.all_media.frames_incomplete) == (1, 0, 2)
    assert hls.gap_s == pytest.approx(6_000 / 90_000)


async def test_overlap_of_parts_is_counted() -> None:
    stub = Stub()
    async with watching(stub) as watched:
        await watched.watch(0.3)
        stub.gap_ticks = -3_000
        await watched.watch(0.6)
    assert (watched.total.all_hls.gaps, watched.total.all_hls.overlaps) == (0, 1)


async def test_discontinuity_is_no_gap_and_brings_another_init_section() -> None:
    stub = Stub()
    async with watching(stub, preload_hints=True) as watched:
        await watched.watch(0.3)
        stub.break_timeline()
        # The parts of the segment that is under way have the new time already: one gap in each rendition.
        await watched.watch(1.5)
    hls = watched.total.all_hls
    assert (hls.discontinuities, hls.init_sections, hls.stalls) == (2, 4, 0)
    assert watched.total.broken_rules == {}


async def test_rule_that_is_broken_is_counted_by_its_name() -> None:
    stub = Stub(spoil=lambda text: text.replace("PART-HOLD-BACK=0.3", "PART-HOLD-BACK=0.1"))
    async with watching(stub) as watched:
        await watched.watch(0.3)
    rules = watched.total.broken_rules
    assert set(rules) == {"part_hold_back_too_short"}
    assert watched.total.all_hls.playlist_errors == rules.total() == watched.total.all_hls.playlists - 1


async def test_reload_that_is_not_blocked_is_counted_and_not_repeated_at_once() -> None:
    stub = Stub()

    def answer_at_once(request: web.Request) -> web.Response | None:
        kind = request.path.split("/")[-1].removesuffix(".m3u8")
        return web.Response(text=stub.playlist(kind)) if "_HLS_msn" in request.query else None

    stub.refuse = answer_at_once
    async with watching(stub) as watched:
        await watched.watch(0.6)
    assert set(watched.total.broken_rules) == {"reload_not_blocked"}
    assert len([path for path in stub.asked if "video.m3u8" in path]) < 30


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
    assert (figures.hls.stalls, figures.hls.restarts) == (0, 0)


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


async def test_window_that_went_on_without_the_player_is_an_overrun() -> None:
    stub = Stub(window=4)
    async with watching(stub) as watched:
        await watched.watch(0.3)
        stub.refuse = _HoldsUp(1.9)
        await watched.watch(4.0)
        hls = watched.total.all_hls
    assert (hls.overruns, hls.restarts, hls.stalls) == (1, 0, 1)
    assert watched.total.all_media.frames_complete > 30


class _HoldsUp:
    """Refuses parts of video for some time."""

    def __init__(self, seconds: float) -> None:
        self._until_s = time.time() + seconds

    def __call__(self, request: web.Request) -> web.Response | None:
        is_video = "/video/" in request.path and "m4s" in request.path
        return (
            web.Response(status=503, headers={"Retry-After": "2"}) if is_video and time.time() < self._until_s else None
        )


async def test_refusal_at_the_deadline_is_asked_again() -> None:
    refused: list[str] = []

    def refuse_once(request: web.Request) -> web.Response | None:
        if "_HLS_msn" in request.query and not refused:
            refused.append(request.path)
            return web.Response(status=503)
        return None

    async with watching(Stub(refuse=refuse_once)) as watched:
        await watched.watch(1.5)
        hls = watched.total.all_hls
    assert (hls.failures, watched.total.hls_failures) == (1, {"http_503": 1})
    assert hls.restarts == 0
    assert watched.total.all_media.frames_complete > 20


async def test_hint_that_is_refused_is_missed_and_the_part_taken_when_it_is_listed() -> None:
    stub = Stub()

    def refuse_hints(request: web.Request) -> web.Response | None:
        name = request.path.split("/")[-1].removesuffix(".m4s")
        is_hint = "m4s" in request.path and tuple(map(int, name.split("."))) == stub._next_position
        return web.Response(status=404) if is_hint else None

    stub.refuse = refuse_hints
    async with watching(stub, preload_hints=True) as watched:
        await watched.watch(1.0)
        hls = watched.total.all_hls
    assert hls.hints_missed > 5
    assert (hls.hinted_parts, hls.gaps) == (0, 0)
    assert watched.total.all_media.frames_complete > 20


async def test_media_that_cannot_be_read_are_counted() -> None:
    stub = Stub()
    stub.refuse = lambda request: (
        web.Response(body=b"no box") if "/audio/" in request.path and "m4s" in request.path else None
    )
    async with watching(stub) as watched:
        await watched.watch(0.5)
    assert watched.total.all_hls.media_errors > 2
    assert watched.player.figures.first_frame_s is None
