from collections.abc import Callable

import pytest

from gateway.hls.audio import AudioTranscoder
from gateway.hls.audio_pipeline import LAG_S, MAX_PENDING_PACKETS, REPAIR_WAIT_S, AudioPipeline
from gateway.hls.audio_writer import AudioWriter
from gateway.hls.cut import Cut
from gateway.hls.rendition import Rendition
from gateway.hls.segmenter import Durations
from gateway.hls.timeline import AUDIO_HZ, VIDEO_HZ, Timeline
from tests.hls.content import WALL, Transcoded, audio_track, continuous, opus_second, run_at_once, video_track
from tests.stream.doubles import incoming

NOW_S = 100.0
PACKET_SAMPLES = AUDIO_HZ // 50
FAR = 1 << 40


class Bench:
    """A pipeline whose track gets a packet of sound each 20 ms, and whose picture is as far as the sound."""

    def __init__(self) -> None:
        self.timeline, self.video, self.track = Timeline(), video_track(), audio_track()
        self.rendition = Rendition("audio", 0.21, 2)
        self.writer = AudioWriter(self.rendition, Durations.of(AUDIO_HZ, 0.21, 2.0, 2))
        self.written = 0
        self.waiting: list[tuple[Callable[[], Transcoded], Callable[[Transcoded | None], None]]] = []
        self.is_at_once = True
        self.pipeline = AudioPipeline(self.track, self.timeline, self.writer, self._run, 96_000, self._on_written)
        self.number = 0
        self.now_s = NOW_S
        self.video.clock.on_packet(0, WALL.ntp(NOW_S))
        self.track.accept(incoming(0, 0, opus_second()[0], arrival_s=NOW_S))
        self.first_timestamp = self.track.rewriter.outgoing_timestamp(0)
        self.track.clock.on_packet(self.first_timestamp, WALL.ntp(NOW_S))

    def _run(self, work: Callable[[], Transcoded], done: Callable[[Transcoded | None], None]) -> None:
        if self.is_at_once:
            run_at_once(work, done)
        else:
            self.waiting.append((work, done))

    def _on_written(self) -> None:
        self.written += 1

    def begin(self, epoch: int = 0, position: int = 0) -> None:
        if epoch == 0:
            self.timeline.begin_epoch(self.video, 0, 0)
        self.writer.cut(Cut(position * VIDEO_HZ // AUDIO_HZ, epoch, epoch > 0, None))
        self.pipeline.begin_epoch(epoch, position)

    def send(self, *, lost: bool = False, jump: int = 0) -> None:
        """The next packet; `jump` packets of capture time later than it should be."""
        self.now_s += 0.02
        self.number += 1
        if not lost:
            payload = opus_second()[self.number % 50]
            timestamp = (self.number + jump) * PACKET_SAMPLES
            self.track.accept(incoming(self.number, timestamp, payload, arrival_s=self.now_s))

    def run(self, packets: int, *, lost: Callable[[int], bool] = lambda _number: False, jump: int = 0) -> None:
        for number in range(packets):
            self.send(lost=lost(number), jump=jump)
            self.pump()

    def pump(self, video_end: int | None = None, limit: int = FAR) -> None:
        picture = round((self.now_s - NOW_S) * AUDIO_HZ) if video_end is None else video_end
        self.pipeline.pump(picture, limit, self.now_s)

    def check_continuous(self) -> None:
        continuous(part.payload for segment in self.rendition.segments for part in segment.parts)


def test_nothing_is_read_before_video_begins() -> None:
    bench = Bench()
    bench.run(100)
    assert bench.written == 0
    bench.begin()
    bench.run(50)
    assert bench.writer.end_samples > 2.8 * AUDIO_HZ, "what waited was not lost"
    assert bench.pipeline.figures.concealed_samples < AUDIO_HZ // 10


def test_sound_is_written_without_gap() -> None:
    bench = Bench()
    bench.begin()
    bench.run(150)
    assert 2.8 * AUDIO_HZ < bench.writer.end_samples <= 3.02 * AUDIO_HZ
    assert bench.pipeline.figures.concealed_samples == 0
    assert bench.written > 10
    bench.check_continuous()


def test_long_wait_for_video_costs_no_time() -> None:
    """What was evicted meanwhile is passed over in one step, and not searched for each of its places."""
    bench = Bench()
    visited = 0
    cache, packet = bench.track.cache, bench.track.cache.packet
    bench.run(5000)

    class Counting:
        oldest, next_index = cache.oldest, cache.next_index

        def packet(self, index: int) -> object:
            nonlocal visited
            visited += 1
            return packet(index)

    bench.begin()
    bench.track.cache = Counting()  # type: ignore[assignment]
    bench.pump()
    assert 0 < visited <= len(cache) + 1


def test_hole_is_waited_for_and_then_silent() -> None:
    bench = Bench()
    bench.begin()
    bench.run(50)
    bench.run(1, lost=lambda _number: True)
    before = bench.writer.end_samples
    assert bench.number == 51
    bench.run(int(REPAIR_WAIT_S / 0.02))
    assert bench.writer.end_samples - before <= 3 * 1024, "waits"
    bench.run(20)
    assert bench.pipeline.figures.concealed_samples == PACKET_SAMPLES
    bench.check_continuous()


def test_packet_that_is_repaired_in_time_is_heard() -> None:
    bench = Bench()
    bench.begin()
    bench.run(50)
    bench.run(1, lost=lambda _number: True)
    missing = bench.number
    bench.run(2)
    bench.track.accept(incoming(missing, missing * PACKET_SAMPLES, opus_second()[0], arrival_s=bench.now_s))
    bench.run(20)
    assert bench.pipeline.figures.concealed_samples == 0
    bench.check_continuous()


def test_muted_track_is_silence() -> None:
    bench = Bench()
    bench.begin()
    bench.run(50)
    for _ in range(300):
        bench.now_s += 0.02
        bench.pump()
    lag = (bench.now_s - NOW_S) * AUDIO_HZ - bench.writer.end_samples
    assert lag <= 2 * LAG_S * AUDIO_HZ + 3 * 1024
    assert not bench.pipeline.wants_break
    assert bench.pipeline.figures.concealed_samples > 5 * AUDIO_HZ
    bench.check_continuous()


def test_track_that_never_sends_is_silence() -> None:
    bench = Bench()
    silent = audio_track()
    pipeline = AudioPipeline(silent, bench.timeline, bench.writer, run_at_once, 96_000, lambda: None)
    bench.begin()
    pipeline.begin_epoch(0, 0)
    for number in range(200):
        pipeline.pump(number * PACKET_SAMPLES, FAR, NOW_S + number * 0.02)
    assert bench.writer.end_samples > (200 * 0.02 - 2 * LAG_S - 0.1) * AUDIO_HZ
    assert bench.rendition.segments[0].parts
    bench.check_continuous()


def test_sound_far_from_where_it_was_wants_a_break() -> None:
    bench = Bench()
    bench.begin()
    bench.run(50)
    bench.run(10, jump=200)
    assert bench.pipeline.wants_break
    written = bench.written
    bench.run(10, jump=200)
    assert bench.written == written, "nothing more for this epoch"
    end = bench.writer.end_samples
    bench.begin(1, end)
    assert not bench.pipeline.wants_break
    bench.run(50, jump=200)
    assert bench.rendition.segments[-1].is_discontinuity
    assert bench.rendition.segments[-1].parts
    assert bench.writer.end_samples > end


def test_sound_waits_for_the_picture_where_its_segment_would_be_too_long() -> None:
    bench = Bench()
    bench.begin()
    for _ in range(100):
        bench.send()
        bench.pump(video_end=AUDIO_HZ // 2, limit=AUDIO_HZ)
    assert bench.writer.end_samples <= AUDIO_HZ + PACKET_SAMPLES
    bench.run(30)
    assert bench.writer.end_samples > 2.4 * AUDIO_HZ, "it has waited, and was not lost"


def test_batch_that_fails_costs_its_own_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.begin()
    bench.run(50)
    transcode, fails = AudioTranscoder.transcode, [True]

    def failing(self: AudioTranscoder, *arguments: object) -> object:
        if fails[0]:
            raise ValueError("a bug")
        return transcode(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(AudioTranscoder, "transcode", failing)
    bench.run(30)
    assert bench.pipeline.figures.failed >= 10
    fails[0] = False
    before = bench.writer.end_samples
    bench.run(50)
    assert bench.writer.end_samples > before + AUDIO_HZ // 2


def test_pending_sound_is_bounded_while_the_thread_is_busy() -> None:
    bench = Bench()
    bench.begin()
    bench.is_at_once = False
    bench.run(3 * MAX_PENDING_PACKETS)
    assert len(bench.waiting) == 1, "one batch at a time"
    assert bench.pipeline.figures.dropped_packets == 3 * MAX_PENDING_PACKETS + 1 - 3 - MAX_PENDING_PACKETS


def test_batch_of_an_epoch_that_is_over_is_left_out() -> None:
    bench = Bench()
    bench.begin()
    bench.is_at_once = False
    bench.run(10)
    bench.begin(1, AUDIO_HZ)
    (batch,) = bench.waiting
    run_at_once(*batch)
    assert bench.written == 0
    bench.is_at_once = True
    bench.run(100)
    assert bench.written > 0


def test_nothing_is_written_behind_the_end() -> None:
    bench = Bench()
    bench.begin()
    bench.is_at_once = False
    bench.run(10)
    bench.pipeline.end()
    (batch,) = bench.waiting
    run_at_once(*batch)
    bench.run(10)
    assert bench.written == 0
    assert not bench.rendition.segments


def test_concealed_sound_is_counted_over_epochs() -> None:
    bench = Bench()
    bench.begin()
    bench.run(100, lost=lambda number: number % 10 == 5)
    first = bench.pipeline.figures.concealed_samples
    assert first > 5 * PACKET_SAMPLES
    bench.begin(1, bench.writer.end_samples)
    assert bench.pipeline.figures.concealed_samples == first
    bench.run(100, lost=lambda number: number % 10 == 5)
    assert bench.pipeline.figures.concealed_samples > first + 5 * PACKET_SAMPLES
