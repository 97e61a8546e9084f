"""Reloads, against a server whose faults are known."""

import pytest
from aiohttp import web

from tests.loadgen.hls.stub import PART_S, Stub
from tests.loadgen.hls.watching import BUSY_S, watching


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


@pytest.mark.parametrize("preload_hints", [False, True])
@pytest.mark.parametrize("late_s", [0.06, 0.25])
async def test_late_server_is_measured_as_late_as_it_is(late_s: float, preload_hints: bool) -> None:
    async with watching(Stub(late_s=late_s), preload_hints) as watched:
        await watched.watch(2.0)
        await watched.leave()
    requests, lateness = watched.total.hls_request_s, watched.total.hls_lateness_s
    assert requests.count > 5
    assert lateness.count > 5
    assert late_s <= (requests.quantile(0.5) or 0) * 1.01 < late_s + BUSY_S + watched.held_up_s
    # A server that needs longer for an answer than for a part is asked for each too late, on top.
    asked_late_s = late_s if late_s > PART_S else 0.0
    assert late_s <= (lateness.quantile(0.5) or 0) * 1.01 < late_s + asked_late_s + BUSY_S + watched.held_up_s


async def test_server_that_is_not_late_is_measured_as_it_is() -> None:
    async with watching(Stub()) as watched:
        await watched.watch(1.0)
    assert (watched.total.hls_request_s.quantile(0.5) or 9) < BUSY_S + watched.held_up_s
    assert (watched.total.hls_lateness_s.quantile(0.5) or 9) < BUSY_S + watched.held_up_s
