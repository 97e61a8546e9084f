"""Services that are played in a process of their own. Each writes down what happens to it."""

import asyncio
import os
import resource
import signal
import time
from pathlib import Path

from loadgen.errors import TargetError
from loadgen.figures import Interval, SessionFigures
from loadgen.workers import serving
from tests.e2e.waiting import until

BEAT_S = 0.05
GOODBYE_BEATS = 10
LARGE = 3_000
"""Sessions in one beat: more bytes than a pipe takes at once."""


class Diary:
    """A file with a line for each thing that happened."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, line: str) -> None:
        """One more."""
        with self._path.open("a") as file:
            file.write(f"{line}\n")

    def lines(self) -> list[str]:
        """All so far."""
        return self._path.read_text().splitlines() if self._path.exists() else []


class Tiny:
    """Does nothing, and counts how often it was asked."""

    receives = True

    def __init__(self, diary: Path) -> None:
        serving.BEAT_S = BEAT_S  # in the process of the worker
        self.diary = Diary(diary)
        self.diary.note(f"made {os.getpid()}")
        self._taken = 0
        self.sessions_a_beat = 1

    async def prepare(self) -> None:
        """See `Service`."""
        self.diary.note("prepared")

    async def run(self, began_s: float) -> None:
        """See `Service`."""
        self.diary.note(f"run {began_s}")
        try:
            await asyncio.Event().wait()
        finally:
            self.diary.note("run is over")

    def take(self) -> tuple[Interval, list[SessionFigures]]:
        """See `Service`."""
        self._taken += 1
        return Interval(0.0, 0.0, joins=1), [SessionFigures("table", "viewers", 0.0)] * self.sessions_a_beat

    async def end(self, cause: str) -> None:
        """See `Service`."""
        self.diary.note(f"end {cause}")


class Busy(Tiny):
    """Uses up its core."""

    async def run(self, began_s: float) -> None:
        """See `Service`."""
        while True:
            deadline_s = time.monotonic() + BEAT_S / 4
            while time.monotonic() < deadline_s:
                pass
            await asyncio.sleep(0)


class Talkative(Tiny):
    """Has large beats, and does not wait until they are read."""

    def __init__(self, diary: Path) -> None:
        super().__init__(diary)
        self.sessions_a_beat = LARGE

    def take(self) -> tuple[Interval, list[SessionFigures]]:
        """See `Service`."""
        return Interval(0.0, 0.0, joins=1), [SessionFigures(f"table-{n}", "viewers", 0.0) for n in range(LARGE)]


class Unable(Tiny):
    """Cannot be prepared."""

    async def prepare(self) -> None:
        """See `Service`."""
        raise TargetError("The studio cannot publish.")


class Slow(Tiny):
    """Takes for ever to prepare itself."""

    async def prepare(self) -> None:
        """See `Service`."""
        self.diary.note("preparing")
        await asyncio.sleep(60)


class Broken(Tiny):
    """Raises while it runs."""

    async def run(self, began_s: float) -> None:
        """See `Service`."""
        raise ZeroDivisionError("a bug")


class BrokenTake(Tiny):
    """Raises when it is asked what happened."""

    def take(self) -> tuple[Interval, list[SessionFigures]]:
        """See `Service`."""
        raise ZeroDivisionError("a bug")


class SlowGoodbye(Tiny):
    """Its server takes GOODBYE_BEATS to answer, however long those take."""

    async def end(self, cause: str) -> None:
        """See `Service`."""
        await super().end(cause)
        over = self._taken + GOODBYE_BEATS
        await until(lambda: self._taken >= over)


class Stubborn(Tiny):
    """Does not end, and blocks its event loop."""

    async def end(self, cause: str) -> None:
        """See `Service`."""
        await super().end(cause)
        while True:
            time.sleep(1)  # noqa: ASYNC251


class Killed(Tiny):
    """Its process is killed, as when memory runs out."""

    async def run(self, began_s: float) -> None:
        """See `Service`."""
        os.kill(os.getpid(), signal.SIGKILL)


class Modest(Tiny):
    """Writes down what its process may do."""

    async def prepare(self) -> None:
        """See `Service`."""
        self.diary.note(f"cores {sorted(os.sched_getaffinity(0))}")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.diary.note(f"files {soft == hard}")
