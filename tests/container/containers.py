"""Containers of a test's own: each is gone afterwards, whatever became of it or of the test."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.image.podman import IMAGE, podman

LIFE_S: Final = 180
"""Of any container: it ends by itself even where the test was killed, and could not see to it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a container's process."""

    status: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit status {self.status}\n{self.out}{self.err}"


@dataclass(frozen=True, slots=True)
class Container:
    """One that was started, by its name."""

    name: str

    @property
    def state(self) -> dict[str, Any]:
        """podman's own words: `Status`, `Pid`, `ExitCode`, `OOMKilled`."""
        state: dict[str, Any] = json.loads(_done("inspect", self.name).out)[0]["State"]
        return state

    @property
    def pid(self) -> int:
        """Of its first process, as this machine counts."""
        return int(self.state["Pid"])

    def log(self) -> str:
        """All that it wrote to stdout and stderr."""
        logs = podman("logs", self.name)
        return logs.stdout + logs.stderr

    def changes(self) -> list[str]:
        """What differs from the image: `A /path`, `C /path`, `D /path`."""
        return _done("diff", self.name).out.splitlines()

    def stop(self, grace_s: int) -> tuple[int, float]:
        """SIGTERM, and SIGKILL after the grace period: (exit status, seconds that it took)."""
        started_s = time.monotonic()
        _done("stop", f"--time={grace_s}", self.name)
        took_s = time.monotonic() - started_s
        return int(self.state["ExitCode"]), took_s


def run(flags: Sequence[str], command: Sequence[str]) -> Ended:
    """A container that does its work and ends."""
    with _named() as name:
        return _ended(podman(*_run(name, flags), *command))


@contextmanager
def running(flags: Sequence[str], command: Sequence[str]) -> Iterator[Container]:
    """A container that stays; AssertionError where it cannot be started."""
    with _named() as name:
        container = Container(name)
        _done(*_run(name, ("--detach", *flags)), *command)
        try:
            yield container
        finally:
            # Captured: pytest shows it where the test failed.
            print(f"--- {' '.join(command)}\n{container.log()}")


def _run(name: str, flags: Sequence[str]) -> tuple[str, ...]:
    return ("run", "--name", name, "--pull=never", f"--timeout={LIFE_S}", *flags, IMAGE)


@contextmanager
def _named() -> Iterator[str]:
    """A name, of which no container is left."""
    name = f"railbird-test-{os.getpid()}-{secrets.token_hex(3)}"
    try:
        yield name
    finally:
        podman("rm", "--force", "--time=0", "--ignore", name)


def _done(*arguments: str) -> Ended:
    """AssertionError where podman fails."""
    ended = _ended(podman(*arguments))
    assert ended.status == 0, f"podman {' '.join(arguments)}: {ended}"
    return ended


def _ended(process: subprocess.CompletedProcess[str]) -> Ended:
    return Ended(process.returncode, process.stdout, process.stderr)
