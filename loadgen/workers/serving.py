"""The worker's side of the pipe: prepare, begin, tell every second what happened, end."""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from typing import Any, Protocol

import uvloop

from loadgen.errors import LoadgenError
from loadgen.figures import Interval, SessionFigures
from loadgen.workers.messages import Beat, Begin, End, Ended, Failed, Order, Ready

BEAT_S = 1.0
"""How long an interval is."""

_TIMER_S = 0.001
"""uvloop's timers count whole milliseconds, rounded: a beat is not to come before its second is over."""


class Service(Protocol):
    """What a worker does."""

    receives: bool
    """Whether its CPU is spent on received packets."""

    async def prepare(self) -> None:
        """Whatever has to be there before the beginning; may be cancelled. LoadgenError when it cannot be had."""

    async def run(self, began_s: float) -> None:
        """Until cancelled."""

    def take(self) -> tuple[Interval, list[SessionFigures]]:
        """What happened since the last call, also during `end`; who calls says when and by how much CPU."""

    async def end(self, cause: str) -> None:
        """End what is left at the server, in bounded time; `prepare` and `run` are over, however far they came."""


def serve(make: Callable[[], Service], pipe: Connection, cores: frozenset[int]) -> None:
    """The main function of a worker process on `cores`. It ends with the pipe, whatever became of the coordinator."""
    # These reach the whole group of processes; the coordinator is the one who decides.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_IGN)
    os.sched_setaffinity(0, cores)
    _allow_all_files()
    # What was imported lives as long as the process: a full collection of it would hold up the rounds.
    gc.collect()
    gc.freeze()
    with contextlib.suppress(ConnectionError):
        uvloop.run(_Worker(pipe).serve(make))


def _allow_all_files() -> None:
    """A player is a socket. The usual soft limit is 1024, for the sake of select(2), which nobody calls here."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Worker:
    """One service and its pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._orders: asyncio.Queue[Order | None] = asyncio.Queue()
        self._beats = 0
        self._began_s = 0.0
        self._taken_s = 0.0
        self._cpu_s = 0.0

    async def serve(self, make: Callable[[], Service]) -> None:
        """Everything, from the first order to the last."""
        threading.Thread(target=self._read, args=(asyncio.get_running_loop(),), name="orders", daemon=True).start()
        try:
            await self._serve(make())
        except LoadgenError as error:
            self._pipe.send(Failed(str(error)))
        except Exception:
            self._pipe.send(Failed(f"A worker failed:\n{traceback.format_exc()}"))

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """Orders until there are no more. In a thread: an event loop would make the pipe non-blocking, and then it cuts
        large reports."""
        order: Order | None = Begin(0.0)
        while order is not None:
            try:
                order = self._pipe.recv()
            except (EOFError, OSError):
                order = None
            with contextlib.suppress(RuntimeError):  # The event loop is closed.
                loop.call_soon_threadsafe(self._orders.put_nowait, order)

    async def _serve(self, service: Service) -> None:
        """Prepare, run, end: whatever happens, what was begun at the server is ended."""
        order: Order | None = None
        beating: list[asyncio.Task[None]] = []
        try:
            order = await self._order_during(self._prepare(service))
            if isinstance(order, Begin):
                began_s, order = order.began_s, None
                beating = [self._begin_to_beat(service, began_s)]
                order = await self._order_during(service.run(began_s), *beating)
        finally:
            await service.end(order.cause if isinstance(order, End) else "interrupted")
            for task in beating:
                task.cancel()
            await asyncio.gather(*beating, return_exceptions=True)
        if beating:
            self._beat(service)
        self._pipe.send(Ended())

    async def _prepare(self, service: Service) -> None:
        await service.prepare()
        self._pipe.send(Ready())

    async def _order_during(self, work: Coroutine[Any, Any, None], *others: asyncio.Task[None]) -> Order | None:
        """The next order, by which `work` is cancelled. What `work` or one of `others` raises before is raised."""
        order = asyncio.create_task(self._orders.get())
        working = asyncio.create_task(work)
        waiting: set[asyncio.Task[Any]] = {order, working, *others}
        try:
            while not order.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            return order.result()
        finally:
            order.cancel()
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    # Beats

    def _begin_to_beat(self, service: Service, began_s: float) -> asyncio.Task[None]:
        self._began_s = self._taken_s = began_s
        self._cpu_s = time.process_time()
        return asyncio.create_task(self._beat_for_ever(service))

    async def _beat_for_ever(self, service: Service) -> None:
        while True:
            await asyncio.sleep(self._began_s + (self._beats + 1) * BEAT_S - time.time() + _TIMER_S)
            self._beat(service)

    def _beat(self, service: Service) -> None:
        interval, ended = service.take()
        now_s, cpu_s = time.time(), time.process_time()
        interval.at_s = now_s - self._began_s
        interval.seconds = max(now_s - self._taken_s, 1e-3)
        interval.generator.cpu_s = cpu_s - self._cpu_s if service.receives else 0.0
        if interval.seconds > BEAT_S / 2:  # The last one may be too short to say anything.
            interval.generator.busiest_share = (cpu_s - self._cpu_s) / interval.seconds
        self._taken_s, self._cpu_s = now_s, cpu_s
        self._pipe.send(Beat(self._beats, interval, ended))
        self._beats += 1
