"""Pictures and sprites in yuv420p."""

import numpy as np
import pytest
from PIL import Image

from gateway.demo.planar import Area, Picture, Sprite


@pytest.mark.parametrize(
    ("rgb", "yuv"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_picture_from_image_is_bt709_in_limited_range(rgb: tuple[int, int, int], yuv: tuple[int, int, int]) -> None:
    picture = Picture.from_image(Image.new("RGB", (4, 4), rgb))
    assert (int(picture.luma[1, 1]), int(picture.blue[1, 1]), int(picture.red[1, 1])) == pytest.approx(yuv, abs=1)


def test_picture_planes_are_laid_out_as_yuv420p() -> None:
    picture = Picture(4, 2)
    picture.luma.fill(1)
    picture.blue.fill(2)
    picture.red.fill(3)
    assert picture.planes.tobytes() == bytes([1] * 8 + [2] * 2 + [3] * 2)


def test_sprite_lays_opaque_pixels_over_darker_and_lighter_ones() -> None:
    sprite = Sprite(Image.new("RGBA", (4, 4), (255, 255, 255, 255)))
    for ground in (0, 255):
        canvas = Picture(16, 16)
        canvas.planes.fill(ground)
        area = sprite.lay(canvas, 6, 8)
        assert area == Area(6, 8, 10, 12)
        assert abs(int(canvas.luma[8:12, 6:10].min()) - 235) <= 1
        assert canvas.luma[7, 6] == ground


def test_sprite_half_transparent_meets_in_the_middle() -> None:
    canvas = Picture(16, 16)
    canvas.planes.fill(16)
    Sprite(Image.new("RGBA", (4, 4), (255, 255, 255, 128))).lay(canvas, 0, 0)
    assert int(canvas.luma[0, 0]) == pytest.approx((16 + 235) / 2, abs=2)


@pytest.mark.parametrize(("x", "y"), [(-3, 4), (4, -3), (14, 14), (-1, -1)])
def test_sprite_is_cut_off_at_the_edge(x: int, y: int) -> None:
    canvas = Picture(16, 16)
    canvas.planes.fill(16)
    area = Sprite(Image.new("RGBA", (4, 4), (255, 255, 255, 255))).lay(canvas, x, y)
    lit = np.argwhere(canvas.luma > 100)
    assert (lit.min(axis=0) == (area.top, area.left)).all()
    assert (lit.max(axis=0) == (area.bottom - 1, area.right - 1)).all()


def test_sprite_outside_touches_nothing() -> None:
    canvas = Picture(16, 16)
    canvas.planes.fill(16)
    area = Sprite(Image.new("RGBA", (4, 4), (255, 255, 255, 255))).lay(canvas, -8, 2)
    assert area == Area(0, 0, 0, 0)
    assert canvas.planes.max() == 16


def test_restore_brings_the_background_back_at_odd_places() -> None:
    background = Picture(32, 32)
    background.planes[:] = np.random.default_rng(2).integers(0, 255, background.planes.shape)
    canvas = background.copy()
    area = Sprite(Image.new("RGBA", (6, 6), (255, 0, 0, 255))).lay(canvas, 7, 9)
    assert (canvas.planes != background.planes).any()
    canvas.restore(background, area)
    assert (canvas.planes == background.planes).all()
