"""Requests that wait for media still to come; bounded in number and in time."""

import asyncio
from collections.abc import Callable

from gateway.errors import SignallingError


class WaitingRoom:
    """The waiting requests of one stream. `wake` after each change of what there is."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[asyncio.Future[None], Callable[[], bool]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait_until(self, is_there: Callable[[], bool], deadline_s: float) -> bool:
        """Return True as soon as `is_there`; False when it is not, `deadline_s` seconds from now.

        SignallingError 503 when too many wait already.
        """
        if is_there():
            return True
        if len(self._waiting) >= self._most:
            raise SignallingError(503, "Too many requests wait for this stream.", {"Retry-After": "1"})
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = is_there
        try:
            async with asyncio.timeout(deadline_s):
                await future
        except TimeoutError:
            pass  # What is asked for may have come at the same instant.
        finally:
            self._waiting.pop(future, None)
        return is_there()

    def wake(self) -> None:
        """Let those go on whose wish has come true."""
        for future, is_there in self._waiting.items():
            if not future.done() and is_there():
                future.set_result(None)

    def dismiss(self) -> None:
        """Let all go on: nothing more will come."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
