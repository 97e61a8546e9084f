"""Real H.264 and Opus for a stream, as fast as a test wants it: no studio and no network."""

from functools import cache

from gateway.clock import monotonic_s, ntp_from_unix
from gateway.stream.stream import Stream
from gateway.stream.track import Incoming
from tests.http.conftest import Api
from tests.wire.h264_clip import FRAME_RATE_HZ, FRAME_TICKS, encoded

WIDTH, HEIGHT = 64, 48
KEYFRAME_EVERY = 2 * FRAME_RATE_HZ
SILENCE = b"\xf8\xff\xfe"
"""20 ms of Opus."""
AUDIO_TICKS = 960


@cache
def _clip() -> list[list[bytes]]:
    return encoded(WIDTH, HEIGHT, KEYFRAME_EVERY, keyint=KEYFRAME_EVERY, scenecut=0)


class TableMedia:
    """Feeds one live stream."""

    def __init__(self, api: Api, stream: Stream) -> None:
        self._presentations = api.gateway.hub.presentations
        self._stream = stream
        self._frames = 0
        self._sounds = 0
        self._sequence_numbers = {"video": 1000, "audio": 1000}
        self._began_s = monotonic_s()

    def advance(self, seconds: float) -> None:
        """So much more media, all of it at once."""
        for _ in range(round(seconds * FRAME_RATE_HZ)):
            self._picture()
            while self._sounds * AUDIO_TICKS * FRAME_RATE_HZ < self._frames * 48_000:
                self._sound()
        self._presentations.pump(monotonic_s())

    def _picture(self) -> None:
        nals = _clip()[self._frames % KEYFRAME_EVERY]
        for nal in nals:
            self._feed("video", self._frames * FRAME_TICKS, nal is nals[-1], nal, self._frames / FRAME_RATE_HZ)
        self._frames += 1

    def _sound(self) -> None:
        if "audio" in self._stream.tracks:
            self._feed("audio", self._sounds * AUDIO_TICKS, False, SILENCE, self._sounds * AUDIO_TICKS / 48_000)
        self._sounds += 1

    def _feed(self, kind: str, timestamp: int, marker: bool, payload: bytes, at_s: float) -> None:
        self._sequence_numbers[kind] += 1
        arrival_s = self._began_s + at_s
        incoming = Incoming(self._sequence_numbers[kind], timestamp & 0xFFFFFFFF, marker, payload, arrival_s)
        self._stream.feed(self._stream.tracks[kind], incoming, ntp_from_unix(1_800_000_000.0 + at_s))
