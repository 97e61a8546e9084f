"""The time of capture in the picture: for machines a strip of 32 cells, for people a clock with milliseconds.

The strip runs along the top edge: cell i covers x = 16 i .. 16 i + 15, y = 0 .. 15, white for 1, black for 0, the most
significant bit first. Its value is unix time in milliseconds modulo 2**32. `gateway/web/timecode.js` draws and reads it
in the same way.
"""

from __future__ import annotations

import time
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from gateway.demo.lettering import font
from gateway.demo.planar import Picture, Plane

CELLS: Final = 32
CELL_PX: Final = 16
STRIP_WIDTH_PX: Final = CELLS * CELL_PX

_BLACK: Final = 16
_WHITE: Final = 235
_NEUTRAL_CHROMA: Final = 128
_BIT_VALUES: Final = 1 << np.arange(CELLS - 1, -1, -1, dtype=np.uint64)

_GLYPH_SIZE: Final = (26, 46)
_NARROW_GLYPH_SIZE: Final = (14, 46)
_NARROW: Final = ":."
_GLYPHS: Final = "0123456789:."


def draw_strip(canvas: Picture, unix_ms: int) -> None:
    """Write `unix_ms` into the strip of `canvas`, which is at least 512 pixels wide."""
    bits = (np.uint64(unix_ms % 2**CELLS) & _BIT_VALUES) > 0
    row = np.repeat(np.where(bits, _WHITE, _BLACK).astype(np.uint8), CELL_PX)
    canvas.luma[:CELL_PX, :STRIP_WIDTH_PX] = row
    for chroma in (canvas.blue, canvas.red):
        chroma[: CELL_PX // 2, : STRIP_WIDTH_PX // 2] = _NEUTRAL_CHROMA


def read_strip(luma: Plane) -> int | None:
    """Return unix milliseconds modulo 2**32 from the luma plane (height, width), or None where no strip is drawn."""
    if luma.shape[0] < CELL_PX or luma.shape[1] < STRIP_WIDTH_PX:
        return None
    centres = luma[4 : CELL_PX - 4, :STRIP_WIDTH_PX].reshape(CELL_PX - 8, CELLS, CELL_PX)[:, :, 4:-4]
    brightness = centres.mean(axis=(0, 2))
    if np.any((brightness > 90) & (brightness < 165)):
        return None
    return int(_BIT_VALUES[brightness >= 165].sum())


class WallClock:
    """Draws HH:MM:SS.mmm (UTC) from ready-made digits on an opaque panel."""

    def __init__(self, left: int, top: int) -> None:
        """Place the panel's top left corner at (left, top), both even."""
        self._left = left
        self._top = top
        self._glyphs = {character: Picture.from_image(_glyph(character)) for character in _GLYPHS}

    def draw(self, canvas: Picture, unix_ms: int) -> None:
        x = self._left
        for character in clock_text(unix_ms):
            glyph = self._glyphs[character]
            canvas.paste(glyph, x, self._top)
            x += glyph.width


CLOCK_WIDTH_PX: Final = 9 * _GLYPH_SIZE[0] + 3 * _NARROW_GLYPH_SIZE[0]
CLOCK_HEIGHT_PX: Final = _GLYPH_SIZE[1]
CLOCK_PANEL: Final = (8, 18, 14)
_CLOCK_INK: Final = (246, 226, 168)


def clock_text(unix_ms: int) -> str:
    seconds, milliseconds = divmod(unix_ms, 1000)
    return f"{time.strftime('%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d}"


def _glyph(character: str) -> Image.Image:
    size = _NARROW_GLYPH_SIZE if character in _NARROW else _GLYPH_SIZE
    image = Image.new("RGB", size, CLOCK_PANEL)
    # Digits of a proportional font are drawn on one baseline, each centred in a cell of the same width.
    ImageDraw.Draw(image).text((size[0] / 2, size[1] - 9), character, _CLOCK_INK, font(40), anchor="ms")
    return image
