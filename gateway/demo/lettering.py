"""Text for the drawn table, in the one font that Pillow carries itself: the demo needs no font of the machine."""

from __future__ import annotations

import math
from functools import cache

from PIL import Image, ImageDraw, ImageFont

_SCALE = 4
"""Labels are drawn this much larger and shrunk, for smooth edges."""

Colour = tuple[int, int, int] | tuple[int, int, int, int]


@cache
def font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def label(text: str, size_px: int, ink: Colour, panel: Colour, padding_px: int = 18) -> Image.Image:
    """Return an RGBA image of even size: `text` centred on a panel with round ends."""
    scaled_font = font(size_px * _SCALE)
    left, _top, right, _bottom = scaled_font.getbbox(text)
    width = _even((right - left) / _SCALE + 2 * padding_px)
    height = _even(size_px + padding_px)
    image = Image.new("RGBA", (width * _SCALE, height * _SCALE), (*panel[:3], 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, image.width - 1, image.height - 1), height * _SCALE // 3, panel)
    draw.text((image.width / 2, image.height / 2), text, ink, scaled_font, anchor="mm")
    return image.resize((width, height), Image.Resampling.LANCZOS)


def arched(
    canvas: Image.Image, text: str, centre: tuple[float, float], radius: float, size_px: int, ink: Colour
) -> None:
    """Write `text` on `canvas` along the lower arc of a circle, upright at its lowest point, letter by letter."""
    letter_font = font(size_px)
    widths = [letter_font.getlength(letter) + size_px * 0.18 for letter in text]
    angle = sum(widths) / radius / 2  # radians from straight down, positive to the left
    for letter, width in zip(text, widths, strict=True):
        angle -= width / radius / 2
        tile = Image.new("RGBA", (size_px * 2, size_px * 2), (0, 0, 0, 0))
        ImageDraw.Draw(tile).text((size_px, size_px), letter, ink, letter_font, anchor="mm")
        tile = tile.rotate(-math.degrees(angle), Image.Resampling.BICUBIC)
        x = centre[0] - math.sin(angle) * radius - size_px
        y = centre[1] + math.cos(angle) * radius - size_px
        canvas.alpha_composite(tile, (round(x), round(y)))
        angle -= width / radius / 2


def _even(length: float) -> int:
    return math.ceil(length / 2) * 2
