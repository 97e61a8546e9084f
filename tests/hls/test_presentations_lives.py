"""When a stream begins to be packaged, when it ends, and what is left of it."""

from collections.abc import AsyncIterator

import pytest

from gateway.config import HlsSettings, HlsStart
from gateway.errors import SignallingError
from gateway.hls.date_ranges import DateRange
from tests.hls.content import UNIX_S
from tests.hls.presentations_bench import GRACE_S, PresentationsBench
from tests.stream.doubles import VP8


@pytest.fixture
async def bench() -> AsyncIterator[PresentationsBench]:
    bench = PresentationsBench()
    yield bench
    bench.presentations.stop()


async def test_nothing_is_packaged_before_it_is_asked_for(bench: PresentationsBench) -> None:
    bench.publish("table")
    bench.run(1.0)
    assert len(bench.presentations) == 0


async def test_all_are_packaged_at_once_where_the_operator_wants_it() -> None:
    bench = PresentationsBench(HlsSettings(start=HlsStart.AT_ONCE, idle_s=5))
    bench.publish("table")
    bench.publish("vp8", VP8)
    bench.run(60.0)
    (presentation,) = bench.presentations
    assert presentation.packager.stream.name == "table"
    assert not presentation.packager.is_over, "nobody asks, and it goes on"
    bench.presentations.stop()


async def test_nothing_is_packaged_where_it_is_switched_off() -> None:
    bench = PresentationsBench(HlsSettings(start=HlsStart.AT_ONCE, enabled=False))
    bench.publish("table")
    bench.run(1.0)
    assert len(bench.presentations) == 0
    bench.presentations.stop()


async def test_stream_that_nobody_asks_for_is_no_longer_packaged(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    bench.run(50.0)
    assert bench.answers(presentation), "which is to ask"
    bench.run(59.0)
    assert len(bench.presentations) == 1
    bench.run(2.0)
    assert len(bench.presentations) == 0
    assert presentation.packager.video.is_ended


async def test_ended_generation_answers_for_two_windows(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    bench.run(3.0)
    bench.publish("table", VP8)
    bench.run(0.25)
    ended_s = presentation.ended_s
    assert ended_s is not None
    while bench.answers(presentation):
        bench.run(0.25)
    assert bench.now_s - ended_s == pytest.approx(2 * presentation.window_s, abs=0.5)


async def test_ended_generation_answers_though_its_stream_is_gone(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    bench.run(3.0)
    bench.unpublish("table")
    bench.run(GRACE_S + 2.0)
    assert bench.registry.stream("table") is None
    assert bench.answers(presentation)
    wish = presentation.playlist_wish("video", 7, None)
    assert await bench.presentations.wait_until(presentation, wish), "ENDLIST: nothing to wait for"


async def test_nothing_is_left_of_a_stream_that_is_gone(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    bench.publish("unwatched")
    for name in ("table", "unwatched"):
        bench.presentations.mark(name, DateRange("round-1", "round", UNIX_S), bench.now_s)
    bench.run(1.0)
    for name in ("table", "unwatched"):
        bench.unpublish(name)
    bench.run(GRACE_S + 1.0 + 2 * presentation.window_s)
    assert not bench.answers(presentation)
    for kept in ("date_ranges", "_rooms", "_figures_before", "_current", "_by_generation"):
        assert not getattr(bench.presentations, kept), kept


async def test_generation_belongs_to_its_stream(bench: PresentationsBench) -> None:
    for name in ("one", "two"):
        bench.publish(name)
    presentation = bench.open("one")
    assert bench.answers(presentation, "one")
    for name, generation in (
        ("two", presentation.generation),
        ("one", presentation.generation[:-1]),
        ("one", presentation.generation[:8]),
        ("one", ""),
    ):
        with pytest.raises(SignallingError) as refusal:
            bench.presentations.of_generation(name, generation, bench.now_s)
        assert refusal.value.status == 404
