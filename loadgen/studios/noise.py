"""The generated picture: a texture that pans above, and noise that is new in each frame below.

The texture costs bits in keyframes, the noise in all frames: an encoder finds use for whatever bitrate it is given, and
keyframes are some times larger than the frames between, as a camera's are.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from av import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation

_GREY = 128


@dataclass(frozen=True, slots=True)
class Grain:
    """How hard a picture is to encode."""

    pixels: int
    """Size of a grain: the smaller, the more bits."""
    fresh_share: float
    """The part of the picture that is new in each frame."""


GRAINS = (Grain(8, 0.25), Grain(2, 1.0), Grain(16, 0.1))
"""To be tried one after another: the usual one, one for very high, one for very low bitrates."""


def pictures(width_px: int, height_px: int, grain: Grain, seed: int) -> Iterator[VideoFrame]:
    """Pictures without end, the same ones for the same seed, without times."""
    noise = random.Random(seed)
    # Noise straight from the generator would be lost altogether above some quantizer: grains of several pixels, with
    # soft edges, are not.
    columns, rows = _even(width_px / grain.pixels), _even(height_px / grain.pixels)
    fresh = int(rows * grain.fresh_share) * columns
    texture = noise.randbytes(columns * rows * 2)
    while True:
        for pan in range(columns * rows):
            luma = texture[pan : pan + columns * rows - fresh] + noise.randbytes(fresh)
            yield _picture(luma, columns, rows).reformat(width_px, height_px, interpolation=Interpolation.BILINEAR)


def _even(size: float) -> int:
    return max(int(size) // 2 * 2, 2)


def _picture(luma: bytes, columns: int, rows: int) -> VideoFrame:
    picture = VideoFrame(columns, rows, "yuv420p")
    _fill(picture.planes[0], luma)
    for plane in picture.planes[1:]:
        plane.update(bytes((_GREY,)) * plane.buffer_size)
    return picture


def _fill(plane: VideoPlane, samples: bytes) -> None:
    """Rows of a plane are longer than the picture is wide."""
    rows = (samples[start : start + plane.width] for start in range(0, len(samples), plane.width))
    plane.update(b"".join(row.ljust(plane.line_size, b"\0") for row in rows))
