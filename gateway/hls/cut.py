"""Where video begins a segment, for audio to follow."""

from dataclasses import dataclass

from gateway.hls.timeline import AUDIO_HZ, VIDEO_HZ


@dataclass(frozen=True, slots=True)
class Cut:
    """A segment of the video rendition begins at `position_ticks` of VIDEO_HZ."""

    position_ticks: int
    epoch: int
    """Counts the breaks of the timeline."""
    is_discontinuity: bool
    unix_s: float | None
    """When what lies there was captured, in the gateway's clock."""

    @property
    def position_samples(self) -> int:
        """The same instant in samples of AUDIO_HZ."""
        return self.position_ticks * AUDIO_HZ // VIDEO_HZ
