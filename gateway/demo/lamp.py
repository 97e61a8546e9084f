"""A lamp in a brass rim: white exactly while the tone sounds, else dark, so that picture and sound can be compared."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw, ImageFilter

from gateway.demo.planar import Area, Picture, Sprite
from gateway.demo.tone import TONE_S

LAMP_PX: Final = 80
"""Side of the square that its glow reaches; the lamp itself is in the middle of it."""
GLASS_RADIUS_PX: Final = 18

_RIM_RADIUS_PX: Final = 26
_SCALE: Final = 4
"""Drawn this much larger and shrunk, for smooth edges."""
_BRASS: Final = ((26.0, (58, 42, 18)), (25.0, (150, 118, 58)), (23.5, (226, 194, 122)), (21.5, (166, 130, 66)))
"""Rings of the rim: outer radius and ink."""
_SEAT: Final = (34, 24, 12)
_DARK_GLASS: Final = (30, 40, 38)
_DARK_HEART: Final = (20, 26, 26)
_REFLEX: Final = (104, 122, 116)
_BRIGHT_GLASS: Final = (255, 255, 255)
_GLOW: Final = (255, 238, 196)
_GLOW_ALPHA: Final = 150


def is_lit(unix_s: float) -> bool:
    """Whether the lamp shines at that unix time: from each whole second on, as long as the tone sounds."""
    return unix_s % 1 < TONE_S


class Lamp:
    """Stands in a square of LAMP_PX with its top left corner at (left, top)."""

    def __init__(self, background: Image.Image, left: int, top: int) -> None:
        """Draw the dark lamp into `background`, RGB."""
        self._left = left
        self._top = top
        self._lit = Sprite(_lit())
        dark = _dark()
        background.paste(dark, (left, top), dark)

    def lay(self, canvas: Picture) -> Area:
        """Light the lamp on `canvas`; returns the area it touched, for `Picture.restore`."""
        return self._lit.lay(canvas, self._left, self._top)


def _dark() -> Image.Image:
    image = _rim()
    draw = ImageDraw.Draw(image)
    _disc(draw, GLASS_RADIUS_PX, _DARK_GLASS)
    _disc(draw, GLASS_RADIUS_PX * 0.6, _DARK_HEART)
    centre = image.width / 2
    box = [centre + offset * _SCALE for offset in (-11, -13, 0, -7)]
    draw.ellipse((box[0], box[1], box[2], box[3]), _REFLEX)
    return _shrunk(image)


def _lit() -> Image.Image:
    image = _halo()
    image.alpha_composite(_rim())
    _disc(ImageDraw.Draw(image), GLASS_RADIUS_PX, _BRIGHT_GLASS)
    return _shrunk(image)


def _halo() -> Image.Image:
    alpha = Image.new("L", (LAMP_PX * _SCALE, LAMP_PX * _SCALE), 0)
    _disc(ImageDraw.Draw(alpha), _RIM_RADIUS_PX + 2, _GLOW_ALPHA)
    image = Image.new("RGBA", alpha.size, (*_GLOW, 0))
    image.putalpha(alpha.filter(ImageFilter.GaussianBlur(5 * _SCALE)))
    return image


def _rim() -> Image.Image:
    image = Image.new("RGBA", (LAMP_PX * _SCALE, LAMP_PX * _SCALE), (*_SEAT, 0))
    draw = ImageDraw.Draw(image)
    for radius, ink in _BRASS:
        _disc(draw, radius, ink)
    _disc(draw, GLASS_RADIUS_PX + 1.5, _SEAT)
    return image


def _disc(draw: ImageDraw.ImageDraw, radius: float, ink: int | tuple[int, int, int]) -> None:
    centre, reach = LAMP_PX * _SCALE / 2, radius * _SCALE
    draw.ellipse((centre - reach, centre - reach, centre + reach, centre + reach), ink)


def _shrunk(image: Image.Image) -> Image.Image:
    return image.resize((LAMP_PX, LAMP_PX), Image.Resampling.LANCZOS)
