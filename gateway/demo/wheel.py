"""The roulette wheel: every position of one turn is drawn beforehand, so that a frame only copies the right one."""

from __future__ import annotations

import math
from typing import Final

from PIL import Image, ImageDraw

from gateway.demo.lettering import font
from gateway.demo.planar import Area, Picture, Sprite

# The order of a single-zero wheel, clockwise.
POCKETS: Final = (
    0, 32, 15, 19, 4, 21, 2, 25, 17, 34, 6, 27, 13, 36, 11, 30, 8, 23, 10,
    5, 24, 16, 33, 1, 20, 14, 31, 9, 22, 18, 29, 7, 28, 12, 35, 3, 26,
)  # fmt: skip
WHEEL_PX: Final = 336
TURN_S: Final = 5.2
_POSITIONS: Final = 156
"""One for each frame of a turn at 30 frames a second; 26 MB."""
_BALL_TURN_S: Final = 1.9

_SCALE: Final = 2
_RED: Final = (158, 30, 40)
_BLACK: Final = (24, 26, 30)
_GREEN: Final = (22, 122, 66)
_GOLD: Final = (201, 164, 92)
_WOOD: Final = (74, 42, 24)
_INK: Final = (244, 238, 222)


class Wheel:
    """Draws itself with its top left corner at (left, top), both even, over a background that it was given once."""

    def __init__(self, background: Image.Image, left: int, top: int) -> None:
        self._left = left
        self._top = top
        ground = background.convert("RGBA").crop((left, top, left + WHEEL_PX, top + WHEEL_PX))
        bowl, rotor = _bowl(), _rotor()
        self._positions = [_position(ground, bowl, rotor, index) for index in range(_POSITIONS)]
        self._ball = Sprite(_ball())

    def draw(self, canvas: Picture, at_s: float) -> Area:
        """Draw the wheel as it stands `at_s` seconds after its start, and return the area it covers."""
        position = int(at_s / TURN_S * _POSITIONS) % _POSITIONS
        canvas.paste(self._positions[position], self._left, self._top)
        angle = -2 * math.pi * at_s / _BALL_TURN_S
        radius = WHEEL_PX * 0.405
        x = self._left + WHEEL_PX / 2 + math.cos(angle) * radius - self._ball.width / 2
        y = self._top + WHEEL_PX / 2 + math.sin(angle) * radius - self._ball.height / 2
        self._ball.lay(canvas, round(x), round(y))
        return Area(self._left, self._top, self._left + WHEEL_PX, self._top + WHEEL_PX)


def pocket_colour(number: int) -> tuple[int, int, int]:
    if number == 0:
        return _GREEN
    return _RED if number in _RED_NUMBERS else _BLACK


_RED_NUMBERS: Final = frozenset({1, 3, 5, 7, 9, 12, 14, 16, 18, 19, 21, 23, 25, 27, 30, 32, 34, 36})


def _position(ground: Image.Image, bowl: Image.Image, rotor: Image.Image, index: int) -> Picture:
    turned = rotor.rotate(-360 * index / _POSITIONS, Image.Resampling.BILINEAR)
    image = ground.copy()
    image.alpha_composite(bowl)
    image.alpha_composite(turned)
    return Picture.from_image(image)


def _bowl() -> Image.Image:
    """The part that stands still: the wooden rim and the track of the ball."""
    image, draw, centre = _canvas()
    _disc(draw, centre, 1.0, (30, 17, 10))
    _disc(draw, centre, 0.985, _WOOD)
    _disc(draw, centre, 0.90, _GOLD)
    _disc(draw, centre, 0.885, (48, 28, 17))
    _disc(draw, centre, 0.75, _GOLD)
    return image.resize((WHEEL_PX, WHEEL_PX), Image.Resampling.LANCZOS)


def _rotor() -> Image.Image:
    image, draw, centre = _canvas()
    step = 360 / len(POCKETS)
    for index, number in enumerate(POCKETS):
        start = index * step - 90 - step / 2
        box = _box(centre, 0.735)
        draw.pieslice(box, start, start + step, pocket_colour(number), _GOLD, _SCALE)
        _pocket_number(image, number, index * step)
    _disc(draw, centre, 0.50, _GOLD)
    _disc(draw, centre, 0.485, (58, 33, 20))
    for arm in range(4):
        angle = math.radians(45 + arm * 90)
        tip = (centre + math.cos(angle) * centre * 0.36, centre + math.sin(angle) * centre * 0.36)
        draw.line((centre, centre, *tip), _GOLD, 6 * _SCALE)
        draw.ellipse((tip[0] - 7 * _SCALE, tip[1] - 7 * _SCALE, tip[0] + 7 * _SCALE, tip[1] + 7 * _SCALE), _GOLD)
    _disc(draw, centre, 0.13, _GOLD)
    _disc(draw, centre, 0.08, (120, 90, 44))
    return image.resize((WHEEL_PX, WHEEL_PX), Image.Resampling.LANCZOS)


def _pocket_number(image: Image.Image, number: int, angle_degrees: float) -> None:
    size = 20 * _SCALE
    tile = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    ImageDraw.Draw(tile).text((size / 2, size / 2), str(number), _INK, font(11 * _SCALE), anchor="mm")
    tile = tile.rotate(-angle_degrees, Image.Resampling.BICUBIC)
    angle, centre = math.radians(angle_degrees), image.width / 2
    x = centre + math.sin(angle) * centre * 0.66 - size / 2
    y = centre - math.cos(angle) * centre * 0.66 - size / 2
    image.alpha_composite(tile, (round(x), round(y)))


def _ball() -> Image.Image:
    image = Image.new("RGBA", (64, 64), (255, 255, 255, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((2, 2, 61, 61), (196, 196, 190))
    draw.ellipse((6, 4, 54, 50), (250, 250, 246))
    return image.resize((14, 14), Image.Resampling.LANCZOS)


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw, float]:
    side = WHEEL_PX * _SCALE
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    return image, ImageDraw.Draw(image), side / 2


def _disc(draw: ImageDraw.ImageDraw, centre: float, share: float, ink: tuple[int, int, int]) -> None:
    draw.ellipse(_box(centre, share), ink)


def _box(centre: float, share: float) -> tuple[float, float, float, float]:
    return (centre - centre * share, centre - centre * share, centre + centre * share - 1, centre + centre * share - 1)
