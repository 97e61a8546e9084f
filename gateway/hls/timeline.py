"""Where a picture or a sound lies on the presentation: one line for both, from the publisher's sender reports.

The line is counted in ticks of the video's RTP clock from the start of the generation. Within an epoch it is exactly
that clock; sound is placed on it by what both tracks' sender reports say of their capture. An epoch begins where the
one before ended.
"""

from gateway.clock import unix_from_ntp
from gateway.stream.track import Track
from gateway.wire.formats import CLOCK_RATES_HZ
from gateway.wire.serial import unwrap32

VIDEO_HZ = CLOCK_RATES_HZ["video"]
AUDIO_HZ = CLOCK_RATES_HZ["audio"]


class Timeline:
    """The line of one generation, for the tracks of the epoch that `begin_epoch` named."""

    def __init__(self) -> None:
        self._video: Track | None = None
        self._last_timestamp = 0
        self._offset_ticks = 0

    def begin_epoch(self, video: Track, timestamp: int, position_ticks: int) -> None:
        """Pictures of `video` count from `timestamp`, RTP's, which lies at `position_ticks`."""
        self._video = video
        self._last_timestamp = timestamp
        self._offset_ticks = position_ticks - timestamp

    def video_position(self, timestamp: int) -> int:
        """Ticks of VIDEO_HZ at which the picture with that RTP timestamp begins."""
        self._last_timestamp = unwrap32(timestamp, self._last_timestamp)
        return self._last_timestamp + self._offset_ticks

    def audio_position(self, audio: Track, timestamp: int) -> int | None:
        """Samples of AUDIO_HZ at which the packet of `audio` with that RTP timestamp begins; None before anything is
        known of its clock."""
        captured_ntp = audio.clock.ntp_at(timestamp)
        if captured_ntp is None or self._video is None:
            return None
        video_timestamp = self._video.clock.timestamp_at(captured_ntp)
        if video_timestamp is None:
            return None
        ticks = unwrap32(video_timestamp, self._last_timestamp) + self._offset_ticks
        return ticks * AUDIO_HZ // VIDEO_HZ

    def unix_s(self, position_ticks: int) -> float | None:
        """When, in the gateway's clock, what lies there was captured; None before anything is known."""
        if self._video is None:
            return None
        ntp = self._video.clock.ntp_at((position_ticks - self._offset_ticks) & 0xFFFFFFFF)
        return None if ntp is None else unix_from_ntp(ntp)
