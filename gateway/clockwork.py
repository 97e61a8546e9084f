"""What is called again and again for the life of the process, by timers of the event loop.

Few timers: each wake-up of an idle process costs as much as forwarding twenty packets.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from gateway.clock import monotonic_s

log = structlog.get_logger()

Call = Callable[[float], None]


def isolated(call: Call, now_s: float, **context: str) -> None:
    """Call with the time. A bug that it meets is loud in the log, with `context`, and stops nothing else."""
    try:
        call(now_s)
    except Exception:
        log.exception("call failed", call=getattr(call, "__qualname__", str(call)), **context)


class Clockwork:
    """Calls functions with the time, each at its own period. `on_lag` is told, in seconds, how late each call was."""

    def __init__(self, on_lag: Callable[[float], None]) -> None:
        self.worst_lag_s = 0.0
        """The largest since somebody set it to 0: how long nothing could be called."""
        self._on_lag = on_lag
        self._timers: dict[Call, asyncio.TimerHandle] = {}

    def every(self, period_s: float, call: Call) -> None:
        """Call `call` now and then every `period_s` seconds, until `stop`."""
        self._run(period_s, call, monotonic_s())

    def again_every(self, period_s: float, call: Call) -> None:
        """Likewise, the first time in `period_s` seconds: what `call` does has just been done."""
        self._wind(period_s, call, monotonic_s())

    def stop(self) -> None:
        """Call nothing any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _run(self, period_s: float, call: Call, due_s: float) -> None:
        now_s = monotonic_s()
        lag_s = max(now_s - due_s, 0.0)
        self._on_lag(lag_s)
        self.worst_lag_s = max(self.worst_lag_s, lag_s)
        self._wind(period_s, call, now_s)
        isolated(call, now_s)

    def _wind(self, period_s: float, call: Call, now_s: float) -> None:
        self._timers[call] = asyncio.get_running_loop().call_later(
            period_s, self._run, period_s, call, now_s + period_s
        )


class Alarm:
    """One timer that calls `call` with the time once; set again, the earlier time counts."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0

    def set(self, delay_s: float, now_s: float) -> None:
        """Ring in `delay_s` seconds at the latest."""
        if self._timer is not None:
            if self._due_s <= now_s + delay_s:
                return
            self._timer.cancel()
        self._due_s = now_s + delay_s
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def clear(self) -> None:
        """Do not ring."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._call(monotonic_s())


class Look:
    """At what may be slow, in a task of its own: never two at a time."""

    def __init__(self, look: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """`look` raises nothing."""
        self._look = look
        self._task: asyncio.Task[None] | None = None

    def begin(self, now_s: float) -> None:
        """Look, unless a look is under way."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look())

    async def wait(self) -> None:
        """Return when the look that was begun last is over. Who waits may go away: the look goes on."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await self.wait()
