"""What breaks the timeline of a packaged stream, and what ends it."""

import pytest

from gateway.hls.timeline import AUDIO_HZ, VIDEO_HZ
from tests.hls.content import continuous
from tests.hls.packager_bench import PackagerBench, audio_of, check_in_step
from tests.stream.doubles import H264, OPUS, VP8, RecordingSource


def test_takeover_breaks_once_and_goes_on() -> None:
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(5.0)
    bench.studio.skip(0.7)
    bench.take_over()
    bench.studio.run(5.0)
    assert packager.breaks == 1
    for rendition in packager.renditions:
        assert [segment.is_discontinuity for segment in rendition.segments].count(True) == 1
    check_in_step(packager)
    video = packager.video.segments
    (break_at,) = (number for number, segment in enumerate(video) if segment.is_discontinuity)
    gap_s = (video[break_at].unix_s or 0.0) - (video[break_at - 1].unix_s or 0.0) - video[break_at - 1].duration_s
    assert gap_s == pytest.approx(0.7, abs=0.1), "the date tells how long nobody published"
    assert not packager.is_over


def test_takeover_while_the_first_still_speaks() -> None:
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(5.0)
    bench.take_over()
    bench.studio.wants_keyframe = False
    bench.studio.since_keyframe = 40
    bench.studio.run(5.0)
    assert packager.breaks == 1
    check_in_step(packager)


def test_many_takeovers_in_a_row_stay_in_step() -> None:
    """Audio follows the same discontinuities, even those between which nothing was heard."""
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(3.0)
    for number in range(5):
        bench.take_over(skew_s=1000.0 * number)
        bench.studio.has_audio = number % 2 == 0
        bench.studio.run(0.15)
    bench.studio.has_audio = True
    bench.studio.run(4.0)
    assert packager.breaks == 5
    check_in_step(packager)
    for rendition in packager.renditions:
        assert [segment.is_discontinuity for segment in rendition.segments].count(True) == 5


def test_other_resolution_breaks_with_another_init_section() -> None:
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(3.0)
    bench.studio.size, bench.studio.wants_keyframe = (320, 180), True
    bench.studio.run(3.0)
    assert packager.breaks == 1
    assert packager.video_writer.format is not None
    assert packager.video_writer.format.width == 320
    check_in_step(packager)


def test_other_codec_ends_it() -> None:
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(3.0)
    bench.stream.attach(RecordingSource("vp8"), [VP8, OPUS], bench.studio.now_s)
    packager.pump(bench.studio.now_s)
    assert packager.is_over
    parts = packager.video.parts_made
    packager.pump(bench.studio.now_s + 1)
    assert packager.video.parts_made == parts


def test_sound_that_begins_later_ends_it() -> None:
    bench = PackagerBench(H264)
    packager = bench.begin()
    bench.studio.run(3.0)
    bench.take_over(H264, OPUS)
    bench.studio.run(0.5)
    assert packager.is_over


def test_picture_that_stops_holds_up_the_sound_of_its_segment() -> None:
    """Else the audio segment would last as long as the picture is gone, and memory would grow."""
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(5.0)
    bench.studio.has_video = False
    bench.studio.run(30.0)
    assert max(round(segment.duration_s) for segment in audio_of(packager).segments) <= 2
    bench.studio.has_video = True
    bench.studio.run(5.0)
    assert packager.breaks == 1
    check_in_step(packager)
    assert max(round(segment.duration_s) for rendition in packager.renditions for segment in rendition.segments) <= 2


def test_sound_that_jumps_asks_for_a_keyframe_to_break_at() -> None:
    bench = PackagerBench()
    bench.studio.keyframe_every_s = 1e9
    packager = bench.begin()
    bench.studio.run(3.0)
    bench.studio._first_timestamps["audio"] += 5 * AUDIO_HZ
    bench.studio.run(3.0)
    assert packager.breaks == 1
    (behind,) = (segment for segment in packager.video.segments if segment.is_discontinuity)
    assert continuous([behind.parts[0].payload])[0].base_time_ticks < 4 * VIDEO_HZ
    check_in_step(packager)
