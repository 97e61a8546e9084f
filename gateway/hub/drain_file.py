"""The file that orders a drain by being there, looked for again and again, off the event loop.

Nothing that is in its place raises: what is no regular file is no order, and what cannot be looked at changes nothing.
"""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path

import structlog

from gateway.clock import monotonic_s
from gateway.clockwork import Look
from gateway.hub.drain import Drain, Order
from gateway.regular_file import content

log = structlog.get_logger()

LOOK_INTERVAL_S = 1.0

OF_ONE_LIFE = b"railbird-drain: "
"""What a file begins with that was meant for the gateway which ran then: a container that is started again after its
preStop finds it, and would never serve."""


class DrainFile:
    """See the module."""

    def __init__(self, path: Path, drain: Drain, monotonic: Callable[[], float] = monotonic_s) -> None:
        self._path = path
        self._drain = drain
        self._monotonic = monotonic
        self._fault: str | None = None
        self._look = Look(self._look_again)

    async def start(self) -> None:
        """Look for the first time. What was meant for the gateway before this one is removed."""
        await asyncio.to_thread(self._remove_of_another_life)
        await self._look_again()

    def tick(self, now_s: float) -> None:
        """Look again, in a task of its own; each LOOK_INTERVAL_S."""
        self._look.begin(now_s)

    async def stop(self) -> None:
        """Look no more."""
        await self._look.stop()

    async def _look_again(self) -> None:
        try:
            is_there = await asyncio.to_thread(self._is_there)
        except (OSError, ValueError) as error:  # ValueError: no such name can be
            self._say(getattr(error, "strerror", None) or str(error))
            return
        self._say(None)
        if is_there:
            self._drain.order(Order.FILE, self._monotonic())
        else:
            self._drain.withdraw(Order.FILE)

    def _is_there(self) -> bool:
        """In a thread: the directory may be slow to answer. OSError where it does not say."""
        try:
            return stat.S_ISREG(self._path.stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _remove_of_another_life(self) -> None:
        try:
            if content(self._path, len(OF_ONE_LIFE)) == OF_ONE_LIFE:
                self._path.unlink(missing_ok=True)
                log.info("drain file of the gateway before removed", file=str(self._path))
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            log.warning("drain file cannot be read", file=str(self._path), reason=reason)

    def _say(self, fault: str | None) -> None:
        """In the log, when it is another one."""
        if fault is not None and fault != self._fault:
            log.warning("drain file cannot be looked for", file=str(self._path), reason=fault)
        self._fault = fault
