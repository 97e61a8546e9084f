"""Encoded video and audio as the packager has them: formats and samples."""

from fractions import Fraction
from functools import cache

import av

from gateway.hls.fragment import Sample, avcc
from gateway.hls.init_section import AudioFormat, VideoFormat
from gateway.wire.h264_depacketizer import IDR, PPS, SPS, nal_type
from tests.wire.h264_clip import FRAME_TICKS, encoded

AAC_FRAME_TICKS = 1024
SAMPLE_RATE_HZ = 48000


@cache
def video_clip(
    width: int = 640, height: int = 360, pixel_format: str = "yuv420p", frames: int = 30, **options: str | int
) -> tuple[VideoFormat, list[Sample]]:
    """A keyframe each ten frames."""
    units = encoded(width, height, frames, pixel_format, keyint=10, min_keyint=10, scenecut=0, **options)
    sps, pps = (tuple(unit for unit in units[0] if nal_type(unit) == wanted) for wanted in (SPS, PPS))
    samples = [
        Sample(
            avcc(unit for unit in picture if nal_type(unit) not in (SPS, PPS)),
            FRAME_TICKS,
            any(nal_type(unit) == IDR for unit in picture),
        )
        for picture in units
    ]
    return VideoFormat(sps, pps), samples


@cache
def audio_clip(frames: int = 47) -> tuple[AudioFormat, list[Sample]]:
    """About a second of AAC-LC: silence, whose content nothing here looks at."""
    encoder = av.AudioCodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE_HZ, "stereo", "fltp"
    encoder.time_base = Fraction(1, SAMPLE_RATE_HZ)
    sounds = [_silence(number) for number in range(frames)]
    packets = [packet for sound in (*sounds, None) for packet in encoder.encode(sound)]
    assert encoder.extradata
    return AudioFormat(encoder.extradata), [Sample(bytes(packet), AAC_FRAME_TICKS, True) for packet in packets]


def _silence(number: int) -> av.AudioFrame:
    sound = av.AudioFrame("fltp", "stereo", AAC_FRAME_TICKS)
    for plane in sound.planes:
        plane.update(bytes(plane.buffer_size))
    sound.sample_rate, sound.pts, sound.time_base = (
        SAMPLE_RATE_HZ,
        number * AAC_FRAME_TICKS,
        Fraction(1, SAMPLE_RATE_HZ),
    )
    return sound
