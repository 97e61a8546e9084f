"""Parts, against a server whose faults are known."""

import time
from itertools import pairwise

import pytest
from aiohttp import web

from tests.loadgen.hls.stub import Stub
from tests.loadgen.hls.watching import paths, watching


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
    assert (hls.discontinuities, hls.init_sections) == (2, 4)
    assert hls.stalls <= watched.stalls_excused
    assert watched.total.broken_rules == {}


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


async def test_window_that_went_on_without_the_player_is_an_overrun() -> None:
    stub = Stub(window=4)
    async with watching(stub) as watched:
        await watched.watch(0.3)
        stub.refuse = _HoldsUp(1.9)
        await watched.watch(4.0)
        hls = watched.total.all_hls
    assert (hls.overruns, hls.restarts) == (1, 0)
    assert 1 <= hls.stalls <= 1 + watched.stalls_excused
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
