import itertools

import pytest

from loadgen.studios.noise import Grain, pictures


def planes(width_px: int, height_px: int, grain: Grain, seed: int = 1, count: int = 3) -> list[bytes]:
    shown = itertools.islice(pictures(width_px, height_px, grain, seed), count)
    return [picture.to_ndarray(format="gray").tobytes() for picture in shown]


def test_pictures_move_and_are_the_same_for_the_same_seed() -> None:
    grain = Grain(8, 0.25)
    shown = planes(320, 240, grain)
    assert len(set(shown)) == 3
    assert planes(320, 240, grain) == shown
    assert planes(320, 240, grain, seed=2) != shown


@pytest.mark.parametrize(("width_px", "height_px"), [(16, 16), (1280, 720), (854, 480)])
@pytest.mark.parametrize("grain", [Grain(8, 0.25), Grain(2, 1.0), Grain(16, 0.1)])
def test_pictures_are_of_the_size(width_px: int, height_px: int, grain: Grain) -> None:
    picture = next(pictures(width_px, height_px, grain, 1))
    assert (picture.width, picture.height) == (width_px, height_px)


def test_upper_part_pans_and_lower_part_is_new() -> None:
    width_px, height_px, grain_px = 320, 240, 8
    first, second = planes(width_px, height_px, Grain(grain_px, 0.25), count=2)
    row = 64 * width_px
    panned = first[row + 100 : row + 200], second[row + 100 - grain_px : row + 200 - grain_px]
    assert sum(abs(a - b) for a, b in zip(*panned, strict=True)) / 100 < 3
    low = 230 * width_px
    fresh = first[low + 100 : low + 200], second[low + 100 - grain_px : low + 200 - grain_px]
    assert sum(abs(a - b) for a, b in zip(*fresh, strict=True)) / 100 > 20
