"""When the next frame or block of sound is due. Pure: the clock is the caller's."""

from __future__ import annotations

import math


class Ticks:
    """Counts ticks of `period_s` from `start_s`. Late ticks are made up for, but never more than `catch_up` of them.

    The rest is skipped, as a camera skips what nobody fetched: a studio that was suspended must not flood the gateway.
    """

    def __init__(self, start_s: float, period_s: float, catch_up: int) -> None:
        self._start_s = start_s
        self._period_s = period_s
        self._catch_up = catch_up
        self._next = 0

    @property
    def next_s(self) -> float:
        """When the next tick is due, on the clock of `start_s`."""
        return self._start_s + self._next * self._period_s

    def due(self, now_s: float) -> range:
        """Return the numbers of the ticks that are due and not taken yet; they are taken with it."""
        # The tiny share added keeps a caller that woke exactly at next_s from finding nothing due.
        latest = math.floor((now_s - self._start_s) / self._period_s + 1e-6)
        if latest < self._next:
            return range(0)
        first = max(self._next, latest - self._catch_up)
        self._next = latest + 1
        return range(first, latest + 1)


def until_beat_s(unix_s: float, rate_hz: int, phase_s: float) -> float:
    """How long it is to the next moment that lies `phase_s` after a whole second or a whole 1 / `rate_hz` of one."""
    period_s = 1 / rate_hz
    return (phase_s - unix_s % 1) % period_s
