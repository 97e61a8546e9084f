"""The picture of these tests' studios: a flat ground whose colour is known, the time code, a bar that moves, and grain.

The grain is what makes frames of several packets, as a camera's are.
"""

from __future__ import annotations

import time
from typing import Final

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from gateway.demo.clock_strip import CELL_PX, CELLS, draw_strip, read_strip
from gateway.demo.planar import Picture

WIDTH_PX: Final = 640
HEIGHT_PX: Final = 360
GROUNDS: Final = {"green": (110, 100, 90), "blue": (90, 190, 100), "red": (100, 100, 200)}
"""Luma, Cb and Cr: far enough from one another to be told apart after any codec."""

_BAR_WIDTH_PX: Final = 32
_BAR_LUMA: Final = 220
_GRAIN_ROWS: Final = slice(200, 272)
_GRAIN_LUMA: Final = (60, 160)
_TOLERANCE: Final = 12


class Card:
    """Draws the card in one ground."""

    def __init__(self, ground: str) -> None:
        self._luma, self._blue, self._red = GROUNDS[ground]
        self._picture = Picture(WIDTH_PX, HEIGHT_PX)
        self._grain = np.random.default_rng(1).integers(*_GRAIN_LUMA, (256, WIDTH_PX), dtype=np.uint8)

    def draw(self) -> Picture:
        """The card of this moment; the picture is reused."""
        unix_ms = int(time.time() * 1000)
        picture = self._picture
        picture.luma[:], picture.blue[:], picture.red[:] = self._luma, self._blue, self._red
        self._grain = np.roll(self._grain, 7, axis=0)
        picture.luma[_GRAIN_ROWS] = self._grain[: _GRAIN_ROWS.stop - _GRAIN_ROWS.start]
        left = unix_ms // 8 % (WIDTH_PX - _BAR_WIDTH_PX)
        picture.luma[-80:-40, left : left + _BAR_WIDTH_PX] = _BAR_LUMA
        draw_strip(picture, unix_ms)
        return picture


def ground_of(frame: VideoFrame) -> str | None:
    """Which ground a decoded frame shows in its middle; None when it is none of them."""
    planes = _planes(frame)
    height = frame.height
    luma = planes[height // 3 : height // 2, :]
    chroma = planes[height:].reshape(2, frame.height // 2, frame.width // 2)[:, frame.height // 6 : frame.height // 4]
    seen = (luma.mean(), chroma[0].mean(), chroma[1].mean())
    for name, ground in GROUNDS.items():
        if all(abs(is_now - drawn) < _TOLERANCE for is_now, drawn in zip(seen, ground, strict=True)):
            return name
    return None


def age_ms(frame: VideoFrame) -> int | None:
    """Milliseconds since the frame was drawn, by its time code; None when it cannot be read."""
    code = read_strip(_planes(frame)[: frame.height])
    if code is None:
        return None
    age: int = (int(time.time() * 1000) - code) % 2**CELLS
    return age - 2**CELLS if age >= 2 ** (CELLS - 1) else age


def _planes(frame: VideoFrame) -> NDArray[np.uint8]:
    planes: NDArray[np.uint8] = frame.to_ndarray(format="yuv420p").astype(np.uint8, copy=False)
    return planes


assert WIDTH_PX >= CELLS * CELL_PX
