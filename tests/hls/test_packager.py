"""A studio of the test's own clock, a real stream, real Opus and AAC; no network and no thread."""

import itertools

import pytest

from gateway.config import HlsSettings
from gateway.hls.packager import Packager, Targets
from gateway.hls.rendition import WINDOW_TARGET_DURATIONS, Rendition
from gateway.hls.timeline import AUDIO_HZ, VIDEO_HZ
from gateway.stream.stream import Stream
from gateway.wire.formats import TrackFormat
from tests.hls.content import WALL, Studio, continuous, run_at_once
from tests.stream.doubles import H264, OPUS, VP8, RecordingSource, stream_of


class Bench:
    """A stream, its studio, and a packager once `begin` was called."""

    def __init__(self, *formats: TrackFormat, **studio: float) -> None:
        self.stream, _ = stream_of(*formats)
        self.source = RecordingSource()
        self.stream.source = self.source
        self.studio = self.seat(self.stream, **studio)
        self.packager: Packager | None = None
        self.changes = 0

    def seat(self, stream: Stream, now_s: float = 100.0, **settings: float) -> Studio:
        studio = Studio(stream, now_s, **settings)  # type: ignore[arg-type]
        studio.has_audio = "audio" in stream.tracks
        studio.after_packet = self.pump
        return studio

    def take_over(self, *formats: TrackFormat, skew_s: float = -7200.0) -> Studio:
        """Another studio publishes from now on."""
        self.source = RecordingSource("second")
        self.stream.attach(self.source, list(formats or (H264, OPUS)), self.studio.now_s)
        self.studio = self.seat(self.stream, self.studio.now_s, skew_s=skew_s, number=2)
        return self.studio

    def begin(self, settings: HlsSettings | None = None) -> Packager:
        self.packager = Packager(self.stream, settings or HlsSettings(), run_at_once, self._on_change)
        self.packager.pump(self.studio.now_s)
        if not self.stream.tracks["video"].figures.packets:
            self.source.keyframe_requests_s.clear()  # it begins with one anyhow
        return self.packager

    def _on_change(self) -> None:
        self.changes += 1

    def pump(self, now_s: float) -> None:
        if self.packager is not None:
            self.packager.pump(now_s)
        if self.source.keyframe_requests_s:
            self.source.keyframe_requests_s.clear()
            self.studio.wants_keyframe = True


def payloads(rendition: Rendition) -> list[bytes]:
    return [part.payload for segment in rendition.segments for part in segment.parts]


def audio_of(packager: Packager) -> Rendition:
    assert packager.audio is not None
    return packager.audio


def check_in_step(packager: Packager) -> None:
    """Both renditions break at the same segments, begin each within a part of one another, and never overlap."""
    video, audio = ({each.msn: each for each in rendition.segments} for rendition in packager.renditions)
    for msn in sorted(video.keys() & audio.keys()):
        assert video[msn].is_discontinuity == audio[msn].is_discontinuity, msn
        if video[msn].parts and audio[msn].parts:
            starts = [
                continuous([each.parts[0].payload])[0].base_time_ticks / hz
                for each, hz in ((video[msn], VIDEO_HZ), (audio[msn], AUDIO_HZ))
            ]
            assert starts[0] == pytest.approx(starts[1], abs=0.25), msn
            dates = (video[msn].unix_s or 0.0, audio[msn].unix_s or 0.0)
            assert dates[1] - dates[0] == pytest.approx(starts[1] - starts[0], abs=0.03), msn
    continuous(payloads(packager.video))


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
    bench = Bench()
    packager = bench.begin()
    bench.studio.run(10.3)
    assert [segment.duration_s for segment in packager.video.segments if segment.is_whole] == pytest.approx([2.0] * 5)
    assert len(audio_of(packager).segments) == 6
    continuous(payloads(audio_of(packager)))
    check_in_step(packager)
    assert packager.breaks == 0
    assert not bench.source.keyframe_requests_s
    assert bench.changes > 100


def test_date_is_the_capture_in_the_gateways_clock() -> None:
    bench = Bench(skew_s=86_400.0)
    packager = bench.begin()
    bench.studio.run(5.0)
    way_s = bench.studio.delay_s
    assert packager.video.segments[1].unix_s == pytest.approx(WALL.unix_s(102.0) + way_s, abs=0.005)


def test_video_alone() -> None:
    bench = Bench(H264)
    packager = bench.begin()
    bench.studio.run(5.0)
    bench.take_over(H264)
    bench.studio.run(3.0)
    assert packager.renditions == [packager.video]
    assert packager.breaks == 1
    packager.finish(bench.studio.now_s)
    continuous(payloads(packager.video))


def test_sound_that_never_comes_is_silence() -> None:
    bench = Bench()
    bench.studio.has_audio = False
    packager = bench.begin()
    bench.studio.run(10.3)
    assert len(audio_of(packager).segments) >= 5
    continuous(payloads(audio_of(packager)))
    check_in_step(packager)
    assert packager.breaks == 0


def test_studio_that_sends_keyframes_only_when_asked() -> None:
    bench = Bench()
    bench.studio.keyframe_every_s = 1e9
    packager = bench.begin()
    bench.studio.run(20.0)
    whole = [segment for segment in packager.video.segments if segment.is_whole]
    assert len(whole) >= 8
    assert all(2.0 <= segment.duration_s <= 2.3 for segment in whole)
    assert packager.video_writer.segments_without_keyframe == 0


def test_packager_begins_with_the_cached_keyframe() -> None:
    bench = Bench()
    bench.studio.run(1.5)
    packager = bench.begin()
    assert packager.video.last is not None
    assert sum(len(chunk.entries) for chunk in continuous(payloads(packager.video))) == 42
    bench.studio.run(3.0)
    check_in_step(packager)


def test_packager_does_not_begin_with_an_old_keyframe() -> None:
    bench = Bench()
    bench.studio.keyframe_every_s = 1e9
    bench.studio.run(5.0)
    packager = bench.begin()
    assert packager.video.last is None
    bench.studio.run(0.5)
    assert packager.video.last is not None, "it has asked for one"
    assert packager.video.duration_s < 0.5


def test_takeover_breaks_once_and_goes_on() -> None:
    bench = Bench()
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
    bench = Bench()
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
    bench = Bench()
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
    bench = Bench()
    packager = bench.begin()
    bench.studio.run(3.0)
    bench.studio.size, bench.studio.wants_keyframe = (320, 180), True
    bench.studio.run(3.0)
    assert packager.breaks == 1
    assert packager.video_writer.format is not None
    assert packager.video_writer.format.width == 320
    check_in_step(packager)


def test_other_codec_ends_it() -> None:
    bench = Bench()
    packager = bench.begin()
    bench.studio.run(3.0)
    bench.stream.attach(RecordingSource("vp8"), [VP8, OPUS], bench.studio.now_s)
    packager.pump(bench.studio.now_s)
    assert packager.is_over
    parts = packager.video.parts_made
    packager.pump(bench.studio.now_s + 1)
    assert packager.video.parts_made == parts


def test_sound_that_begins_later_ends_it() -> None:
    bench = Bench(H264)
    packager = bench.begin()
    bench.studio.run(3.0)
    bench.take_over(H264, OPUS)
    bench.studio.run(0.5)
    assert packager.is_over


def test_finish_writes_all_and_ends_both() -> None:
    bench = Bench()
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


def test_picture_that_stops_holds_up_the_sound_of_its_segment() -> None:
    """Else the audio segment would last as long as the picture is gone, and memory would grow."""
    bench = Bench()
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
    bench = Bench()
    bench.studio.keyframe_every_s = 1e9
    packager = bench.begin()
    bench.studio.run(3.0)
    bench.studio._first_timestamps["audio"] += 5 * AUDIO_HZ
    bench.studio.run(3.0)
    assert packager.breaks == 1
    (behind,) = (segment for segment in packager.video.segments if segment.is_discontinuity)
    assert continuous([behind.parts[0].payload])[0].base_time_ticks < 4 * VIDEO_HZ
    check_in_step(packager)


def test_nothing_new_costs_nothing() -> None:
    bench = Bench()
    packager = bench.begin()
    bench.studio.run(3.0)
    version = packager.video.version
    for number in range(10):
        packager.pump(bench.studio.now_s + number)
    assert packager.video.version == version


def test_memory_is_bounded_over_ten_minutes() -> None:
    bench = Bench()
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
    assert numbers[0] == 299
    assert numbers[0] - numbers[1] <= 1
    assert all(after == before + 1 for before, after in itertools.pairwise(s.msn for s in packager.video.segments))
