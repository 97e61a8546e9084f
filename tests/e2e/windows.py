"""Measuring on a machine that has other things to do, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")

WINDOWS = 3
"""One quiet one is enough: what else a machine does is in some of them, what is wrong with the product in all."""


async def in_one_window(
    measure: Callable[[], Awaitable[Value]], holds: Callable[[Value], bool], windows: int = WINDOWS
) -> Value:
    """Measure again until all that is to hold does so in one window, and return that; AssertionError with every one."""
    seen: list[Value] = []
    while len(seen) < windows:
        seen.append(await measure())
        if holds(seen[-1]):
            return seen[-1]
    raise AssertionError(f"in none of {windows} windows: {seen}")
