from itertools import pairwise

import pytest

from loadgen.report.axes import apart, heights, marks, time_axis


@pytest.mark.parametrize(
    ("run_s", "unit"), [(60, "seconds"), (180, "seconds"), (600, "minutes"), (10_800, "minutes"), (50_000, "hours")]
)
def test_time_axis_has_a_unit_that_fits(run_s: float, unit: str) -> None:
    assert time_axis(run_s).label == f"{unit} since the run began"


def test_marks_reach_the_largest_value() -> None:
    assert marks(0, 41) == [0, 10, 20, 30, 40, 50]


def test_heights_begin_at_zero_where_all_is_zero() -> None:
    ticks = heights([0.0, 0.0], begins_at_zero=True, is_whole=False)
    assert (ticks[0], ticks[-1]) == (0, 1)


def test_heights_of_few_viewers_have_no_halves() -> None:
    assert all(tick == int(tick) for tick in heights([1.0], begins_at_zero=True, is_whole=True))


def test_heights_of_memory_show_it_near_the_middle() -> None:
    ticks = heights([97.0, 98.0], begins_at_zero=False, is_whole=False)
    assert 70 < ticks[0] <= 97 * 0.9
    assert ticks[-1] >= 98 * 1.1


def test_labels_stay_where_there_is_room() -> None:
    assert apart([0.1, 0.9, 0.5], 0.1, 1.0) == [0.1, 0.9, 0.5]


@pytest.mark.parametrize("wanted", [[0.0, 0.0, 0.0], [1.0, 1.0, 0.99], [0.5, 0.52, 0.48]])
def test_labels_that_would_overlap_move_apart(wanted: list[float]) -> None:
    placed = apart(wanted, 0.1, 1.0)
    assert sorted(range(3), key=placed.__getitem__) == sorted(range(3), key=wanted.__getitem__)
    assert max(placed) <= 1.0
    assert all(later - earlier >= 0.0999 for earlier, later in pairwise(sorted(placed)))
