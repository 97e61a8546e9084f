"""Waiting for what another process does in its own time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")

LOOK_EVERY_S = 0.05


async def eventually(
    ask: Callable[[], Awaitable[Value]], holds: Callable[[Value], bool], within_s: float = 10.0
) -> Value:
    """Ask until the answer holds, and return it; AssertionError with the last answer."""
    deadline_s = time.monotonic() + within_s
    while not holds(answer := await ask()):
        if time.monotonic() > deadline_s:
            raise AssertionError(f"after {within_s} s still {answer!r}")
        await asyncio.sleep(LOOK_EVERY_S)
    return answer


async def until(holds: Callable[[], bool], within_s: float = 10.0) -> None:
    """Look until it holds; AssertionError when it does not."""

    async def look() -> bool:
        return holds()

    await eventually(look, bool, within_s)
