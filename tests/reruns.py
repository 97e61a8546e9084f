"""A test that runs once more: pytest-rerunfailures does so with what has failed.

It makes the fixtures of the test anew, and keeps those of its module and of the session.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import pytest

Value = TypeVar("Value")


def is_rerun(item: pytest.Item) -> bool:
    """Whether `item` has failed before in this run."""
    return getattr(item, "execution_count", 1) > 1


class Kept(Generic[Value]):
    """What takes long to make: made for the first test that asks, kept for those after it, and made anew for one that
    runs once more. It would judge the same again."""

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._made: list[Value] | None = None
        """Empty where it could not be made."""

    def of(self, item: pytest.Item) -> Value:
        """What `item` is to be given. Raises what making it does; AssertionError to those who ask after that."""
        if self._made is None or is_rerun(item):
            self._made = []
            self._made.append(self._make())
        assert self._made, "it could not be made for a test before this one"
        return self._made[0]
