"""A process of the load, told what to do through a pipe. It ends when the pipe does, whatever became of the bench."""

import asyncio
import contextlib
import multiprocessing
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, Protocol

import uvloop

from tests.bench.placement import place


class BenchError(Exception):
    """The bench cannot go on."""


class Service(Protocol):
    """What runs in the process: its methods are called by name."""

    async def close(self) -> None:
        """The pipe is closed."""


class Remote:
    """The caller's end."""

    def __init__(self, name: str, pipe: Connection) -> None:
        self._name = name
        self._pipe = pipe

    def call(self, method: str, *arguments: object, timeout_s: float = 60.0) -> Any:
        """What `method` returned. BenchError when it raised, took too long, or the process is gone."""
        try:
            self._pipe.send((method, arguments))
            if not self._pipe.poll(timeout_s):
                raise BenchError(f"{self._name}.{method} took longer than {timeout_s:.0f} s")
            succeeded, result = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise BenchError(f"the process of {self._name} is gone") from error
        if not succeeded:
            raise BenchError(f"{self._name}.{method}: {result}")
        return result


@contextlib.contextmanager
def remote(name: str, service: Callable[[], Service], cores: frozenset[int], nice: int) -> Iterator[Remote]:
    """A process on `cores` that serves `service()`; it is gone afterwards."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(service, theirs, cores, nice), name=name, daemon=True)
    process.start()
    theirs.close()
    try:
        yield Remote(name, ours)
    finally:
        ours.close()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()


def _main(service: Callable[[], Service], pipe: Connection, cores: frozenset[int], nice: int) -> None:
    place(cores, nice)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(service, pipe))


async def _serve(make: Callable[[], Service], pipe: Connection) -> None:
    service = make()
    loop = asyncio.get_running_loop()
    while True:
        try:
            # In a thread: an event loop would make the pipe non-blocking, and then it cuts large answers.
            method, arguments = await loop.run_in_executor(None, pipe.recv)
        except (EOFError, OSError):
            await service.close()
            return
        pipe.send(await _answer(service, method, arguments))


async def _answer(service: Service, method: str, arguments: tuple[object, ...]) -> tuple[bool, object]:
    try:
        return True, await getattr(service, method)(*arguments)
    except Exception:
        return False, traceback.format_exc()
