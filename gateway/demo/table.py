"""The dealer table, frame by frame: the felt is drawn once, and each frame only lays down what moves."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

from PIL import Image, ImageDraw

from gateway.demo.cards import card_back, card_face
from gateway.demo.clock_strip import CLOCK_HEIGHT_PX, CLOCK_PANEL, CLOCK_WIDTH_PX, WallClock, draw_strip
from gateway.demo.coup import BETS_CLOSE_S, COUP_S, OUTCOME_S, Coup, Dealt, Hand
from gateway.demo.deck import Card
from gateway.demo.felt import HAND_BOXES, HEIGHT_PX, WIDTH_PX, felt
from gateway.demo.lamp import Lamp, is_lit
from gateway.demo.lettering import font, label
from gateway.demo.planar import Area, Picture, Sprite
from gateway.demo.wheel import Wheel

LAMP_AT: Final = (876, 32)
"""The square that it stands in: left, top."""

_WHEEL_AT: Final = (908, 152)
_CLOCK_AT: Final = (970, 40)
_SHOE_AT: Final = (806, 36)
_DISCARD_AT: Final = (-120, 60)
_STAGE_CENTRE: Final = (460, 128)

_GREEN_PANEL: Final = (16, 92, 58, 255)
_RED_PANEL: Final = (132, 32, 40, 255)
_GOLD_PANEL: Final = (196, 158, 84, 255)
_LIGHT_INK: Final = (248, 244, 232)
_DARK_INK: Final = (30, 24, 12)

_STAGES: Final = {
    "open": ("PLACE YOUR BETS", _LIGHT_INK, _GREEN_PANEL),
    "closed": ("NO MORE BETS", _LIGHT_INK, _RED_PANEL),
    "player": ("PLAYER WINS", _DARK_INK, _GOLD_PANEL),
    "banker": ("BANKER WINS", _DARK_INK, _GOLD_PANEL),
    "tie": ("A TIE", _DARK_INK, _GOLD_PANEL),
}


class Table:
    """Draws the table of a moment. One instance draws one frame at a time: the picture it returns is reused."""

    def __init__(self) -> None:
        image = felt()
        _draw_clock_panel(image)
        self._lamp = Lamp(image, *LAMP_AT)
        self._wheel = Wheel(image, *_WHEEL_AT)
        self._background = Picture.from_image(image)
        self._canvas = self._background.copy()
        self._clock = WallClock(*_CLOCK_AT)
        self._stages = {stage: Sprite(label(*lettering_of)) for stage, lettering_of in _stage_labels()}
        self._back = card_back()
        self._touched: list[Area] = []

    def draw(self, unix_s: float) -> Picture:
        """Return the table (1280x720) at that unix time, with the time in its strip and on its clock."""
        canvas = self._canvas
        for area in self._touched:
            canvas.restore(self._background, area)
        self._touched.clear()
        number, at_s = divmod(unix_s, COUP_S)
        self._lay_coup(_coup(int(number)), at_s)
        self._wheel.draw(canvas, unix_s)
        if is_lit(unix_s):
            self._touched.append(self._lamp.lay(canvas))
        unix_ms = int(unix_s * 1000)
        self._clock.draw(canvas, unix_ms)
        draw_strip(canvas, unix_ms)
        return canvas

    def _lay_coup(self, coup: Coup, at_s: float) -> None:
        dealt = list(coup.dealt(at_s))
        for hand in HAND_BOXES:
            if any(card.hand == hand and card.way_in == 1.0 for card in dealt):
                self._lay_points(hand, dealt)
        for card in dealt:
            x, y = _card_at(card)
            sprite = _face(card.card) if card.way_in == 1.0 else self._back
            self._touched.append(sprite.lay(self._canvas, x, y))
        stage = self._stages[stage_at(coup, at_s)]
        x, y = _STAGE_CENTRE[0] - stage.width // 2, _STAGE_CENTRE[1] - stage.height // 2
        self._touched.append(stage.lay(self._canvas, x, y))

    def _lay_points(self, hand: Hand, dealt: list[Dealt]) -> None:
        points = sum(card.card.points for card in dealt if card.hand == hand and card.way_in == 1.0) % 10
        left, _top, right, bottom = HAND_BOXES[hand]
        sprite = _points(points)
        x = right - 18 - sprite.width if hand == "player" else left + 18
        self._touched.append(sprite.lay(self._canvas, x, bottom - 48))


def stage_at(coup: Coup, at_s: float) -> str:
    """What the lamp says `at_s` seconds into the coup: open, closed, player, banker or tie."""
    if at_s < BETS_CLOSE_S:
        return "open"
    return "closed" if at_s < OUTCOME_S else coup.outcome


def _card_at(card: Dealt) -> tuple[int, int]:
    """Where the card's top left corner is: it starts fast from the shoe and comes to rest softly, then is swept off."""
    left, top, _right, _bottom = HAND_BOXES[card.hand]
    rest = (left + 34 + card.place * 110, top + 26)
    x, y = _between(_SHOE_AT, rest, 1 - (1 - card.way_in) ** 3)
    return _between((x, y), _DISCARD_AT, card.way_out**2)


def _between(start: tuple[int, int], end: tuple[int, int], share: float) -> tuple[int, int]:
    return round(start[0] + (end[0] - start[0]) * share), round(start[1] + (end[1] - start[1]) * share)


def _stage_labels() -> list[tuple[str, tuple[str, int, tuple[int, int, int], tuple[int, int, int, int]]]]:
    return [(stage, (text, 32, ink, panel)) for stage, (text, ink, panel) in _STAGES.items()]


@lru_cache(maxsize=1)
def _coup(number: int) -> Coup:
    return Coup.shuffled(number)


@cache
def _face(card: Card) -> Sprite:
    return card_face(card)


@cache
def _points(points: int) -> Sprite:
    return Sprite(label(str(points), 24, _DARK_INK, (*_LIGHT_INK, 255), padding_px=12))


def _draw_clock_panel(image: Image.Image) -> None:
    left, top = _CLOCK_AT
    box = (left - 14, top - 8, left + CLOCK_WIDTH_PX + 14, top + CLOCK_HEIGHT_PX + 24)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(box, 12, CLOCK_PANEL, (150, 124, 70), 2)
    draw.text((left + CLOCK_WIDTH_PX / 2, top + CLOCK_HEIGHT_PX + 9), "UTC", (170, 160, 130), font(15), anchor="mm")


assert (WIDTH_PX, HEIGHT_PX) == (1280, 720)  # the places above are measured for this size
