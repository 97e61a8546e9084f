"""Streams with a studio and players, as the sampler meets them, on virtual time."""

from gateway.clock import WallClock
from gateway.quality.process import Process
from gateway.quality.sampler import Quality
from gateway.quality.stream_quality import Watching
from tests.hub.desk import Desk
from tests.stream.doubles import DELTA_SLICE, IDR_SLICE

NOBODY = Watching(webrtc=0, hls=0, is_packaged=False, has_video=True, bitrate_bps=0.0)


def watched_by(webrtc: int, hls: int = 0) -> Watching:
    """So many players."""
    return Watching(webrtc=webrtc, hls=hls, is_packaged=hls > 0, has_video=True, bitrate_bps=1e6)


class Sampled:
    """A desk whose streams are sampled each second."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.now_s = 1000.0
        self.process = Process(self.now_s)
        self.quality = Quality(desk.hub, self.process, WallClock(1_700_000_000.0))
        self._sequence_number = 100

    def tick(self, seconds: int = 1) -> None:
        """Seconds pass."""
        for _ in range(seconds):
            self.now_s += 1
            self.quality.tick(self.now_s)

    def frames(self, count: int, name: str = "table") -> None:
        """The studio sends frames of one packet each; the first of all is a keyframe."""
        publisher = next(each for each in self.desk.hub.studios.publishers.values() if each.session.stream == name)
        for _ in range(count):
            payload = IDR_SLICE if self._sequence_number == 100 else DELTA_SLICE
            self.desk.rtp(publisher, self._sequence_number, payload)
            self._sequence_number += 1
