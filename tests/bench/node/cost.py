"""CPU of a thread that never sleeps, with all that the kernel does for it on its core.

What a send costs at the receiving end of a veth is a softirq's: it runs within the sender's call, or is left to the
core's ksoftirqd. Some kernels bill softirqs to nobody (CONFIG_IRQ_TIME_ACCOUNTING). So it is the time that passed,
without what the thread waited for its core, and with what ksoftirqd had of that.
"""

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Reading:
    """Nanoseconds so far."""

    wall_ns: int
    waited_ns: int
    """The thread was ready to run, and others ran."""
    softirq_ns: int
    """Of these: ksoftirqd."""

    def cpu_ns_since(self, before: "Reading") -> int:
        """Between two readings."""
        waited_ns = self.waited_ns - before.waited_ns
        return self.wall_ns - before.wall_ns - waited_ns + self.softirq_ns - before.softirq_ns

    def others_ns_since(self, before: "Reading") -> int:
        """What other processes had of the core between two readings."""
        return self.waited_ns - before.waited_ns - (self.softirq_ns - before.softirq_ns)


class CoreClock:
    """Of the calling process, which is alone with one thread on `core`."""

    def __init__(self, core: int) -> None:
        self._ksoftirqd = _thread_of_kernel(f"ksoftirqd/{core}")

    def read(self) -> Reading:
        """Now."""
        _, waited_ns = _schedstat(Path("/proc/self"))
        softirq_ns = _schedstat(self._ksoftirqd)[0] if self._ksoftirqd is not None else 0
        return Reading(time.perf_counter_ns(), waited_ns, softirq_ns)


def _schedstat(process: Path) -> tuple[int, int]:
    ran_ns, waited_ns, _ = (process / "schedstat").read_text().split()
    return int(ran_ns), int(waited_ns)


def _thread_of_kernel(name: str) -> Path | None:
    """None where it is not to be seen, as from a container's own PIDs: it has next to nothing to do then, too."""
    for status in Path("/proc").glob("[0-9]*/comm"):
        try:
            if status.read_text().strip() == name:
                return status.parent
        except OSError:
            continue
    return None
