"""Virtual time: what is due next happens next."""

import heapq
import itertools
from collections.abc import Callable

START_S = 100.0
"""Not zero, so that an instant taken for a span of time shows."""


class Scheduler:
    """Runs calls in the order of their times; calls of one instant in the order in which they were asked for."""

    def __init__(self) -> None:
        self.now_s = START_S
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call `call` in `delay_s` seconds."""
        heapq.heappush(self._due, (self.now_s + delay_s, next(self._order), call))

    def every(self, period_s: float, call: Callable[[], None]) -> None:
        """Call `call` every `period_s` seconds, first in one period."""

        def again() -> None:
            call()
            self.after(period_s, again)

        self.after(period_s, again)

    def run(self, duration_s: float) -> None:
        """Let `duration_s` seconds pass."""
        end_s = self.now_s + duration_s
        while self._due and self._due[0][0] <= end_s:
            self.now_s, _, call = heapq.heappop(self._due)
            call()
        self.now_s = end_s
