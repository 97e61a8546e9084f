"""Network namespaces of a test's own: one, or two joined by a veth with as many queues as asked for.

`run` starts a command inside, `call` a Python function (in a forked child with its own /sys); both are bounded in time.
Tests that use them are marked `netns`.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import secrets
import select
import signal
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar
from unittest import mock

T = TypeVar("T")

LINK = "media0"
"""What both ends of the veth are called."""
LIMIT_S = 60
THREADS_END_WITHIN_S = 10

_CLONE_NEWNS, _CLONE_NEWNET = 0x0002_0000, 0x4000_0000
_MS_REC, _MS_SLAVE = 16_384, 1 << 19
_MNT_DETACH = 2


class ChildError(Exception):
    """What a function raised in a namespace, where it cannot be raised again here; with its traceback."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace; `lo` is up."""

    name: str

    def run(self, *command: str, stdin: str = "", is_checked: bool = True) -> str:
        """What the command writes to stdout; AssertionError with what it said where it fails."""
        return _run("ip", "netns", "exec", self.name, *command, stdin=stdin, is_checked=is_checked)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """A process inside, that the test ends itself."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def call(self, function: Callable[[], T]) -> T:
        """What `function` returns, or raises, in a forked child that is inside and sees its own /sys."""

        def inside() -> T:
            _enter(self.name)
            return function()

        return in_child(inside)


@dataclass(frozen=True, slots=True)
class End:
    """One end of the veth."""

    namespace: Namespace
    ipv4: str
    ipv6: str
    mac: str
    interface: str = LINK


@dataclass(frozen=True, slots=True)
class Pair:
    """Two namespaces, joined: what `near` sends, `far` receives."""

    near: End
    far: End


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A fresh one; gone afterwards with all that is in it."""
    made = Namespace(f"rbt-{os.getpid()}-{secrets.token_hex(3)}")
    _run("ip", "netns", "add", made.name)
    try:
        made.run("ip", "link", "set", "lo", "up")
        yield made
    finally:
        _run("ip", "netns", "delete", made.name)


@contextmanager
def pair(queues: int = 1) -> Iterator[Pair]:
    """Two, each with `media0` up and addressed; `near` has its default routes through `far`."""
    with namespace() as near, namespace() as far:
        ends = (
            End(near, "10.199.0.1", "fd00:199::1", "02:00:00:00:00:01"),
            End(far, "10.199.0.2", "fd00:199::2", "02:00:00:00:00:02"),
        )
        count = ("numrxqueues", str(queues), "numtxqueues", str(queues))
        peer = ("peer", "name", LINK, "netns", far.name, *count)
        near.run("ip", "link", "add", LINK, *count, "type", "veth", *peer)
        for end in ends:
            _address(end)
        near.run("ip", "-4", "route", "add", "default", "via", ends[1].ipv4)
        near.run("ip", "-6", "route", "add", "default", "via", ends[1].ipv6)
        yield Pair(*ends)


def in_child(function: Callable[[], T]) -> T:
    """What `function` returns, or raises, in a forked child: for what a process cannot take back."""
    ours, theirs = os.pipe()
    child = _fork()
    if child == 0:
        os.close(ours)
        _tell(theirs, function)
    os.close(theirs)
    try:
        with os.fdopen(ours, "rb") as answers:
            if not select.select([answers], [], [], LIMIT_S)[0]:
                raise TimeoutError(f"no answer from the child within {LIMIT_S} s")
            answer = answers.read()
    except BaseException:  # also of a test whose own time is up
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
    if not answer:
        raise ChildError(f"the child ended without an answer: wait status {status}")
    result, error = pickle.loads(answer)
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _fork() -> int:
    """`os.fork`, with a child of one thread: OpenTelemetry starts its daemon anew there, and a process with threads is
    granted no user namespace. The other threads that it starts after a fork, it waits for."""
    start, parent = threading.Thread.start, os.getpid()

    def start_here(thread: threading.Thread) -> None:
        if os.getpid() == parent or not thread.daemon:
            start(thread)

    with mock.patch.object(threading.Thread, "start", start_here):
        child = os.fork()
    if child == 0:
        _wait_for_threads()
    return child


def _wait_for_threads() -> None:
    """Who has joined a thread may still find it in the kernel's list."""
    until_s = time.monotonic() + THREADS_END_WITHIN_S
    while len(os.listdir("/proc/self/task")) > 1 and time.monotonic() < until_s:  # noqa: PTH208
        time.sleep(0.001)


def call_libc(call: str, *arguments: object) -> None:
    """A system call that Python has no function for; OSError where it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, call)(*arguments):
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")


def _address(end: End) -> None:
    inside = end.namespace.run
    inside("ip", "link", "set", LINK, "address", end.mac)
    inside("ip", "address", "add", f"{end.ipv4}/24", "dev", LINK)
    inside("ip", "address", "add", f"{end.ipv6}/64", "dev", LINK, "nodad")
    inside("ip", "link", "set", LINK, "up")


def _run(*command: str, stdin: str = "", is_checked: bool = True) -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if is_checked and done.returncode:
        raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _tell(pipe: int, function: Callable[[], object]) -> NoReturn:
    """Never returns: the rest of the test is the parent's."""
    try:
        answer = pickle.dumps((function(), None))
    except BaseException as error:
        answer = pickle.dumps((None, _portable(error)))
    try:
        with os.fdopen(pipe, "wb") as answers:
            answers.write(answer)
    finally:
        os._exit(0)


def _portable(error: BaseException) -> BaseException:
    told = "".join(traceback.format_exception(error))
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:
        return ChildError(told)
    copy.add_note(f"In the child:\n{told}")
    return copy if isinstance(copy, Exception) else ChildError(told)


def _enter(name: str) -> None:
    """As `ip netns exec` does it: the namespace, and a sysfs that shows it."""
    with Path("/run/netns", name).open("rb") as handle:
        call_libc("setns", handle.fileno(), _CLONE_NEWNET)
    call_libc("unshare", _CLONE_NEWNS)
    call_libc("mount", b"none", b"/", None, _MS_REC | _MS_SLAVE, None)
    call_libc("umount2", b"/sys", _MNT_DETACH)
    call_libc("mount", b"sysfs", b"/sys", b"sysfs", 0, None)
