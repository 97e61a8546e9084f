import itertools
from collections.abc import Callable

import pytest

from gateway.config import HlsSettings
from gateway.hls.packager import Packager, Targets
from gateway.hls.rendition import WINDOW_TARGET_DURATIONS
from tests.hls.content import WALL, continuous, run_at_once
from tests.hls.packager_bench import PackagerBench, audio_of, check_in_step, payloads
from tests.stream.doubles import H264


@pytest.mark.parametrize(
    ("segment_s", "part_ms", "expected"),
    [
        (2.0, 200, Targets(0.21, 2.0, 2)),
        (1.0, 100, Targets(0.105, 1.0, 1)),
        (2.5, 200, Targets(0.21, 2.5, 3)),
        (2.2, 333, Targets(0.34965, 2.2, 3)),
        (10.0, 500, Targets(0.525, 10.0, 10)),
    ],
)
def test_target_duration_leaves_room_for_a_late_keyframe(segment_s: float, part_ms: int, expected: Targets) -> None:
    assert Targets.of(HlsSettings(segment_s=segment_s, part_ms=part_ms)) == expected


def test_steady_studio() -> None:
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(10.3)
    durations_s = [segment.duration_s for segment in packager.video.segments if segment.is_whole]
    assert durations_s == pytest.approx([1.0, 2.0, 2.0, 2.0, 2.0])
    assert len(audio_of(packager).segments) == 6
    continuous(payloads(audio_of(packager)))
    check_in_step(packager)
    assert packager.breaks == 0
    assert not bench.source.keyframe_requests_s
    assert bench.changes > 100


def test_date_is_the_capture_in_the_gateways_clock() -> None:
    bench = PackagerBench(skew_s=86_400.0)
    packager = bench.begin()
    bench.studio.run(5.0)
    way_s = bench.studio.delay_s
    assert packager.video.segments[1].unix_s == pytest.approx(WALL.unix_s(101.0) + way_s, abs=0.005)


def test_video_alone() -> None:
    bench = PackagerBench(H264)
    packager = bench.begin()
    bench.studio.run(5.0)
    bench.take_over(H264)
    bench.studio.run(3.0)
    assert packager.renditions == [packager.video]
    assert packager.breaks == 1
    packager.finish(bench.studio.now_s)
    continuous(payloads(packager.video))


def test_sound_that_never_comes_is_silence() -> None:
    bench = PackagerBench()
    bench.studio.has_audio = False
    packager = bench.begin()
    bench.studio.run(10.3)
    assert len(audio_of(packager).segments) >= 5
    continuous(payloads(audio_of(packager)))
    check_in_step(packager)
    assert packager.breaks == 0


def test_studio_that_sends_keyframes_only_when_asked() -> None:
    bench = PackagerBench()
    bench.studio.keyframe_every_s = 1e9
    packager = bench.begin()
    bench.studio.run(20.0)
    whole = [segment for segment in packager.video.segments if segment.is_whole]
    assert len(whole) >= 8
    assert all(2.0 <= segment.duration_s <= 2.3 for segment in whole)
    assert packager.video_writer.segments_without_keyframe == 0


def test_packager_begins_with_the_cached_keyframe() -> None:
    bench = PackagerBench()
    bench.studio.run(1.5)
    packager = bench.begin()
    assert packager.video.last is not None
    assert sum(len(chunk.entries) for chunk in continuous(payloads(packager.video))) == 42
    bench.studio.run(3.0)
    check_in_step(packager)


def test_packager_does_not_begin_with_an_old_keyframe() -> None:
    bench = PackagerBench()
    bench.studio.keyframe_every_s = 1e9
    bench.studio.run(5.0)
    packager = bench.begin()
    assert packager.video.last is None
    bench.studio.run(0.5)
    assert packager.video.last is not None, "it has asked for one"
    assert packager.video.duration_s < 0.5


def test_finish_writes_all_and_ends_both() -> None:
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(3.0)
    changes = bench.changes
    packager.finish(bench.studio.now_s)
    assert bench.changes > changes
    assert sum(len(chunk.entries) for chunk in continuous(payloads(packager.video))) == 90
    for rendition in packager.renditions:
        assert rendition.is_ended
        assert rendition.segments[-1].is_whole
    versions = [rendition.version for rendition in packager.renditions]
    bench.studio.run(1.0)
    assert [rendition.version for rendition in packager.renditions] == versions


def test_nothing_new_costs_nothing() -> None:
    bench = PackagerBench()
    packager = bench.begin()
    bench.studio.run(3.0)
    version = packager.video.version
    for number in range(10):
        packager.pump(bench.studio.now_s + number)
    assert packager.video.version == version


def test_memory_is_bounded_over_ten_minutes() -> None:
    bench = PackagerBench()
    bench.studio.has_audio = False
    packager = bench.begin()
    sizes: list[int] = []
    for _ in range(20):
        bench.studio.run(30.0)
        sizes.append(sum(rendition.stored_bytes for rendition in packager.renditions))
        for rendition in packager.renditions:
            assert len(rendition.segments) <= WINDOW_TARGET_DURATIONS + 2
            assert len(rendition._retired) <= WINDOW_TARGET_DURATIONS + 3
            assert len(rendition._inits) == 1
    assert packager._audio_writer is not None
    assert len(packager._audio_writer._cuts) <= 1
    assert max(sizes[2:]) < 1.1 * min(sizes[2:])
    check_in_step(packager)
    numbers = [[segment.msn for segment in rendition.segments][-1] for rendition in packager.renditions]
    assert numbers[0] == 300, "the first one ends at its first keyframe, after a second"
    assert numbers[0] - numbers[1] <= 1
    assert all(after == before + 1 for before, after in itertools.pairwise(s.msn for s in packager.video.segments))


def test_sound_that_the_thread_still_had_is_not_written_behind_the_end() -> None:
    bench = PackagerBench()
    late: list[Callable[[], None]] = []
    packager = Packager(
        bench.stream, HlsSettings(), lambda work, done: late.append(lambda: run_at_once(work, done)), lambda: None
    )
    bench.packager = packager
    bench.studio.run(1.0)
    late.pop()()
    bench.studio.run(1.0)
    assert len(late) == 1
    packager.finish(bench.studio.now_s)
    version = audio_of(packager).version
    late.pop()()
    assert audio_of(packager).version == version
