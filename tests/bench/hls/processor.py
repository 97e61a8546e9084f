"""CPU and wake-ups of a process, from /proc: all of it, and what its threads but the first had."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Spent:
    """Since the process began, or between two readings."""

    wall_s: float
    cpu_s: float
    """Of all threads and of all processes looked at."""
    threads_cpu_s: float
    """Of all threads but each process's first."""
    wake_ups: int
    """Voluntary context switches: how often a thread had slept."""

    def __sub__(self, before: "Spent") -> "Spent":
        return Spent(
            self.wall_s - before.wall_s,
            self.cpu_s - before.cpu_s,
            self.threads_cpu_s - before.threads_cpu_s,
            self.wake_ups - before.wake_ups,
        )

    @property
    def core_share(self) -> float:
        """Part of one core."""
        return self.cpu_s / self.wall_s


def spent(pid: int) -> Spent:
    """What `pid` and its children had so far. Threads that ended are not in `threads_cpu_s` and `wake_ups`."""
    cpu_s = threads_s = 0.0
    wake_ups = 0
    for each in _family(pid):
        cpu_s += time.clock_gettime(_cpu_clock(each))
        for task in Path(f"/proc/{each}/task").iterdir():
            threads_s += 0.0 if task.name == str(each) else _ran_s(task)
            wake_ups += _wake_ups(task)
    return Spent(time.monotonic(), cpu_s, threads_s, wake_ups)


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)


def _cpu_clock(pid: int) -> int:
    """CPUCLOCK_SCHED of the whole process, as clock_getcpuclockid(3) makes it: nanoseconds, user and system."""
    return (~pid << 3) | 2


def _ran_s(task: Path) -> float:
    return int((task / "schedstat").read_text().split()[0]) / 1e9


def _wake_ups(task: Path) -> int:
    lines = (task / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches:"))
