"""Containers of a test's own: each is gone afterwards, whatever became of it or of the test."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.image.podman import IMAGE, LIMIT_S, podman

LIFE_S: Final = 180
"""Of any container: it ends by itself even where the test was killed, and could not see to it."""

PREFERRED: Final = ("--cgroup-parent=/", "--cpu-shares=65536")
"""Over all else that the machine does: podman's own cgroup has the weight of a single process beside it."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What podman is told of a container."""

    flags: tuple[str, ...]
    command: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.command)


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

    def exec(self, *command: str) -> Ended:
        """A command beside its first process, with no more rights."""
        return _ended(podman("exec", self.name, *command))

    def stop(self, grace_s: int) -> tuple[int, float]:
        """SIGTERM, and SIGKILL after the grace period: (exit status, seconds that it took)."""
        started_s = time.monotonic()
        _done("stop", f"--time={grace_s}", self.name)
        took_s = time.monotonic() - started_s
        return int(self.state["ExitCode"]), took_s


@dataclass(frozen=True, slots=True)
class Pod:
    """A container that has to end well before the other one is started, as init containers of Kubernetes have to."""

    name: str
    init: Container
    main: Container

    def start(self) -> Ended:
        """Fails where the init container does; then the other is not started."""
        return _ended(podman("pod", "start", self.name))


def run(launch: Launch, limit_s: float = LIMIT_S) -> Ended:
    """A container that does its work and ends; TimeoutExpired where it takes longer."""
    with _named() as name:
        return _ended(podman("run", *_of(name, launch), limit_s=limit_s))


@contextmanager
def running(launch: Launch) -> Iterator[Container]:
    """A container that stays; AssertionError where it cannot be started."""
    with _named() as name:
        _done("run", "--detach", *_of(name, launch))
        with _told(launch, Container(name)) as container:
            yield container


@contextmanager
def pod(init: Launch, main: Launch) -> Iterator[Pod]:
    """Not yet started. Each has a network of its own choice: there is no container that keeps one for both."""
    with _named() as first, _named() as second, _named("pod", "rm", "--force", "--time=0", "--ignore") as name:
        _done("pod", "create", "--infra=false", "--name", name)
        _done("create", "--pod", name, "--init-ctr=always", *_of(first, init))
        _done("create", "--pod", name, *_of(second, main))
        with _told(init, Container(first)) as before, _told(main, Container(second)) as after:
            yield Pod(name, before, after)


def _of(name: str, launch: Launch) -> tuple[str, ...]:
    return ("--name", name, "--pull=never", f"--timeout={LIFE_S}", *PREFERRED, *launch.flags, IMAGE, *launch.command)


@contextmanager
def _told(launch: Launch, container: Container) -> Iterator[Container]:
    try:
        yield container
    finally:
        # Captured: pytest shows it where the test failed.
        print(f"--- {launch}\n{container.log()}")


@contextmanager
def _named(*removal: str) -> Iterator[str]:
    """A name, of which nothing is left."""
    name = f"railbird-test-{os.getpid()}-{secrets.token_hex(3)}"
    try:
        yield name
    finally:
        podman(*(removal or ("rm", "--force", "--time=0", "--ignore")), name)


def _done(*arguments: str) -> Ended:
    """AssertionError where podman fails."""
    ended = _ended(podman(*arguments))
    assert ended.status == 0, f"podman {' '.join(arguments)}: {ended}"
    return ended


def _ended(process: subprocess.CompletedProcess[str]) -> Ended:
    return Ended(process.returncode, process.stdout, process.stderr)
