"""What the process itself does: how late its event loop is, how much processor and memory it takes."""

import os
import resource
import time
from pathlib import Path
from typing import Any

from gateway.quality.history import Value

COLUMNS = ("loop_lag_max_ms", "cpu_share", "kernel_drops_per_s", "sessions")
"""Of the plots."""

_STATM = Path("/proc/self/statm")


class Process:
    """See the module."""

    def __init__(self, now_s: float) -> None:
        self._started_s = now_s
        self._lag_s = 0.0
        self._lag_before_s = 0.0
        self._cpu_s = time.process_time()
        self._cpu_share = 0.0
        self._kernel_drops = 0
        self._point_s = now_s

    def note_lag(self, seconds: float) -> None:
        """A timer of the event loop was called so late."""
        if seconds > self._lag_s:
            self._lag_s = seconds

    def point(self, now_s: float, kernel_drops: int, sessions: int) -> dict[str, Value]:
        """What was measured since the last point: COLUMNS. `kernel_drops`: of the media socket, so far."""
        elapsed_s = max(now_s - self._point_s, 0.001)
        cpu_s = time.process_time()
        self._cpu_share = (cpu_s - self._cpu_s) / elapsed_s
        values: dict[str, Value] = {
            "loop_lag_max_ms": round(self._lag_s * 1000, 2),
            "cpu_share": round(self._cpu_share, 3),
            "kernel_drops_per_s": round((kernel_drops - self._kernel_drops) / elapsed_s, 1),
            "sessions": sessions,
        }
        self._lag_before_s, self._lag_s = self._lag_s, 0.0
        self._cpu_s, self._kernel_drops, self._point_s = cpu_s, kernel_drops, now_s
        return values

    def report(self, now_s: float) -> dict[str, Any]:
        """JSON-ready; lag and processor of the last five to ten seconds."""
        return {
            "process_id": os.getpid(),
            "uptime_s": round(now_s - self._started_s, 1),
            "loop_lag_max_s": round(max(self._lag_s, self._lag_before_s), 4),
            "cpu_share": round(self._cpu_share, 3),
            "resident_bytes": _resident_bytes(),
        }


def _resident_bytes() -> int | None:
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return None
