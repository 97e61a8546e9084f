"""Keeps the table on air: runs one publishing process after the other until it is told to stop.

Each session is a process, because libavformat holds the interpreter while it waits for a peer, and waits without end
for one that is gone: a process can be ended all the same.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from gateway.demo.presence import Presence

logger = structlog.get_logger()

FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 4.0
SETTLED_S: Final = 10.0
"""A session that lived this long was a good one: the next retry is quick again."""

LOOK_EVERY_S: Final = 1.0
ON_AIR_WITHIN_S: Final = 12.0
"""Drawing, handshake and first keyframe: until then the gateway need not know the stream."""

LOOKS_MISSED: Final = 2
END_WITHIN_S: Final = 1.5


class Studio:
    """Runs `command`, which publishes one session and ends when it is lost, again and again."""

    def __init__(self, command: Sequence[str], presence: Presence, wait: Callable[[float], bool]) -> None:
        """`wait` sleeps for that many seconds and returns True when it is time to stop."""
        self._command = command
        self._presence = presence
        self._wait = wait

    def run(self) -> None:
        retry_s = FIRST_RETRY_S
        while True:
            lived_s = self._session()
            if lived_s > SETTLED_S:
                retry_s = FIRST_RETRY_S
            if self._wait(0):
                return
            logger.info("the demo studio is off air", next_try_in_s=retry_s)
            if self._wait(retry_s):
                return
            retry_s = min(retry_s * 2, LONGEST_RETRY_S)

    def _session(self) -> float:
        """One process, from its start until it is lost or `wait` says stop; returns how many seconds it lived."""
        if not self._presence.is_there():
            logger.warning("no gateway answers the demo studio")
            return 0.0
        started_s = time.monotonic()
        process = subprocess.Popen(self._command)
        try:
            self._watch(process, started_s)
        finally:
            _end(process)
        return time.monotonic() - started_s

    def _watch(self, process: subprocess.Popen[bytes], started_s: float) -> None:
        missed = 0
        while missed < LOOKS_MISSED and process.poll() is None and not self._wait(LOOK_EVERY_S):
            settling = time.monotonic() - started_s < ON_AIR_WITHIN_S
            missed = 0 if settling or self._presence.carries_us() else missed + 1


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
