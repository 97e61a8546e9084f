"""The part of the table that never changes: felt, rail, lines, shoe and chips. Drawn once, at twice the size."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from gateway.demo.coup import Hand
from gateway.demo.lettering import arched, font

WIDTH_PX: Final = 1280
HEIGHT_PX: Final = 720

HAND_BOXES: Final[dict[Hand, tuple[int, int, int, int]]] = {
    "player": (64, 232, 444, 452),
    "banker": (476, 232, 856, 452),
}
"""Where each hand is dealt: left, top, right, bottom."""

_SCALE: Final = 2
_GOLD: Final = (208, 174, 104)
_PALE: Final = (214, 232, 220)
_CENTRE: Final = np.array((34, 124, 80), dtype=np.float32)
_EDGE: Final = np.array((9, 47, 31), dtype=np.float32)
_ARC_CENTRE: Final = (640, -640)
_INKS: Final[dict[Hand, tuple[int, int, int]]] = {"player": (120, 176, 236), "banker": (236, 120, 112)}


def felt() -> Image.Image:
    """Return the empty table, RGB, 1280x720."""
    image = _gradient().convert("RGBA")
    draw = ImageDraw.Draw(image)
    _rail(draw)
    _lines(draw)
    for hand, box in HAND_BOXES.items():
        _hand_box(draw, hand, box)
    _shoe(draw)
    for index, (x, y) in enumerate([(132, 512), (196, 532), (268, 548), (958, 556), (1022, 540)]):
        _chips(draw, x, y, index)
    arched(image, "RAILBIRD", _at(_ARC_CENTRE), 1188 * _SCALE, 54 * _SCALE, (*_GOLD, 255))
    arched(image, "DEALT LIVE  ·  WATCHED FROM THE RAIL", _at(_ARC_CENTRE), 1246 * _SCALE, 19 * _SCALE, (*_PALE, 210))
    return image.convert("RGB").resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.LANCZOS)


def _gradient() -> Image.Image:
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    distance = np.hypot((columns - 600) / 820, (rows - 330) / 520)
    share = np.clip(distance, 0, 1)[..., None]
    grain = np.random.default_rng(7).normal(0, 1.2, (HEIGHT_PX, WIDTH_PX, 1)).astype(np.float32)
    colours = np.clip(_CENTRE * (1 - share) + _EDGE * share + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(colours).resize((WIDTH_PX * _SCALE, HEIGHT_PX * _SCALE), Image.Resampling.BICUBIC)


def _rail(draw: ImageDraw.ImageDraw) -> None:
    """The padded rail where players lean: rings around the felt, each (inner radius, width, ink)."""
    rings = (
        (1302, 400, (20, 12, 8)),
        (1302, 9, (36, 21, 12)),
        (1311, 12, (104, 62, 34)),
        (1323, 26, (82, 47, 26)),
        (1349, 16, (58, 33, 19)),
    )
    for inner, width, ink in rings:
        draw.ellipse(_circle(inner + width), outline=ink, width=(width + 1) * _SCALE)
    draw.ellipse(_circle(1300), outline=_GOLD, width=2 * _SCALE)


def _lines(draw: ImageDraw.ImageDraw) -> None:
    for radius in (1146, 1152):
        draw.arc(_circle(radius), 0, 180, _GOLD, 2 * _SCALE)


def _hand_box(draw: ImageDraw.ImageDraw, hand: Hand, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = (side * _SCALE for side in box)
    ink = _INKS[hand]
    draw.rounded_rectangle((left, top, right, bottom), 18 * _SCALE, (10, 54, 36), ink, 3 * _SCALE)
    draw.text(((left + right) / 2, bottom - 22 * _SCALE), hand.upper(), ink, font(24 * _SCALE), anchor="mm")


def _shoe(draw: ImageDraw.ImageDraw) -> None:
    left, top = 700 * _SCALE, 40 * _SCALE
    box = (left, top, left + 176 * _SCALE, top + 120 * _SCALE)
    draw.rounded_rectangle(box, 14 * _SCALE, (18, 20, 24), (60, 62, 68), 4)
    for index in range(9):
        x = left + (16 + index * 9) * _SCALE
        draw.rectangle((x, top + 14 * _SCALE, x + 6 * _SCALE, top + 106 * _SCALE), (232, 228, 216), (150, 146, 134))
    draw.rounded_rectangle(
        (left + 104 * _SCALE, top + 14 * _SCALE, left + 162 * _SCALE, top + 106 * _SCALE), 8 * _SCALE, (44, 47, 54)
    )


def _chips(draw: ImageDraw.ImageDraw, x: int, y: int, index: int) -> None:
    inks = ((168, 40, 48), (32, 84, 148), (24, 26, 30), (120, 56, 132), (22, 122, 66))
    for chip in range(3 + index % 3):
        top = (y - chip * 7) * _SCALE
        box = (x * _SCALE, top, (x + 52) * _SCALE, top + 32 * _SCALE)
        draw.ellipse((box[0], box[1] + 6 * _SCALE, box[2], box[3] + 6 * _SCALE), (12, 14, 14))
        draw.ellipse(box, inks[index], (236, 230, 214), 4 * _SCALE)
        draw.ellipse((box[0] + 22, box[1] + 14, box[2] - 22, box[3] - 14), outline=(236, 230, 214), width=2)


def _circle(radius: float) -> tuple[float, float, float, float]:
    x, y = _at(_ARC_CENTRE)
    return (x - radius * _SCALE, y - radius * _SCALE, x + radius * _SCALE, y + radius * _SCALE)


def _at(point: tuple[int, int]) -> tuple[int, int]:
    return point[0] * _SCALE, point[1] * _SCALE
