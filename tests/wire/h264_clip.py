"""H.264 as x264 writes it, as NAL units: for tests of what reads it."""

import re
from fractions import Fraction

import av

FRAME_RATE_HZ = 30
FRAME_TICKS = 3000
_START_CODE = re.compile(b"\0*\0\0\1")


def encoded(
    width: int, height: int, frames: int = 1, pixel_format: str = "yuv420p", **options: str | int
) -> list[list[bytes]]:
    """The NAL units of each access unit in decoding order, parameter sets in front of each keyframe.

    `options` are x264's own, with underscores for its dashes; `profile` is the encoder's.
    """
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixel_format
    encoder.framerate, encoder.time_base = Fraction(FRAME_RATE_HZ), Fraction(1, FRAME_RATE_HZ)
    profile = options.pop("profile", None)
    parameters = {"threads": 1, "bframes": 0, "log": 0} | options
    encoder.options = {
        "preset": "ultrafast",
        "x264-params": ":".join(f"{name.replace('_', '-')}={value}" for name, value in parameters.items()),
    } | ({"profile": str(profile)} if profile else {})
    pictures = (_picture(width, height, pixel_format, number) for number in range(frames))
    packets = [packet for picture in (*pictures, None) for packet in encoder.encode(picture)]
    return [_units(bytes(packet)) for packet in packets]


def _picture(width: int, height: int, pixel_format: str, number: int) -> av.VideoFrame:
    picture = av.VideoFrame(width, height, pixel_format)
    picture.pts = number
    for plane in picture.planes:
        plane.update(bytes((40 + 7 * number & 0xFF,)) * plane.buffer_size)
    return picture


def _units(annex_b: bytes) -> list[bytes]:
    return [unit for unit in _START_CODE.split(annex_b) if unit]
