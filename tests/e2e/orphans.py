"""No process of a test outlives the run that started it, however that ends."""

from __future__ import annotations

import signal
from typing import Final

from tests.node_tuner.namespaces import call_libc

_PR_SET_PDEATHSIG: Final = 1


def end_with_the_run(by: signal.Signals = signal.SIGKILL) -> None:
    """From now on the kernel sends this process that signal when the thread that started it ends (prctl(2))."""
    call_libc("prctl", _PR_SET_PDEATHSIG, by, 0, 0, 0)
