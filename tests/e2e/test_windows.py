"""How often is measured, and what is taken."""

import pytest

from tests.e2e.windows import in_one_window


@pytest.mark.parametrize("quiet", [1, 2, 3])
async def test_first_window_that_holds_is_taken(quiet: int) -> None:
    windows = iter(range(1, 9))

    async def measure() -> int:
        return next(windows)

    assert await in_one_window(measure, lambda window: window == quiet) == quiet
    assert next(windows) == quiet + 1


async def test_what_holds_in_no_window_fails_with_all_of_them() -> None:
    windows = iter(range(1, 9))

    async def measure() -> int:
        return next(windows)

    with pytest.raises(AssertionError, match=r"in none of 3 windows: \[1, 2, 3\]"):
        await in_one_window(measure, lambda window: window == 4)
