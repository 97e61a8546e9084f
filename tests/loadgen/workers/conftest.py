"""Workers in processes of their own, which must leave nothing behind."""

import asyncio
import functools
import multiprocessing
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loadgen.workers.messages import Beat, Begin, Ended, Order, Report
from loadgen.workers.processes import Worker
from tests.loadgen.workers.services import Diary, Tiny

WITHIN_S = 20.0


class Bench:
    """Starts workers, and hands out what they report."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "diary"
        self.diary = Diary(self.path)
        self.reports: asyncio.Queue[tuple[Worker, Report]] = asyncio.Queue()
        self.workers: list[Worker] = []

    def start(self, service: type[Tiny], cores: frozenset[int] | None = None) -> Worker:
        """One more worker."""
        make = functools.partial(service, self.path)
        cores = cores or frozenset(os.sched_getaffinity(0))
        worker = Worker(service.__name__, make, cores, self.reports.put_nowait)
        self.workers.append(worker)
        return worker

    async def told(self) -> Report:
        """The next report of any worker."""
        async with asyncio.timeout(WITHIN_S):
            _worker, report = await self.reports.get()
        return report

    async def told_at_last(self) -> Report:
        """The next that is no beat."""
        while isinstance(report := await self.told(), Beat):
            pass
        return report

    async def begun(self, service: type[Tiny]) -> Worker:
        """A worker that runs."""
        worker = self.start(service)
        await self.told()
        worker.send(Begin(time.time()))
        return worker

    async def ends(self, worker: Worker, order: Order) -> list[Beat]:
        """Send `order`; the beats until it has ended."""
        worker.send(order)
        beats = []
        while isinstance(report := await self.told(), Beat):
            beats.append(report)
        assert report == Ended()
        return beats


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """No child process, and no pipe, is left after the test."""
    files = _open_files()
    bench = Bench(tmp_path)
    yield bench
    await asyncio.gather(*(worker.close() for worker in bench.workers))
    assert multiprocessing.active_children() == []
    assert not {file for file in _open_files() - files if "socket" in file}


def _open_files() -> set[str]:
    files = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            files.add(f"{link.name} {link.readlink()}")
        except OSError:
            continue
    return files
