"""`python -m tests.loadgen.workers.coordinator DIARY`: a coordinator of one worker, for a test to kill."""

import asyncio
import functools
import os
import sys
import time
from pathlib import Path

from loadgen.workers.messages import Begin, Ready, Report
from loadgen.workers.processes import Worker
from tests.loadgen.workers.services import Tiny


async def coordinate(diary: Path) -> None:
    """Until killed."""
    reports: asyncio.Queue[tuple[Worker, Report]] = asyncio.Queue()
    make = functools.partial(Tiny, diary)
    worker = Worker("tiny", make, frozenset(os.sched_getaffinity(0)), reports.put_nowait)
    _worker, report = await reports.get()
    assert report == Ready()
    worker.send(Begin(time.time()))
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(coordinate(Path(sys.argv[1])))
