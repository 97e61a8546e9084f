"""Stalls, at a server that pauses."""

import pytest

from tests.loadgen.hls.stub import HOLD_BACK_S, PART_S, Stub
from tests.loadgen.hls.watching import BUSY_S, watching


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
    assert 1 <= hls.stalls == media.freezes <= 1 + watched.stalls_excused
    assert hls.stalled_s == pytest.approx(pause_s - HOLD_BACK_S + PART_S, abs=PART_S + BUSY_S + watched.held_up_s)
    assert media.frozen_s == hls.stalled_s
    assert 0 <= round(hls.stalled_s - figures.longest_gap_s, 6) <= watched.held_up_s


async def test_stall_that_goes_on_to_the_end_is_counted() -> None:
    stub = Stub()
    async with watching(stub) as watched:
        await watched.watch(0.5)
        stub.pause()
        await watched.watch(1.0)
        figures = await watched.leave()
    assert figures.hls is not None
    assert 1 <= figures.hls.stalls <= 1 + watched.stalls_excused
    assert figures.hls.stalled_s == pytest.approx(1.0 - HOLD_BACK_S, abs=PART_S + BUSY_S + watched.held_up_s)
