"""What stands in for a method, to see when it is called."""

from dataclasses import dataclass, field

import pytest


@dataclass(eq=False)
class Call:
    """What stood in for a method of a stream."""

    times_s: list[float] = field(default_factory=list)
    is_broken: bool = False

    def __call__(self, now_s: float) -> None:
        self.times_s.append(now_s)
        if self.is_broken:
            raise RuntimeError("a bug")


def stand_in(monkeypatch: pytest.MonkeyPatch, owner: object, method: str, *, is_broken: bool = False) -> Call:
    """Replace `method` of `owner`, for this test."""
    call = Call(is_broken=is_broken)
    monkeypatch.setattr(owner, method, call)
    return call
