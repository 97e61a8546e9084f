"""A clip made before the run: constant bitrate, a keyframe at a steady interval, no B-frames, constrained baseline."""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av import AudioFrame, CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from loadgen.errors import ScenarioError
from loadgen.studios.clip import (
    AUDIO_CLOCK_RATE_HZ,
    VIDEO_CLOCK_RATE_HZ,
    AccessUnit,
    AudioPacket,
    Clip,
    audio_within,
    checked,
    loop_duration,
)
from loadgen.studios.nal_units import IDR, SEI, nal_type, split_byte_stream
from loadgen.studios.noise import GRAINS, Grain, pictures

MIN_CLIP_S = 4.0
"""Long enough that the sizes of frames vary, short enough to be encoded in a second or two."""

BITRATE_TOLERANCE = 0.03
"""Of the asked bitrate, over the whole clip."""

AUDIO_BPS = 64_000
AUDIO_PACKET_S = 0.02

_MAX_CORRECTIONS = 3
_BUFFER_S = 0.25
"""How far the encoder may run ahead of the bitrate: keyframes of about three normal frames."""
_SEED = 1
_TONE_HZ = 400
"""Divides both the sampling rate and the packets' rate: no packet begins within a wave."""
_TONE_AMPLITUDE = 3000


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """What is asked for."""

    width_px: int
    height_px: int
    frame_rate: float
    bitrate_bps: float
    keyframe_interval_s: float

    @property
    def keyframe_every(self) -> int:
        """In frames, at least one."""
        return max(round(self.keyframe_interval_s * self.frame_rate), 1)

    @property
    def frames(self) -> int:
        """In the clip: whole keyframe intervals. Where all are keyframes an even number, because two IDR pictures in a
        row must differ in idr_pic_id, which alternates (H.264 section 7.4.3)."""
        every = max(self.keyframe_every, 2)
        return every * math.ceil(MIN_CLIP_S * self.frame_rate / every)

    def __str__(self) -> str:
        return (
            f"generated {self.width_px}x{self.height_px} at {self.frame_rate:g} frames/s, "
            f"{self.bitrate_bps / 1e6:g} Mb/s, a keyframe every {self.keyframe_interval_s:g} s"
        )


def generate(settings: VideoSettings, has_audio: bool = True) -> Clip:
    """Encode the clip: a second or two of a core.

    Raises ScenarioError when the encoder takes no such size or rate, or no picture needs that bitrate.
    """
    duration = loop_duration(round(settings.frames * VIDEO_CLOCK_RATE_HZ / settings.frame_rate))
    audio = audio_within(_tone_packets(duration / VIDEO_CLOCK_RATE_HZ), duration) if has_audio else ()
    measured_bps = 0.0
    for grain in GRAINS:
        clip = Clip(_video(settings, grain), audio, duration, str(settings))
        measured_bps = clip.video_bps
        if abs(measured_bps / settings.bitrate_bps - 1) <= BITRATE_TOLERANCE:
            return checked(clip)
    raise ScenarioError(
        f"{settings}: the encoder makes {measured_bps / 1e6:.2f} Mb/s of it. "
        "Ask for another bitrate, or another size or frame rate."
    )


def _video(settings: VideoSettings, grain: Grain) -> tuple[AccessUnit, ...]:
    """Encoded until the bitrate is right: a first try is some per cent off, because its buffer ends fuller or emptier
    than it began."""
    asked_bps = target_bps = int(settings.bitrate_bps)
    for _ in range(_MAX_CORRECTIONS):
        units = tuple(_encode(settings, grain, target_bps))
        size_bytes = sum(len(nal) for unit in units for nal in unit.nals)
        error = size_bytes * 8 * settings.frame_rate / settings.frames / asked_bps
        if abs(error - 1) <= BITRATE_TOLERANCE / 3:
            break
        target_bps = int(target_bps / min(max(error, 0.5), 2.0))
    return units


def _encode(settings: VideoSettings, grain: Grain, target_bps: int) -> Iterator[AccessUnit]:
    encoder = _video_encoder(settings, target_bps)
    shown = pictures(settings.width_px, settings.height_px, grain, _SEED)
    try:
        for number, picture in enumerate(itertools.islice(shown, settings.frames)):
            picture.pts = number
            yield from (_access_unit(packet, settings) for packet in encoder.encode(picture))
        yield from (_access_unit(packet, settings) for packet in encoder.encode(None))
    except av.FFmpegError as error:
        raise ScenarioError(f"{settings}: the encoder refuses it ({error}).") from error


def _access_unit(packet: av.Packet[VideoStream], settings: VideoSettings) -> AccessUnit:
    assert packet.pts is not None
    # x264 tells its settings in an SEI of 700 bytes that nobody reads.
    nals = tuple(nal for nal in split_byte_stream(bytes(packet)) if nal_type(nal) != SEI)
    pts_rtp_ticks = round(packet.pts * VIDEO_CLOCK_RATE_HZ / settings.frame_rate)
    return AccessUnit(nals, pts_rtp_ticks, any(nal_type(nal) == IDR for nal in nals))


def _video_encoder(settings: VideoSettings, target_bps: int) -> VideoCodecContext:
    encoder = CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = settings.width_px, settings.height_px, "yuv420p"
    encoder.framerate = Fraction(settings.frame_rate).limit_denominator(1001)
    encoder.time_base = 1 / encoder.framerate
    encoder.gop_size = settings.keyframe_every
    encoder.max_b_frames = 0
    encoder.bit_rate = target_bps
    every = settings.keyframe_every
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",  # x264 sets constraint_set1 with it: constrained baseline
        # Parameter sets before each keyframe: a viewer, and the loop, start there. One slice: one NAL unit a frame.
        "x264-params": f"repeat-headers=1:scenecut=0:sliced-threads=0:keyint={every}:min-keyint={every}",
        "maxrate": str(target_bps),
        "bufsize": str(max(int(target_bps * _BUFFER_S), 1)),
    }
    return encoder


def _tone_packets(duration_s: float) -> list[AudioPacket]:
    """Opus at a constant bitrate, stereo as WebRTC wants it (RFC 7587 section 7)."""
    encoder = CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = AUDIO_CLOCK_RATE_HZ, "stereo", "s16"
    encoder.bit_rate = AUDIO_BPS
    encoder.options = {"vbr": "off", "frame_duration": "20"}
    samples = int(AUDIO_PACKET_S * AUDIO_CLOCK_RATE_HZ)
    payloads: list[bytes] = []
    for _ in range(math.ceil(duration_s / AUDIO_PACKET_S)):
        payloads.extend(bytes(packet) for packet in encoder.encode(_tone(samples)))
    return [AudioPacket(payload, number * samples) for number, payload in enumerate(payloads)]


def _tone(samples: int) -> AudioFrame:
    wave = (int(_TONE_AMPLITUDE * math.sin(math.tau * _TONE_HZ * n / AUDIO_CLOCK_RATE_HZ)) for n in range(samples))
    frame = AudioFrame("s16", "stereo", samples)
    frame.sample_rate = AUDIO_CLOCK_RATE_HZ
    frame.planes[0].update(array("h", (sample for each in wave for sample in (each, each))).tobytes())
    return frame
