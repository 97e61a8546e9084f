"""The lamp beside the table's clock."""

import numpy as np
import pytest
from PIL import Image

from gateway.demo.lamp import GLASS_RADIUS_PX, LAMP_PX, Lamp, is_lit
from gateway.demo.planar import Picture, Plane
from gateway.demo.tone import TONE_S

LEFT, TOP = 40, 24
FELT = (34, 124, 80)


@pytest.mark.parametrize(
    ("unix_s", "expected"),
    [
        (1_700_000_000.0, True),
        (1_700_000_000.0 + TONE_S - 0.001, True),
        (1_700_000_000.0 + TONE_S + 0.001, False),
        (1_700_000_000.999, False),
    ],
)
def test_lamp_is_lit_exactly_while_the_tone_sounds(unix_s: float, expected: bool) -> None:
    assert is_lit(unix_s) is expected


def _glass(picture: Picture) -> Plane:
    half = GLASS_RADIUS_PX // 2
    x, y = LEFT + LAMP_PX // 2, TOP + LAMP_PX // 2
    return picture.luma[y - half : y + half, x - half : x + half]


def test_lamp_goes_from_dark_to_white_and_back_without_a_trace() -> None:
    image = Image.new("RGB", (160, 128), FELT)
    lamp = Lamp(image, LEFT, TOP)
    background = Picture.from_image(image)
    canvas = background.copy()
    assert _glass(canvas).max() < 130
    assert _glass(canvas).mean() < 60
    area = lamp.lay(canvas)
    assert _glass(canvas).min() > 230
    canvas.restore(background, area)
    assert np.array_equal(canvas.planes, background.planes)


def test_lamp_stays_within_its_square() -> None:
    image = Image.new("RGB", (160, 128), FELT)
    lamp = Lamp(image, LEFT, TOP)
    lamp.lay(canvas := Picture.from_image(image))
    changed = np.argwhere(canvas.luma != Picture.from_image(Image.new("RGB", (160, 128), FELT)).luma)
    assert (changed.min(axis=0) >= (TOP, LEFT)).all()
    assert (changed.max(axis=0) < (TOP + LAMP_PX, LEFT + LAMP_PX)).all()
    edge = canvas.luma[TOP, LEFT : LEFT + LAMP_PX].astype(int)
    assert np.ptp(edge) <= 4, "the glow has faded before the square ends"
