"""The coordinator's side of the pipes."""

import asyncio
import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator

from loadgen.workers.messages import Ended, Failed, Order, Report
from loadgen.workers.serving import Service, serve

CLOSE_WITHIN_S = 25.0
"""For a process to end once it is told that no order will come: it says its goodbyes first."""


class Worker:
    """One worker process. What it reports is told to `tell`, in the event loop that started it; that it is gone, too,
    as Failed, unless it has ended or failed before."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Service],
        cores: frozenset[int],
        tell: "Callable[[tuple[Worker, Report]], None]",
    ) -> None:
        """`make` is pickled: a function of a module, or a partial of one."""
        self.name = name
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(make, theirs, cores), name=name, daemon=True)
        with _without_interrupts():
            self._process.start()
        theirs.close()
        # In a thread of its own: an event loop makes a pipe non-blocking, and then it cuts large reports.
        self._reader = threading.Thread(target=self._read, name=f"reports of {name}", daemon=True)
        self._reader.start()

    def send(self, order: Order | None) -> None:
        """An order, or that there will be no more. Nothing, where the process is gone: its reports say so."""
        with contextlib.suppress(OSError):
            self._pipe.send(order)

    def _read(self) -> None:
        report: Report | None = None
        with contextlib.suppress(EOFError, OSError):
            while True:
                report = self._pipe.recv()
                self._tell_in_loop(report)
        self._process.join()
        if not isinstance(report, Ended | Failed):
            self._tell_in_loop(Failed(f"The process of {self.name} is gone ({self._process.exitcode})."))

    def _tell_in_loop(self, report: Report) -> None:
        with contextlib.suppress(RuntimeError):  # The event loop is closed: nobody wants to know any more.
            self._loop.call_soon_threadsafe(self._tell, (self, report))

    async def close(self) -> None:
        """End the process: by telling it, and by force when that does not do."""
        self.send(None)
        await self._loop.run_in_executor(None, self._reader.join, CLOSE_WITHIN_S)
        if self._reader.is_alive():
            self._process.kill()
            await self._loop.run_in_executor(None, self._reader.join)
        self._process.close()
        self._pipe.close()


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """What is started meanwhile ignores Ctrl-C from its first instruction on: it takes a second until `serve`."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
