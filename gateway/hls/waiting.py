"""Requests that wait for media still to come; bounded in number and in time."""

import asyncio
from collections.abc import Callable

from gateway.errors import SignallingError


class WaitingRoom:
    """The waiting requests of one stream. `wake` after each change of what there is."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[Callable[[], bool], set[asyncio.Future[None]]] = {}
        """By what they wait for: that is asked once, however many wait for it."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    async def wait_until(self, is_there: Callable[[], bool], deadline_s: float) -> bool:
        """Return True as soon as `is_there`; False when it is not, `deadline_s` seconds from now.

        SignallingError 503 when too many wait already.
        """
        if is_there():
            return True
        if self._count >= self._most:
            raise SignallingError(503, "Too many requests wait for this stream.", {"Retry-After": "1"})
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        # Not asyncio.timeout, which costs several times as much as this timer.
        deadline = loop.call_later(deadline_s, _let_go, future)
        self._enter(is_there, future)
        try:
            await future
        finally:
            deadline.cancel()
            self._leave(is_there, future)
        return is_there()

    def wake(self) -> None:
        """Let those go on whose wish has come true."""
        for is_there, futures in self._waiting.items():
            if is_there():
                for future in futures:
                    _let_go(future)

    def dismiss(self) -> None:
        """Let all go on: nothing more will come."""
        for futures in self._waiting.values():
            for future in futures:
                _let_go(future)

    def _enter(self, is_there: Callable[[], bool], future: asyncio.Future[None]) -> None:
        self._waiting.setdefault(is_there, set()).add(future)
        self._count += 1

    def _leave(self, is_there: Callable[[], bool], future: asyncio.Future[None]) -> None:
        futures = self._waiting[is_there]
        futures.remove(future)
        if not futures:
            del self._waiting[is_there]
        self._count -= 1


def _let_go(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
