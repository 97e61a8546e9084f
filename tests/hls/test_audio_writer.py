import pytest

from gateway.hls.audio import FRAME_SAMPLES, AacFrame
from gateway.hls.audio_writer import AudioWriter
from gateway.hls.cut import Cut
from gateway.hls.init_section import AudioFormat
from gateway.hls.rendition import Rendition
from gateway.hls.segmenter import Durations
from gateway.hls.timeline import AUDIO_HZ, VIDEO_HZ
from tests.hls.content import WALL, continuous

FORMAT = AudioFormat(b"\x11\x90")
SEGMENT = 2 * AUDIO_HZ


class Bench:
    """A writer that is given frames of one line."""

    def __init__(self, first: int = 0) -> None:
        self.rendition = Rendition("audio", 0.21, 2)
        self.writer = AudioWriter(self.rendition, Durations.of(AUDIO_HZ, 0.21, 2.0, 2))
        self.writer.begin(FORMAT)
        self.position = first

    def cut(self, position: int, epoch: int = 0, *, is_discontinuity: bool = False) -> None:
        self.writer.cut(
            Cut(position * VIDEO_HZ // AUDIO_HZ, epoch, is_discontinuity, WALL.unix_s(100.0) + position / AUDIO_HZ)
        )

    def write(self, count: int, epoch: int = 0) -> None:
        for _ in range(count):
            self.writer.write([AacFrame(b"aac", self.position)], epoch, 0.0)
            self.position += FRAME_SAMPLES

    def write_until(self, position: int, epoch: int = 0) -> None:
        while self.position < position:
            self.write(1, epoch)

    def frames(self) -> list[int]:
        """How many each segment has."""
        self.writer.finish(0.0)
        return [round(segment.duration_s * AUDIO_HZ / FRAME_SAMPLES) for segment in self.rendition.segments]

    def starts(self) -> list[int]:
        """Where each segment begins."""
        self.writer.finish(0.0)
        parts = (segment.parts[0].payload for segment in self.rendition.segments)
        return [continuous([payload])[0].base_time_ticks for payload in parts]

    def check_continuous(self) -> None:
        continuous(part.payload for segment in self.rendition.segments for part in segment.parts)


def test_nothing_is_written_before_video_begins() -> None:
    bench = Bench()
    bench.write(20)
    assert not bench.rendition.segments


def test_frames_before_the_first_cut_are_left_out() -> None:
    bench = Bench(first=-3 * FRAME_SAMPLES - 100)
    bench.cut(0)
    bench.write(10)
    assert bench.starts() == [FRAME_SAMPLES - 100]
    assert bench.frames() == [6]


def test_parts_are_nine_frames_and_independent() -> None:
    bench = Bench()
    bench.cut(0)
    bench.write(30)
    (segment,) = bench.rendition.segments
    assert [round(part.duration_s * AUDIO_HZ) for part in segment.parts] == [9 * FRAME_SAMPLES] * 3
    assert all(part.is_independent for part in segment.parts)
    assert segment.parts[0].duration_s >= 0.85 * 0.21
    assert bench.frames() == [30]
    bench.check_continuous()


@pytest.mark.parametrize("offset", [0, 1, 500, FRAME_SAMPLES - 1])
def test_segment_begins_with_the_first_frame_at_or_behind_the_cut(offset: int) -> None:
    bench = Bench()
    bench.cut(0)
    cut = 93 * FRAME_SAMPLES + offset
    bench.write(50)
    bench.cut(cut)
    bench.write(100)
    first = cut * VIDEO_HZ // AUDIO_HZ * AUDIO_HZ // VIDEO_HZ
    assert bench.starts() == [0, -(-first // FRAME_SAMPLES) * FRAME_SAMPLES]
    bench.check_continuous()


def test_cut_that_comes_too_late_is_followed_at_once() -> None:
    bench = Bench()
    bench.cut(0)
    bench.write(100)
    bench.cut(93 * FRAME_SAMPLES)
    bench.write(50)
    assert bench.frames() == [100, 50]
    assert [segment.is_whole for segment in bench.rendition.segments] == [True, False]
    bench.check_continuous()


def test_each_segment_has_a_frame_though_two_cuts_come_at_once() -> None:
    bench = Bench()
    bench.cut(0)
    bench.write(93)
    for position in (93 * FRAME_SAMPLES, 94 * FRAME_SAMPLES, 95 * FRAME_SAMPLES):
        bench.cut(position)
    bench.position = 97 * FRAME_SAMPLES
    bench.write(20)
    assert bench.frames() == [93, 1, 1, 18]
    assert [segment.msn for segment in bench.rendition.segments] == [0, 1, 2, 3]


def test_two_cuts_before_any_frame() -> None:
    bench = Bench(first=SEGMENT + FRAME_SAMPLES)
    bench.cut(0)
    bench.cut(SEGMENT)
    bench.write(10)
    assert bench.frames() == [1, 9]


def test_dates_are_those_of_the_first_frames() -> None:
    bench = Bench()
    bench.cut(0)
    bench.cut(SEGMENT)
    bench.write_until(SEGMENT + 10 * FRAME_SAMPLES)
    unix_s = [segment.unix_s for segment in bench.rendition.segments]
    expected = [WALL.unix_s(100.0 + start / AUDIO_HZ) for start in bench.starts()]
    assert unix_s == pytest.approx(expected, abs=0.001)


def test_no_date_where_video_has_none() -> None:
    bench = Bench()
    bench.writer.cut(Cut(0, 0, False, None))
    bench.write(1)
    assert bench.rendition.segments[0].unix_s is None


def test_epoch_begins_with_its_own_frames_and_init_section() -> None:
    bench = Bench()
    bench.cut(0)
    bench.write_until(AUDIO_HZ)
    bench.cut(AUDIO_HZ + 3000, 1, is_discontinuity=True)
    bench.writer.begin(AudioFormat(b"\x11\x91"))
    bench.write(20, epoch=1)
    first, second = bench.rendition.segments
    assert (first.is_whole, second.is_discontinuity) == (True, True)
    assert bench.starts()[1] >= AUDIO_HZ + 3000
    assert (first.init_number, second.init_number) == (0, 1)


def test_old_epoch_that_runs_past_its_end_is_left_out() -> None:
    bench = Bench()
    bench.cut(0)
    bench.cut(AUDIO_HZ, 1, is_discontinuity=True)
    bench.write_until(2 * AUDIO_HZ)
    assert len(bench.rendition.segments) == 1
    assert bench.writer.end_samples < AUDIO_HZ + FRAME_SAMPLES
    bench.position = AUDIO_HZ + 2 * FRAME_SAMPLES
    bench.write(10, epoch=1)
    assert [segment.is_discontinuity for segment in bench.rendition.segments] == [False, True]


def test_frames_of_an_epoch_before_its_first_cut_are_left_out() -> None:
    bench = Bench()
    bench.cut(0)
    bench.write(20)
    bench.cut(AUDIO_HZ, 1, is_discontinuity=True)
    bench.write(10, epoch=1)
    assert bench.frames() == [20]


def test_epochs_without_sound_keep_their_numbers() -> None:
    """Video broke twice while nothing was heard: both discontinuities must be counted in audio, too."""
    bench = Bench()
    bench.cut(0)
    bench.write(20)
    for epoch in (1, 2, 3):
        bench.cut(epoch * AUDIO_HZ, epoch, is_discontinuity=True)
    bench.position = 3 * AUDIO_HZ
    bench.write(20, epoch=3)
    assert [(segment.msn, segment.is_discontinuity) for segment in bench.rendition.segments] == [
        (0, False),
        (1, True),
        (2, True),
        (3, True),
    ]
    assert bench.frames() == [20, 1, 1, 20]
    assert bench.starts() == [0, AUDIO_HZ, 2 * AUDIO_HZ, 3 * AUDIO_HZ]


def test_segment_whose_epoch_ended_before_its_sound_came_goes_on_where_the_one_before_ended() -> None:
    """The studio was killed just after video had begun a segment: no frame of the next studio lies in it."""
    bench = Bench()
    bench.cut(0)
    bench.write(20)
    bench.cut(20 * FRAME_SAMPLES + 5000)
    bench.cut(AUDIO_HZ, 1, is_discontinuity=True)
    bench.position = AUDIO_HZ
    bench.write(20, epoch=1)
    assert bench.frames() == [20, 1, 20]
    assert bench.starts() == [0, 20 * FRAME_SAMPLES, AUDIO_HZ]


def test_epoch_without_sound_at_the_beginning() -> None:
    bench = Bench(first=2 * AUDIO_HZ)
    bench.cut(0)
    bench.cut(AUDIO_HZ // 2, 1, is_discontinuity=True)
    bench.cut(AUDIO_HZ, 2, is_discontinuity=True)
    bench.write(20, epoch=2)
    assert [segment.is_discontinuity for segment in bench.rendition.segments] == [False, True, True]
    assert all(segment.parts for segment in list(bench.rendition.segments)[:-1])


def test_finish_writes_what_is_left() -> None:
    bench = Bench()
    bench.writer.finish(0.0)
    assert not bench.rendition.segments
    bench.cut(0)
    bench.write(13)
    assert bench.rendition.parts_made == 1
    bench.writer.finish(0.0)
    bench.writer.finish(0.0)
    assert bench.rendition.parts_made == 2
    assert bench.frames() == [13]
