"""Which process of the bench runs where, and before whom."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

MEASURED_NICE = -15
"""Gateway, bare loop and probe: a node is the gateway's own, a developer's machine has more to do."""

CROWD_NICE = -5
"""The crowd gives way to the probe beside it."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The first core is the gateway's, the others are the load's; a single one is shared."""

    gateway: int
    load: frozenset[int]

    @classmethod
    def available(cls) -> "Cores":
        """Of those that this process may use."""
        first, *others = sorted(os.sched_getaffinity(0))
        return cls(first, frozenset(others or [first]))


def place(cores: frozenset[int], nice: int) -> None:
    """Put this process on `cores`, before what else the machine has to do where that is permitted."""
    os.sched_setaffinity(0, cores)
    # Linux may weigh sessions against each other before it weighs their processes (sched(7), autogroups): this makes
    # a session of our own, so that no shell keeps our priority.
    os.setsid()
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        Path("/proc/self/autogroup").write_text(str(nice))
