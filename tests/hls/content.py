"""What the packager is fed with: H.264 pictures and Opus packets of a studio whose clock is the test's."""

from collections.abc import Callable, Iterable
from functools import cache

from gateway.clock import WallClock
from gateway.hls.access_units import AccessUnit
from gateway.hls.audio import AacFrame, AudioTranscoder
from gateway.hls.init_section import VideoFormat
from gateway.stream.stream import Stream
from gateway.stream.timing import PublisherClock
from gateway.stream.track import Incoming, Track
from gateway.wire.h264_depacketizer import IDR
from tests.hls.box_reader import Chunk, read_chunk
from tests.hls.clips import video_clip
from tests.hls.opus_studio import demo_sound, opus_payloads
from tests.stream.doubles import H264, OPUS, FirstIndex

FRAME_TICKS = 3000
UNIX_S = 1_700_000_000.0
WALL = WallClock(UNIX_S)
"""Of the gateway: monotonic 0 is this Unix time."""

SPS, PPS, IDR_SLICE, DELTA_SLICE = b"\x67sps", b"\x68pps", b"\x65idr", b"\x41delta"


@cache
def video_format(width: int = 640, height: int = 360) -> VideoFormat:
    """Parameter sets that parse."""
    return video_clip(width, height, frames=1)[0]


@cache
def opus_second() -> tuple[bytes, ...]:
    """50 packets of 20 ms."""
    return tuple(opus_payloads(demo_sound(1)))


def video_track(first_index: int = 1000) -> Track:
    """A track of H.264 that has had no packet."""
    return Track(H264, FirstIndex(first_index))


def audio_track(first_index: int = 1000) -> Track:
    """A track of Opus that has had no packet."""
    return Track(OPUS, FirstIndex(first_index))


def key_nals(width: int = 640, height: int = 360, size_bytes: int = 200) -> list[bytes]:
    """The NAL units of a keyframe."""
    form = video_format(width, height)
    return [*form.sps, *form.pps, b"\x65" + bytes(size_bytes)]


def unit(
    timestamp: int, *, key: bool = False, begins_epoch: bool = False, nals: list[bytes] | None = None
) -> AccessUnit:
    """An access unit as the reader yields it: a delta picture, or a keyframe with its parameter sets."""
    own = nals if nals is not None else key_nals() if key else [b"\x41delta"]
    is_idr = any(nal[0] & 0x1F == IDR for nal in own)
    return AccessUnit(timestamp & 0xFFFFFFFF, own, is_idr, begins_epoch)


Transcoded = tuple[AudioTranscoder, list[AacFrame]]


def run_at_once(work: Callable[[], Transcoded], done: Callable[[Transcoded | None], None]) -> None:
    """A `Runner` that needs no thread."""
    try:
        result = work()
    except ValueError:  # what tests raise in it
        done(None)
        return
    done(result)


class Studio:
    """Feeds a stream picture by picture and packet by packet; each change of its plan holds from the next one on.

    Its NTP clock is `skew_s` ahead of the gateway's, and its packets take `delay_s` to the gateway.
    """

    def __init__(
        self, stream: Stream, now_s: float = 100.0, *, fps: float = 30.0, skew_s: float = 3600.0, number: int = 1
    ) -> None:
        self.stream = stream
        self.now_s = now_s
        self.fps = fps
        self.keyframe_every_s = 2.0
        self.has_video = self.has_audio = True
        self.size = (640, 360)
        self.delay_s = 0.02
        self.after_packet: Callable[[float], None] = lambda _now_s: None
        self.wants_keyframe = True
        self._studio_clock = WallClock(UNIX_S + skew_s)
        self._publisher_clock = PublisherClock()
        self._next_video_s = self._next_audio_s = now_s
        self._next_report_s = now_s + 0.2
        self._start_s = now_s
        self._shown = 0
        self.since_keyframe = 0
        """Pictures."""
        self._sequence_numbers = {"video": 5000 * number, "audio": 7000 * number}
        self._first_timestamps = {"video": 0xFFFF0000 + number, "audio": 0xFFFFF000 - number}
        self._sounds = 0

    def run(self, duration_s: float) -> None:
        """Let time pass."""
        until_s = round(self.now_s + duration_s, 6)
        while (next_s := min(self._next_video_s, self._next_audio_s, self._next_report_s)) < until_s - 1e-6:
            self.now_s = next_s
            if self._next_report_s <= self.now_s:
                self._next_report_s += 1.0
                self._report()
            elif self._next_video_s <= self._next_audio_s:
                self._shown += 1
                self._next_video_s = self._start_s + self._shown / self.fps
                if self.has_video:
                    self._show()
            else:
                self._next_audio_s += 0.02
                if self.has_audio:
                    self._sound()
            self.after_packet(self.now_s + self.delay_s)
        self.now_s = until_s

    def skip(self, duration_s: float) -> None:
        """Let time pass without sending."""
        self.now_s += duration_s
        self._next_video_s = self._next_audio_s = self._start_s = self.now_s
        self._shown = 0
        self._next_report_s = max(self._next_report_s, self.now_s)

    def _timestamp(self, kind: str) -> int:
        ticks = round(self.now_s * self.stream.tracks[kind].format.clock_rate_hz)
        return (self._first_timestamps[kind] + ticks) & 0xFFFFFFFF

    def _show(self) -> None:
        is_key = self.wants_keyframe or self.since_keyframe >= round(self.keyframe_every_s * self.fps)
        self.wants_keyframe, self.since_keyframe = False, 1 if is_key else self.since_keyframe + 1
        nals = key_nals(*self.size) if is_key else [b"\x41" + bytes(100)]
        for nal in nals:
            self._feed("video", nal, marker=nal is nals[-1])

    def _sound(self) -> None:
        payloads = opus_second()
        self._feed("audio", payloads[self._sounds % len(payloads)], marker=True)
        self._sounds += 1

    def _feed(self, kind: str, payload: bytes, *, marker: bool) -> None:
        arrival_s = self.now_s + self.delay_s
        number = self._sequence_numbers[kind]
        self._sequence_numbers[kind] += 1
        packet = Incoming(number, self._timestamp(kind), marker, payload, arrival_s)
        self.stream.feed(self.stream.tracks[kind], packet, WALL.ntp(arrival_s))
        self.stream.flush(arrival_s)

    def _report(self) -> None:
        ntp = self._studio_clock.ntp(self.now_s)
        self._publisher_clock.on_sender_report(ntp, WALL.ntp(self.now_s + self.delay_s))
        for kind, track in self.stream.tracks.items():
            self.stream.on_sender_report(track, ntp, self._timestamp(kind), self._publisher_clock)


def continuous(parts: Iterable[bytes], *, start: int | None = None) -> list[Chunk]:
    """The parts as a player reads them; each begins where the one before it ended."""
    chunks = [read_chunk(part) for part in parts]
    expected = start
    for number, chunk in enumerate(chunks):
        assert expected is None or chunk.base_time_ticks == expected, number
        expected = chunk.base_time_ticks + ticks_of(chunk)
    return chunks


def ticks_of(chunk: Chunk) -> int:
    """How long a part lasts."""
    return sum(entry.duration_ticks for entry in chunk.entries)
