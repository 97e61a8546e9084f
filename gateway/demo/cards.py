"""Playing cards as sprites: faces drawn from rank and suit, and one back."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw

from gateway.demo.deck import RANKS, Card, Suit
from gateway.demo.lettering import font
from gateway.demo.planar import Sprite

CARD_WIDTH_PX: Final = 96
CARD_HEIGHT_PX: Final = 136

_SCALE: Final = 4
"""Cards are drawn this much larger and shrunk, for smooth edges."""
_RED: Final = (178, 34, 44)
_BLACK: Final = (26, 28, 32)
_PAPER: Final = (250, 247, 240)
_EDGE: Final = (120, 116, 104)
_BACK: Final = (124, 26, 38)
_BACK_LINE: Final = (222, 190, 120)


def card_face(card: Card) -> Sprite:
    image, draw = _blank(_PAPER)
    ink = _RED if card.suit in ("heart", "diamond") else _BLACK
    rank = RANKS[card.rank]
    draw.text((17 * _SCALE, 10 * _SCALE), rank, ink, font(26 * _SCALE), anchor="mt")
    draw_suit(draw, card.suit, (17 * _SCALE, 49 * _SCALE), 16 * _SCALE, ink)
    draw_suit(draw, card.suit, (56 * _SCALE, 84 * _SCALE), 54 * _SCALE, ink)
    return Sprite(_shrunk(image))


def card_back() -> Sprite:
    image, draw = _blank(_PAPER)
    inner = (6 * _SCALE, 6 * _SCALE, image.width - 6 * _SCALE, image.height - 6 * _SCALE)
    draw.rounded_rectangle(inner, 6 * _SCALE, _BACK)
    for offset in range(-image.height, image.width, 12 * _SCALE):
        draw.line((offset, 0, offset + image.height, image.height), _BACK_LINE, _SCALE)
        draw.line((offset, image.height, offset + image.height, 0), _BACK_LINE, _SCALE)
    frame, frame_draw = _blank(_PAPER)
    frame_draw.rounded_rectangle(inner, 6 * _SCALE, (0, 0, 0, 0))
    image.paste(frame, (0, 0), _ring(frame, inner))
    return Sprite(_shrunk(image))


def draw_suit(
    draw: ImageDraw.ImageDraw, suit: Suit, centre: tuple[float, float], size: float, ink: tuple[int, int, int]
) -> None:
    """Draw a suit's sign into a square of `size` pixels around `centre`."""
    x, y = centre
    half, r = size / 2, size / 4
    if suit == "diamond":
        draw.polygon([(x, y - half), (x + half * 0.78, y), (x, y + half), (x - half * 0.78, y)], ink)
        return
    if suit == "heart":
        _lobes(draw, (x, y - r * 0.8), r, ink)
        draw.polygon([(x - half * 0.93, y - r * 0.35), (x + half * 0.93, y - r * 0.35), (x, y + half)], ink)
        return
    if suit == "spade":
        _lobes(draw, (x, y + r * 0.5), r, ink)
        draw.polygon([(x - half * 0.93, y + r * 0.1), (x + half * 0.93, y + r * 0.1), (x, y - half)], ink)
    else:
        _lobes(draw, (x, y + r * 0.4), r, ink)
        draw.ellipse((x - r, y - half, x + r, y - half + 2 * r), ink)
        draw.polygon([(x - r * 0.5, y - r), (x + r * 0.5, y - r), (x, y + r * 1.4)], ink)
    draw.polygon([(x, y), (x + r * 0.8, y + half), (x - r * 0.8, y + half)], ink)


def _lobes(draw: ImageDraw.ImageDraw, centre: tuple[float, float], r: float, ink: tuple[int, int, int]) -> None:
    x, y = centre
    for side in (-1, 1):
        draw.ellipse((x + side * r - r, y - r, x + side * r + r, y + r), ink)


def _blank(paper: tuple[int, int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGBA", (CARD_WIDTH_PX * _SCALE, CARD_HEIGHT_PX * _SCALE), (*paper, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, image.width - 1, image.height - 1), 9 * _SCALE, paper, _EDGE, _SCALE)
    return image, draw


def _ring(frame: Image.Image, inner: tuple[int, int, int, int]) -> Image.Image:
    """Everything outside `inner`: what the frame of a card's back covers."""
    mask = Image.new("L", frame.size, 255)
    ImageDraw.Draw(mask).rounded_rectangle(inner, 6 * _SCALE, 0)
    return mask


def _shrunk(image: Image.Image) -> Image.Image:
    return image.resize((CARD_WIDTH_PX, CARD_HEIGHT_PX), Image.Resampling.LANCZOS)
