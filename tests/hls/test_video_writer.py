import itertools
import random
from collections.abc import Iterable

import pytest

from gateway.hls.access_units import AccessUnit
from gateway.hls.cut import Cut
from gateway.hls.rendition import Rendition, Segment
from gateway.hls.segmenter import Durations
from gateway.hls.timeline import Timeline
from gateway.hls.video_writer import MAX_HELD_S, VideoWriter
from tests.hls.box_reader import read_boxes
from tests.hls.content import FRAME_TICKS, WALL, continuous, key_nals, unit, video_track

VIDEO_HZ = 90_000
FIRST = 0xFFFF0000
"""So that timestamps wrap in the first second."""


class Bench:
    """A writer, and what came out of it."""

    def __init__(self, target_duration_s: int = 2) -> None:
        self.rendition = Rendition("video", 0.21, target_duration_s)
        durations = Durations.of(VIDEO_HZ, 0.21, float(target_duration_s), target_duration_s)
        self.cuts: list[Cut] = []
        self.writer = VideoWriter(self.rendition, durations, Timeline(), self.cuts.append)
        self.track = video_track()
        self.track.clock.on_packet(FIRST, WALL.ntp(100.0))
        self.segments: dict[int, Segment] = {}

    def write(self, units: Iterable[AccessUnit]) -> None:
        for each in units:
            self.writer.write(each, self.track, 0.0)
            self.segments |= {segment.msn: segment for segment in self.rendition.segments}

    def steady(self, ticks: Iterable[int], key_every: int | None) -> None:
        """Pictures at those ticks, a keyframe each so many ticks."""
        next_key = 0
        for tick in ticks:
            key = tick >= next_key if key_every is not None else tick == 0
            next_key += (key_every or 0) * key
            self.write([unit(FIRST + tick, key=key)])

    @property
    def parts(self) -> list[bytes]:
        return [part.payload for segment in self.segments.values() for part in segment.parts]

    def durations_s(self) -> list[float]:
        return [segment.duration_s for segment in self.segments.values() if segment.is_whole]


def seconds(count: float, fps: int = 30) -> range:
    return range(0, int(count * VIDEO_HZ), VIDEO_HZ // fps)


@pytest.mark.parametrize("key_every_s", [1, 2])
def test_segments_begin_at_keyframes_near_two_seconds(key_every_s: int) -> None:
    bench = Bench()
    bench.steady(seconds(12.1), key_every_s * VIDEO_HZ)
    first_s, *later_s = bench.durations_s()
    assert first_s == pytest.approx(key_every_s), "players wait for it: it ends at the first keyframe"
    assert later_s == pytest.approx([2.0] * 5)
    assert all(segment.parts[0].is_independent for segment in bench.segments.values() if segment.parts)
    assert [cut.position_ticks for cut in bench.cuts[:3]] == [0, key_every_s * VIDEO_HZ, (key_every_s + 2) * VIDEO_HZ]
    assert bench.writer.segments_without_keyframe == 0
    continuous(bench.parts, start=0)


def test_parts_say_independent_where_they_hold_a_keyframe() -> None:
    bench = Bench()
    bench.steady(seconds(2.5), VIDEO_HZ)
    flags = [part.is_independent for segment in bench.segments.values() for part in segment.parts]
    with_key = [any(entry.flags == 0x02000000 for entry in chunk.entries) for chunk in continuous(bench.parts)]
    assert flags == with_key
    assert sum(flags) == 3


def test_sample_is_the_picture_without_its_parameter_sets() -> None:
    bench = Bench()
    aud, sei = b"\x09\xf0", b"\x06sei"
    bench.write([unit(0, nals=[aud, *key_nals()[:2], sei, b"\x65idr"]), unit(3000), unit(6000)])
    bench.writer.finish(0.0)
    (part,) = bench.parts
    key, delta, last = continuous([part])[0].entries
    assert key.payload == b"\0\0\0\x04\x06sei\0\0\0\x04\x65idr"
    assert delta.payload == b"\0\0\0\x06\x41delta"
    assert [key.flags, delta.flags, last.flags] == [0x02000000, 0x01010000, 0x01010000]
    assert [entry.duration_ticks for entry in (key, delta, last)] == [3000, 3000, 3000]


def test_no_part_is_over_the_target() -> None:
    chance = random.Random(4)
    bench = Bench()
    bench.steady((tick + chance.randint(-180, 180) for tick in seconds(30)), 2 * VIDEO_HZ)
    parts = [segment.parts for segment in bench.segments.values()]
    assert max(part.duration_s for each in parts for part in each) <= 0.21
    assert min(part.duration_s for each in parts for part in each[:-1]) >= 0.85 * 0.21
    assert bench.writer.parts_over_target == 0
    continuous(bench.parts)


@pytest.mark.parametrize("seed", range(4))
def test_keyframes_at_any_time_never_make_a_segment_too_long(seed: int) -> None:
    """As they come by PLI: 0.2 to 5 s apart."""
    chance = random.Random(seed)
    keys = set(itertools.accumulate([0] + [chance.randrange(6, 150) for _ in range(20)]))
    bench = Bench()
    for number, tick in enumerate(seconds(40)):
        bench.write([unit(FIRST + tick, key=number in keys)])
    bench.writer.finish(0.0)
    assert max(round(duration) for duration in bench.durations_s()) <= 2
    assert min(bench.durations_s()[1:]) >= 0.75
    chunks = continuous(bench.parts, start=0)
    assert sum(len(chunk.entries) for chunk in chunks) == bench.writer.frames


def test_segment_is_cut_without_keyframe_when_none_comes() -> None:
    bench = Bench()
    bench.steady(seconds(10), None)
    durations = bench.durations_s()
    assert len(durations) == 4
    assert all(2.4 < duration <= 2.45 for duration in durations)
    assert bench.writer.segments_without_keyframe == 4
    assert [segment.parts[0].is_independent for segment in bench.segments.values()] == [True] + [False] * 4
    assert not any(segment.is_discontinuity for segment in bench.segments.values())
    continuous(bench.parts, start=0)


def test_other_parameter_sets_bring_an_init_section_and_a_discontinuity() -> None:
    bench = Bench()
    bench.steady(seconds(1), 2 * VIDEO_HZ)
    bench.write([unit(FIRST + VIDEO_HZ, nals=key_nals(320, 180)), unit(FIRST + VIDEO_HZ + FRAME_TICKS)])
    bench.writer.finish(0.0)
    first, second = bench.segments.values()
    assert first.is_whole
    assert first.duration_s == pytest.approx(1.0)
    assert (second.is_discontinuity, second.init_number) == (True, first.init_number + 1)
    inits = [bench.rendition.init_section(number) or b"" for number in (first.init_number, second.init_number)]
    assert inits[0] != inits[1]
    assert all([box.box_type for box in read_boxes(init)] == [b"ftyp", b"moov"] for init in inits)
    assert bench.writer.format is not None
    assert (bench.writer.format.width, bench.writer.format.height) == (320, 180)
    assert [(cut.epoch, cut.is_discontinuity) for cut in bench.cuts] == [(0, False), (1, True)]
    continuous(bench.parts, start=0)


def test_keyframe_without_parameter_sets_goes_on_with_those_before() -> None:
    bench = Bench()
    bench.steady(seconds(2), 2 * VIDEO_HZ)
    bench.write([unit(FIRST + 2 * VIDEO_HZ, nals=[b"\x65idr"])])
    assert [segment.init_number for segment in bench.segments.values()] == [0, 0]
    assert bench.writer.unparsable == 0


def test_nothing_begins_without_parameter_sets() -> None:
    bench = Bench()
    bench.write([unit(0, nals=[b"\x65idr"]), unit(3000)])
    assert bench.rendition.segments == type(bench.rendition.segments)()
    assert (bench.writer.unparsable, bench.writer.undecodable, bench.writer.wants_keyframe) == (1, 1, True)
    bench.write([unit(6000, key=True)])
    assert not bench.writer.wants_keyframe
    assert len(bench.cuts) == 1


def test_pictures_behind_an_unparsable_keyframe_are_left_out() -> None:
    """They refer to it, and not to what was shown before."""
    bench = Bench()
    bench.steady(seconds(1), 2 * VIDEO_HZ)
    bench.write([unit(FIRST + VIDEO_HZ, nals=[b"\x67", *key_nals()[1:]])])
    bench.write(unit(FIRST + VIDEO_HZ + number * FRAME_TICKS) for number in range(1, 15))
    assert (bench.writer.unparsable, bench.writer.undecodable, bench.writer.wants_keyframe) == (1, 14, True)
    bench.write([unit(FIRST + VIDEO_HZ + 15 * FRAME_TICKS, key=True)])
    bench.writer.finish(0.0)
    assert not bench.writer.wants_keyframe
    assert bench.writer.frames == 31
    continuous(bench.parts, start=0)


def test_epoch_closes_what_is_open_and_goes_on_there() -> None:
    bench = Bench()
    bench.steady(seconds(1), 2 * VIDEO_HZ)
    other = 12_345
    bench.write([unit(other, key=True, begins_epoch=True), unit(other + FRAME_TICKS)])
    bench.writer.finish(0.0)
    first, second = bench.segments.values()
    assert first.is_whole
    assert second.is_discontinuity
    assert second.init_number == first.init_number, "the same parameter sets need no other init section"
    assert first.duration_s == pytest.approx(1.0)
    continuous(bench.parts, start=0)


def test_epoch_begins_behind_the_sound_of_the_one_before() -> None:
    bench = Bench()
    bench.steady(seconds(1), 2 * VIDEO_HZ)
    bench.writer.floor_ticks = VIDEO_HZ + 7000
    bench.write([unit(5, key=True, begins_epoch=True)])
    bench.writer.finish(0.0)
    assert bench.cuts[-1].position_ticks == VIDEO_HZ + 7000
    chunks = continuous(bench.parts, start=0)
    assert chunks[-1].base_time_ticks == VIDEO_HZ + 7000
    assert chunks[-2].entries[-1].duration_ticks == FRAME_TICKS + 7000, "the last picture stays for it"
    assert chunks[-1].entries[0].duration_ticks == FRAME_TICKS


def test_picture_is_held_over_a_small_hole() -> None:
    bench = Bench()
    bench.steady((tick for tick in seconds(4) if not 45_000 < tick <= 72_000), 2 * VIDEO_HZ)
    chunks = continuous(bench.parts, start=0)
    held = [entry.duration_ticks for chunk in chunks for entry in chunk.entries if entry.duration_ticks != FRAME_TICKS]
    assert held == [30_000]
    assert bench.writer.parts_over_target == 1
    assert not any(segment.is_discontinuity for segment in bench.segments.values())


def test_last_picture_does_not_stay_as_long_as_a_held_one() -> None:
    bench = Bench()
    bench.write([unit(0, key=True), unit(FRAME_TICKS), unit(FRAME_TICKS + VIDEO_HZ)])
    bench.writer.finish(0.0)
    assert bench.writer.end_ticks == VIDEO_HZ + 2 * FRAME_TICKS


def test_held_picture_makes_no_segment_too_long() -> None:
    bench = Bench()
    bench.steady((tick for tick in seconds(8) if not 170_000 < tick <= 300_000), None)
    assert max(round(duration) for duration in bench.durations_s()) <= 2
    continuous(bench.parts, start=0)


@pytest.mark.parametrize("target_duration_s", [1, 2])
def test_large_hole_breaks_at_the_next_keyframe(target_duration_s: int) -> None:
    bench = Bench(target_duration_s)
    bench.steady(seconds(1), None)
    behind = FIRST + VIDEO_HZ + int((MAX_HELD_S + 0.1) * VIDEO_HZ)
    bench.write([unit(behind), unit(behind + FRAME_TICKS)])
    assert (bench.writer.wants_keyframe, bench.writer.undecodable) == (True, 2)
    bench.write([unit(behind + 2 * FRAME_TICKS, key=True)])
    bench.writer.finish(0.0)
    assert not bench.writer.wants_keyframe
    assert [(cut.epoch, cut.position_ticks) for cut in bench.cuts][-1] == (1, VIDEO_HZ)
    assert max(round(duration) for duration in bench.durations_s()) <= target_duration_s
    last = list(bench.segments.values())[-1]
    assert last.is_discontinuity
    assert last.parts[0].is_independent
    continuous(bench.parts, start=0)


def test_hole_that_a_short_segment_cannot_hold_breaks() -> None:
    bench = Bench(1)
    bench.steady(seconds(1), None)
    bench.write([unit(FIRST + VIDEO_HZ + int(1.6 * VIDEO_HZ), key=True)])
    assert bench.cuts[-1].epoch == 1
    assert max(round(duration) for duration in bench.durations_s()) <= 1


def test_date_of_a_segment_is_when_its_first_picture_was_captured() -> None:
    bench = Bench()
    bench.steady(seconds(2.1), 2 * VIDEO_HZ)
    first, second = bench.segments.values()
    assert first.unix_s == pytest.approx(WALL.unix_s(100.0), abs=1e-3)
    assert second.unix_s == pytest.approx(WALL.unix_s(102.0), abs=1e-3)
    assert [cut.unix_s for cut in bench.cuts] == [first.unix_s, second.unix_s]


def test_timestamp_a_little_back_is_left_out() -> None:
    bench = Bench()
    bench.steady(seconds(1), None)
    last = FIRST + seconds(1)[-1]
    bench.write([unit(last - FRAME_TICKS), unit(last), unit(last + FRAME_TICKS)])
    assert bench.writer.reordered == 2
    assert len(bench.cuts) == 1
    continuous(bench.parts, start=0)


def test_timestamps_far_back_break_at_the_next_keyframe() -> None:
    """Or else nothing would be shown until they are where they were."""
    bench = Bench()
    bench.steady(seconds(4), 2 * VIDEO_HZ)
    bench.write([unit(FIRST), unit(FIRST + FRAME_TICKS, key=True), unit(FIRST + 2 * FRAME_TICKS)])
    bench.writer.finish(0.0)
    last = bench.cuts[-1]
    assert (last.position_ticks, last.epoch, last.is_discontinuity) == (4 * VIDEO_HZ, 1, True)
    assert (bench.writer.reordered, bench.writer.undecodable) == (0, 1)
    continuous(bench.parts, start=0)


def test_finish_writes_what_waits() -> None:
    bench = Bench()
    bench.writer.finish(0.0)
    assert bench.parts == []
    bench.write([unit(FIRST, key=True), unit(FIRST + FRAME_TICKS)])
    assert bench.parts == []
    bench.writer.finish(0.0)
    (chunk,) = continuous(bench.parts, start=0)
    assert [entry.duration_ticks for entry in chunk.entries] == [FRAME_TICKS, FRAME_TICKS]


def test_frame_rate_is_that_since_the_last_break() -> None:
    bench = Bench()
    bench.steady(seconds(2, fps=30), None)
    assert bench.writer.frame_rate == pytest.approx(30)
    bench.write(unit(tick, key=tick == 0, begins_epoch=tick == 0) for tick in range(0, 2 * VIDEO_HZ, VIDEO_HZ // 25))
    assert bench.writer.frame_rate == pytest.approx(25)
