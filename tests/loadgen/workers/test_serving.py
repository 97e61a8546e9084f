"""A service in a process of its own: prepared, begun, asked every second, ended."""

import itertools
import os
import time

import pytest

from loadgen.figures import Interval, SessionFigures
from loadgen.workers.messages import Beat, Begin, End, Failed, Ready
from tests.loadgen.workers.conftest import Bench
from tests.loadgen.workers.services import (
    BEAT_S,
    GOODBYE_BEATS,
    LARGE,
    Broken,
    BrokenTake,
    Busy,
    Modest,
    Slow,
    SlowGoodbye,
    Talkative,
    Tiny,
    Unable,
)

RUN_END = End("run_end")


async def test_service_is_prepared_run_and_ended(bench: Bench) -> None:
    worker = bench.start(Tiny)
    assert await bench.told() == Ready()
    began_s = time.time() + 0.1
    worker.send(Begin(began_s))
    assert isinstance(await bench.told(), Beat)
    await bench.ends(worker, RUN_END)
    assert bench.diary.lines()[1:] == ["prepared", f"run {began_s}", "run is over", "end run_end"]


async def test_beats_are_numbered_and_follow_one_another(bench: Bench) -> None:
    worker = await bench.begun(Tiny)
    beats = [beat for beat in [await bench.told() for _ in range(4)] if isinstance(beat, Beat)]
    beats += await bench.ends(worker, RUN_END)
    assert [beat.number for beat in beats] == list(range(len(beats)))
    assert len(beats) >= 5, "the last one after the goodbyes"
    for before, beat in itertools.pairwise(beats):
        # The last one follows the goodbyes at once: it counts as a millisecond, however short it was.
        assert max(beat.interval.at_s - before.interval.at_s, 1e-3) == pytest.approx(beat.interval.seconds)
    assert all(beat.interval.at_s >= (beat.number + 1) * BEAT_S for beat in beats[:-1])
    assert all(beat.interval.joins == 1 for beat in beats)
    assert all(beat.ended == [SessionFigures("table", "viewers", 0.0)] for beat in beats)


async def test_beats_go_on_during_the_goodbyes(bench: Bench) -> None:
    worker = await bench.begun(SlowGoodbye)
    await bench.told()
    # Without them this goodbye would fail.
    beats = await bench.ends(worker, RUN_END)
    assert len(beats) > GOODBYE_BEATS, "the last one after the goodbyes"


async def test_cpu_of_a_busy_process_is_told(bench: Bench) -> None:
    worker = await bench.begun(Busy)
    intervals: list[Interval] = []
    # The machine has other things to do, too.
    while not any(interval.generator.busiest_share > 0.3 for interval in intervals) and len(intervals) < 200:
        beat = await bench.told()
        assert isinstance(beat, Beat)
        intervals.append(beat.interval)
    await bench.ends(worker, RUN_END)
    assert 0.3 < intervals[-1].generator.busiest_share <= 1.2
    for interval in intervals:
        told_s = interval.generator.busiest_share * interval.seconds
        assert interval.seconds <= BEAT_S / 2 or interval.generator.cpu_s == pytest.approx(told_s)


async def test_beats_larger_than_the_pipe_come_whole(bench: Bench) -> None:
    worker = await bench.begun(Talkative)
    beats = [await bench.told() for _ in range(3)]
    beats += await bench.ends(worker, RUN_END)
    assert all(isinstance(beat, Beat) and len(beat.ended) == LARGE for beat in beats)


async def test_end_before_the_beginning_has_no_beat(bench: Bench) -> None:
    worker = bench.start(Tiny)
    assert await bench.told() == Ready()
    assert await bench.ends(worker, End("interrupted")) == []
    assert bench.diary.lines()[1:] == ["prepared", "end interrupted"]


async def test_end_interrupts_the_preparations(bench: Bench) -> None:
    worker = bench.start(Slow)
    assert await bench.ends(worker, End("interrupted")) == []
    assert bench.diary.lines()[-1] == "end interrupted"
    assert "prepared" not in bench.diary.lines()


async def test_service_that_cannot_be_prepared_fails_with_its_sentence(bench: Bench) -> None:
    bench.start(Unable)
    assert await bench.told() == Failed("The studio cannot publish.")
    assert bench.diary.lines()[-1] == "end interrupted", "what it may have begun is ended"


async def test_service_that_raises_fails_and_is_ended(bench: Bench) -> None:
    await bench.begun(Broken)
    report = await bench.told_at_last()
    assert isinstance(report, Failed)
    assert report.sentence.startswith("A worker failed:\nTraceback")
    assert "ZeroDivisionError: a bug" in report.sentence
    assert bench.diary.lines()[-1] == "end interrupted"


async def test_service_that_cannot_tell_what_happened_fails_and_is_ended(bench: Bench) -> None:
    await bench.begun(BrokenTake)
    report = await bench.told_at_last()
    assert isinstance(report, Failed)
    assert "ZeroDivisionError: a bug" in report.sentence
    assert bench.diary.lines()[-2:] == ["run is over", "end interrupted"]


async def test_process_has_its_cores_and_all_files(bench: Bench) -> None:
    core = min(os.sched_getaffinity(0))
    bench.start(Modest, frozenset((core,)))
    assert await bench.told() == Ready()
    assert bench.diary.lines()[1:] == [f"cores [{core}]", "files True"]
