"""What is opened, waited for and counted."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.hls.date_ranges import DateRange
from gateway.hls.playlist import Skip
from gateway.wire.formats import TrackFormat
from tests.hls.content import UNIX_S, continuous
from tests.hls.presentations_bench import GRACE_S, PresentationsBench
from tests.stream.doubles import H264, OPUS, VP8


@pytest.fixture
async def bench() -> AsyncIterator[PresentationsBench]:
    bench = PresentationsBench()
    yield bench
    bench.presentations.stop()


# Opening


async def test_unknown_stream_is_refused(bench: PresentationsBench) -> None:
    refusal = bench.refused("table")
    assert refusal.status == 404
    assert refusal.headers["Retry-After"]


async def test_name_that_is_none_is_refused(bench: PresentationsBench) -> None:
    assert bench.refused("../table").status == 404


async def test_stream_that_nobody_publishes_is_refused(bench: PresentationsBench) -> None:
    bench.publish("table")
    bench.unpublish("table")
    assert bench.refused("table").status == 404


@pytest.mark.parametrize("formats", [(VP8, OPUS), (OPUS,)])
async def test_stream_without_h264_is_refused(bench: PresentationsBench, formats: tuple[TrackFormat, ...]) -> None:
    bench.publish("table", *formats)
    refusal = bench.refused("table")
    assert refusal.status == 406
    assert "H264" in str(refusal)
    assert len(bench.presentations) == 0


async def test_nothing_is_opened_once_stopped(bench: PresentationsBench) -> None:
    bench.publish("table")
    bench.presentations.stop()
    assert bench.refused("table").status == 503


async def test_opened_twice_is_one(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    bench.run(1.0)
    assert bench.open() is presentation
    assert list(bench.presentations) == [presentation]
    assert bench.presentations.current("table") is presentation


async def test_streams_are_packaged_by_themselves(bench: PresentationsBench) -> None:
    for name in ("one", "two"):
        bench.publish(name)
        bench.open(name)
    bench.run(3.0)
    assert [each.packager.video.last for each in bench.presentations] == [(1, 3), (1, 3)]


async def test_packager_that_fails_does_not_stop_the_others(
    bench: PresentationsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        bench.publish(name)
        bench.open(name)

    def fail(_now_s: float) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(bench.open("one").packager, "pump", fail)
    bench.run(0.5)
    assert bench.open("two").packager.video.last == (0, 1)


async def test_other_codec_ends_the_generation(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    bench.run(3.0)
    bench.publish("table", VP8)
    bench.run(0.5)
    assert presentation.packager.video.is_ended
    assert bench.refused("table").status == 406
    bench.publish("table")
    following = bench.open()
    assert following.generation != presentation.generation
    assert bench.answers(presentation)


async def test_stream_of_the_same_name_is_another_generation(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    bench.run(1.0)
    bench.unpublish("table")
    bench.run(GRACE_S + 0.5)
    assert bench.registry.stream("table") is None
    assert presentation.packager.video.is_ended
    bench.publish("table")
    assert bench.open() is not presentation


# Waiting, marks and figures


async def test_waiting_request_goes_on_with_its_part(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    bench.run(1.0)
    msn, part = presentation.packager.video.hinted
    wish = presentation.playlist_wish("video", msn, part)
    task = asyncio.create_task(bench.presentations.wait_until(presentation, wish))
    await asyncio.sleep(0)
    assert bench.presentations.waiting("table") == 1
    bench.run(0.5)
    assert await task
    assert bench.presentations.waiting("table") == 0
    assert bench.presentations.waiting("unknown") == 0


async def test_all_who_wait_are_sent_away_at_the_stop(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    task = asyncio.create_task(bench.presentations.wait_until(presentation, lambda: False))
    await asyncio.sleep(0)
    bench.presentations.stop()
    assert await task is False


async def test_end_lets_those_who_wait_go_on(bench: PresentationsBench) -> None:
    bench.publish("table")
    presentation = bench.open()
    bench.run(1.0)
    wish = presentation.playlist_wish("video", 1, 0)
    task = asyncio.create_task(bench.presentations.wait_until(presentation, wish))
    await asyncio.sleep(0)
    bench.unpublish("table")
    bench.run(GRACE_S + 1.0)
    assert await task


async def test_mark_is_remembered_while_the_stream_exists(bench: PresentationsBench) -> None:
    mark = DateRange("round-1", "round", UNIX_S + 100.5)
    bench.presentations.mark("table", mark, bench.now_s)
    assert not bench.presentations.date_ranges, "nobody has published"
    bench.publish("table")
    bench.presentations.mark("table", mark, bench.now_s)
    presentation = bench.open()
    bench.run(1.0)
    text = presentation.playlist("video", Skip.NOTHING, bench.now_s).plain
    assert b'ID="round-1"' in text


async def test_figures_go_on_over_generations(bench: PresentationsBench) -> None:
    bench.publish("table")
    bench.open()
    bench.run(3.0)
    first = bench.presentations.figures("table").video_parts
    assert first == 14
    bench.publish("table", VP8)
    bench.run(0.25)
    ended = bench.presentations.figures("table").video_parts
    assert ended >= first
    bench.publish("table")
    bench.open()
    bench.run(3.0)
    assert bench.presentations.figures("table").video_parts >= ended + 14
    assert bench.presentations.figures("unknown").video_parts == 0


async def test_sound_is_transcoded_in_threads(bench: PresentationsBench) -> None:
    studio = bench.publish("table", H264, OPUS)
    presentation = bench.open()
    audio = presentation.packager.audio
    assert audio is not None
    async with asyncio.timeout(30):
        while audio.parts_made < 5:
            studio.run(0.05)
            await asyncio.sleep(0.001)
    continuous(part.payload for segment in audio.segments for part in segment.parts)
