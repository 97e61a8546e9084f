"""Sound on its way from the audio track to the audio rendition: read in order, transcoded in a thread, written."""

from collections.abc import Callable
from typing import Protocol

from gateway.hls.audio import AacFrame, AudioTranscoder, OpusPacket
from gateway.hls.audio_writer import AudioWriter
from gateway.hls.init_section import AudioFormat
from gateway.hls.timeline import AUDIO_HZ, Timeline
from gateway.stream.packet import MediaPacket
from gateway.stream.track import Track

BATCH_PACKETS = 3
"""How many packets go to the thread at once: 60 ms of sound; each hand-over costs as much as 2 ms of it."""
REPAIR_WAIT_S = 0.06
"""How long a missing packet is waited for; then there is silence in its place."""
LAG_S = 0.3
"""Sound that is this far behind the picture is not coming (muted, DTX): silence takes its place."""
MAX_PENDING_PACKETS = 250
"""5 s: what may wait for the thread. Older sound is dropped."""

_SILENCE = b"\xf8\xff\xfe"
"""An Opus packet of 20 ms of silence (RFC 6716 section 3.1: CELT, full band)."""
_TRACK_START_SLACK = AUDIO_HZ // 10


class Runner(Protocol):
    """Calls `work` off the event loop and, back on it, `done` with its result; None where it raised."""

    def __call__(
        self,
        work: Callable[[], tuple[AudioTranscoder, list[AacFrame]]],
        done: Callable[[tuple[AudioTranscoder, list[AacFrame]] | None], None],
    ) -> None: ...


class AudioFigures:
    """What was counted of one rendition's sound, over all epochs."""

    def __init__(self) -> None:
        self.failed = 0
        """Batches whose transcoding raised: a bug, and silence."""
        self.dropped_packets = 0
        self._before = (0, 0)
        self._now: AudioTranscoder | None = None

    def follow(self, transcoder: AudioTranscoder | None) -> None:
        """Count on with another transcoder."""
        self._before = (self.concealed_samples, self.undecodable_packets)
        self._now = transcoder

    @property
    def concealed_samples(self) -> int:
        """Samples of silence in place of sound that did not come."""
        return self._before[0] + (self._now.concealed_samples if self._now is not None else 0)

    @property
    def undecodable_packets(self) -> int:
        """Packets that were no Opus."""
        return self._before[1] + (self._now.undecodable if self._now is not None else 0)


class AudioPipeline:
    """See the module. One batch is in the thread at a time, so that all stays in order."""

    def __init__(
        self,
        track: Track,
        timeline: Timeline,
        writer: AudioWriter,
        run: Runner,
        bit_rate_bps: int,
        on_written: Callable[[], None],
    ) -> None:
        self.track = track
        self.figures = AudioFigures()
        self.wants_break = False
        """Sound lies somewhere else than where the line has come to: only a break of the timeline helps."""
        self._timeline = timeline
        self._writer = writer
        self._run = run
        self._bit_rate_bps = bit_rate_bps
        self._on_written = on_written
        self._position = track.cache.oldest
        self.epoch = -1
        """Of the timeline, to which what is read belongs; -1 before the first."""
        self._epoch_start = 0
        self._transcoder: AudioTranscoder | None = None
        self._pending: list[OpusPacket] = []
        self._is_busy = False
        self._now_s = 0.0

    def begin_epoch(self, epoch: int, start_samples: int) -> None:
        """What is read from now on belongs to the next epoch of the timeline, which begins there."""
        self.epoch, self._epoch_start = epoch, start_samples
        self._position = max(self._position, self.track.epoch_start)
        self._pending.clear()
        self._take(None)
        self.wants_break = False

    def end(self) -> None:
        """Nothing more is wanted, not even what the thread has under way."""
        self.epoch = -1
        self._pending.clear()

    def pump(self, video_end_samples: int, limit_samples: int, now_s: float) -> None:
        """Read what has come, and keep the thread busy with it; video has come to `video_end_samples`. Sound beyond
        `limit_samples` waits: its segment would last too long."""
        self._now_s = now_s
        if self.epoch < 0:
            return
        for packet in self._read(now_s):
            position = self._timeline.audio_position(self.track, packet.timestamp)
            if position is not None and position > self._epoch_start - _TRACK_START_SLACK:
                self._pending.append(OpusPacket(packet.payload, position))
        self.figures.dropped_packets += max(len(self._pending) - MAX_PENDING_PACKETS, 0)
        del self._pending[:-MAX_PENDING_PACKETS]
        due = video_end_samples - int(LAG_S * AUDIO_HZ)
        is_late = due - self._writer.end_samples > LAG_S * AUDIO_HZ
        ready = sum(packet.position < limit_samples for packet in self._pending)
        if not self._is_busy and not self.wants_break and (ready >= BATCH_PACKETS or is_late):
            self._transcode(ready, due)

    def _read(self, now_s: float) -> list[MediaPacket]:
        """The packets from the position on, in order; over a hole only when it has been waited for."""
        cache = self.track.cache
        packets = []
        self._position = max(self._position, cache.oldest)
        while self._position < cache.next_index:
            packet = cache.packet(self._position)
            if packet is not None:
                if not packet.has_padding:
                    packets.append(packet)
            elif not self._has_waited(now_s):
                break
            self._position += 1
        return packets

    def _has_waited(self, now_s: float) -> bool:
        cache = self.track.cache
        behind = (cache.packet(index) for index in range(self._position + 1, cache.next_index))
        first = next((packet for packet in behind if packet is not None), None)
        return first is not None and now_s - first.arrival_s > REPAIR_WAIT_S

    def _transcode(self, ready: int, due: int) -> None:
        packets, self._pending = self._pending[:ready], self._pending[ready:]
        if self._transcoder is None and not packets:
            packets = [OpusPacket(_SILENCE, self._epoch_start)]
        epoch, bit_rate_bps = self.epoch, self._bit_rate_bps
        transcoder = self._transcoder

        def work() -> tuple[AudioTranscoder, list[AacFrame]]:
            own = transcoder or AudioTranscoder(bit_rate_bps)
            return own, own.transcode(packets, due)

        def done(result: tuple[AudioTranscoder, list[AacFrame]] | None) -> None:
            self._is_busy = False
            if epoch != self.epoch:
                return
            if result is None:
                self.figures.failed += 1
                self._take(None)
                return
            self._take(result[0])
            self._writer.write(result[1], epoch, self._now_s)
            self._on_written()

        self._is_busy = True
        self._run(work, done)

    def _take(self, transcoder: AudioTranscoder | None) -> None:
        if transcoder is not self._transcoder:
            self.figures.follow(transcoder)
            self._transcoder = transcoder
            if transcoder is not None:
                self._writer.begin(AudioFormat(transcoder.specific_config))
        if transcoder is not None and transcoder.unplaced:
            self.wants_break = True
