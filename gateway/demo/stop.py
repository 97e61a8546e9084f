"""SIGTERM and SIGINT, waited for instead of handled: a handler cannot run while libavformat holds the interpreter."""

from __future__ import annotations

import signal
from typing import Final

_STOPPING: Final = frozenset({signal.SIGTERM, signal.SIGINT})


class StopSignals:
    """Blocks both signals in this process; from then on `wait` is where they arrive."""

    def __init__(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        self._came = False

    def wait(self, timeout_s: float) -> bool:
        """Sleep for `timeout_s` seconds or until a signal comes; True once one has come."""
        if not self._came:
            arrived = signal.sigtimedwait(_STOPPING, max(timeout_s, 0.0))
            # A process that was suspended past its timeout gets a siginfo that nobody filled in.
            self._came = arrived is not None and arrived.si_signo in _STOPPING
        return self._came
