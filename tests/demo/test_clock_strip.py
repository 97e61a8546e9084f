"""The time in the picture: what is drawn is what is read."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.demo.clock_strip import STRIP_WIDTH_PX, WallClock, clock_text, draw_strip, read_strip
from gateway.demo.planar import Picture


@pytest.mark.parametrize("unix_ms", [0, 1, 0x8000_0001, 2**32 - 1, 1_700_000_000_123 % 2**32])
def test_strip_reads_back_what_was_drawn(unix_ms: int) -> None:
    picture = Picture(640, 64)
    picture.planes.fill(90)
    draw_strip(picture, unix_ms)
    assert read_strip(picture.luma) == unix_ms


def test_strip_drops_what_exceeds_32_bits() -> None:
    picture = Picture(640, 64)
    draw_strip(picture, 2**32 + 5)
    assert read_strip(picture.luma) == 5


def test_strip_has_its_most_significant_bit_leftmost_in_white() -> None:
    picture = Picture(640, 64)
    draw_strip(picture, 0x8000_0000)
    assert picture.luma[:16, :16].min() == 235
    assert picture.luma[:16, 16:STRIP_WIDTH_PX].max() == 16


def test_strip_survives_noise() -> None:
    picture = Picture(640, 64)
    draw_strip(picture, 0x1234_5678)
    noise = np.random.default_rng(1).normal(0, 25, picture.luma.shape)
    assert read_strip(np.clip(picture.luma + noise, 0, 255).astype(np.uint8)) == 0x1234_5678


@pytest.mark.parametrize("luma", [np.full((64, 640), 128), np.full((64, 256), 16), np.full((8, 640), 16)])
def test_strip_is_none_where_nothing_is_drawn(luma: NDArray[np.int64]) -> None:
    assert read_strip(luma.astype(np.uint8)) is None


def test_clock_text_is_utc_with_milliseconds() -> None:
    assert clock_text(1_700_000_000_007) == "22:13:20.007"


def test_clock_draws_another_picture_a_millisecond_later() -> None:
    picture, later = Picture(320, 64), Picture(320, 64)
    for canvas in (picture, later):
        canvas.planes.fill(16)
    clock = WallClock(0, 0)
    clock.draw(picture, 1_700_000_000_007)
    clock.draw(later, 1_700_000_000_008)
    changed_columns = np.flatnonzero((picture.luma != later.luma).any(axis=0))
    assert changed_columns.size > 0
    assert changed_columns.min() >= 8 * 26 + 3 * 14, "only the last digit changes"
