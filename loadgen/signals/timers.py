"""Timers by what they are for: each can be set anew, and all end together."""

import asyncio
from collections.abc import Callable


class Timers:
    """On the running event loop."""

    def __init__(self) -> None:
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def set(self, what: str, after_s: float, act: Callable[[], None]) -> None:
        """Have `act` called once, in so long; in place of what was set for `what`."""
        self.cancel(what)
        self._handles[what] = asyncio.get_running_loop().call_later(after_s, self._ring, what, act)

    def cancel(self, what: str) -> None:
        """Nothing where there is none."""
        handle = self._handles.pop(what, None)
        if handle is not None:
            handle.cancel()

    def cancel_all(self) -> None:
        """See `cancel`."""
        for what in tuple(self._handles):
            self.cancel(what)

    def _ring(self, what: str, act: Callable[[], None]) -> None:
        del self._handles[what]
        act()
