"""What a studio plays: encoded video and audio, held in memory, again and again without a new encode."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from loadgen.errors import ScenarioError
from loadgen.studios.nal_units import PPS, SPS, nal_type

VIDEO_CLOCK_RATE_HZ = 90_000
AUDIO_CLOCK_RATE_HZ = 48_000

_TICKS_COMMON = 15
"""Ticks at 90 kHz that are whole ones at 48 kHz."""

MAX_CLIP_BYTES = 256 << 20
"""A clip stays in memory: half an hour at 1 Mb/s, which is long for something that is looped."""


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One frame (H.264 section 3.1)."""

    nals: tuple[bytes, ...]
    """NAL units in decoding order, without start codes; a keyframe's begin with SPS and PPS."""
    pts_rtp_ticks: int
    """From the clip's beginning, at 90 kHz."""
    is_keyframe: bool
    """Whether it is an IDR picture."""


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """One Opus packet."""

    payload: bytes
    pts_rtp_ticks: int
    """From the clip's beginning, at 48 kHz."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames in the order in which they are shown, the first a keyframe: after the last one comes the first again."""

    video: tuple[AccessUnit, ...]
    audio: tuple[AudioPacket, ...]
    """Empty for a silent one; all of it lies within the video."""
    duration_rtp_ticks: int
    """At 90 kHz."""
    summary: str
    """For people: where it comes from, size, rate."""

    @property
    def duration_s(self) -> float:
        """One loop."""
        return self.duration_rtp_ticks / VIDEO_CLOCK_RATE_HZ

    @property
    def video_bytes(self) -> int:
        """Of all NAL units, without start codes."""
        return sum(len(nal) for unit in self.video for nal in unit.nals)

    @property
    def video_bps(self) -> float:
        """Mean bitrate of the encoded video; stamps and the headers of RTP come on top."""
        return self.video_bytes * 8 / self.duration_s

    @property
    def profile_level_id(self) -> str:
        """Six hexadecimal digits, for SDP (RFC 6184 section 8.1)."""
        sps = next(nal for nal in self.video[0].nals if nal_type(nal) == SPS)
        return sps[1:4].hex()


def checked(clip: Clip) -> Clip:
    """`clip`, if it can be published; else ScenarioError."""
    first = clip.video[0]
    if not first.is_keyframe or not {SPS, PPS} <= {nal_type(nal) for nal in first.nals}:
        raise ScenarioError(f"{clip.summary}: the first frame is no IDR picture with SPS and PPS.")
    if any(later.pts_rtp_ticks <= earlier.pts_rtp_ticks for earlier, later in itertools.pairwise(clip.video)):
        raise ScenarioError(f"{clip.summary}: the video has B-frames, which WebRTC cannot carry. {RECIPE}")
    return clip


def loop_duration(rtp_ticks: int) -> int:
    """A clip's duration at 90 kHz, up to 0.2 ms longer than `rtp_ticks`: a whole number at 48 kHz, too, or sound would
    drift from picture by the rounding of each loop."""
    return -(-rtp_ticks // _TICKS_COMMON) * _TICKS_COMMON


def audio_within(packets: Sequence[AudioPacket], duration_rtp_ticks: int) -> tuple[AudioPacket, ...]:
    """The packets that begin within a clip of that duration (at 90 kHz): a loop may not run into the next one."""
    end = duration_rtp_ticks * AUDIO_CLOCK_RATE_HZ // VIDEO_CLOCK_RATE_HZ
    return tuple(packet for packet in packets if 0 <= packet.pts_rtp_ticks < end)


RECIPE = (
    "`ffmpeg -i IN -c:v libx264 -profile:v baseline -bf 0 -g 60 -c:a libopus OUT.mp4` makes one that can be published."
)
