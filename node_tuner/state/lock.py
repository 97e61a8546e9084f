"""One tuner at a time, of a record and of a network namespace, and none while a result of it is made: the kernel gives
the locks back when their holder ends, however that is."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from node_tuner.errors import BusyError, StateError

_MODE = 0o600
_READERS_S, _POLL_S = 10.0, 0.02
"""How long those that only read back are waited for: all of a verification, which is bounded itself."""


@contextmanager
def lock(record_path: Path, namespace: Path | None = None) -> Iterator[None]:
    """Hold the lock of that record, beside it, and of that namespace, by its file below /proc: with a record each two
    tuners would take away each other's tables. StateError when another process has one, or where it cannot be had. A
    `quiet` of others is waited for, as it is over soon; another tuner is not.
    """
    path = record_path.with_name(f"{record_path.name}.lock")
    with ExitStack() as held:
        descriptor = held.enter_context(_opened(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW))
        if not _take(descriptor, fcntl.LOCK_EX):
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise StateError(f"another tuner is at work: process {holder or '(unknown)'} holds {path}")
        if namespace is not None:
            _take_from_readers(held.enter_context(_opened(namespace, os.O_RDONLY)))
        with suppress(OSError):  # who holds it is told as a courtesy, not on a full disk
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield


@contextmanager
def quiet(namespace: Path | None) -> Iterator[None]:
    """Have no tuner change that namespace: for whoever reads it back and says what it is. It needs nothing beside the
    record, which may be mounted read-only; where there is no such lock it goes without. BusyError when a tuner has it.
    """
    with ExitStack() as held:
        descriptor = None
        if namespace is not None:
            with suppress(StateError):
                descriptor = held.enter_context(_opened(namespace, os.O_RDONLY))
        if descriptor is not None and not _take(descriptor, fcntl.LOCK_SH):
            raise BusyError("another tuner is at work in this network namespace")
        yield


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    try:
        if flags & os.O_CREAT:
            path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags | os.O_CLOEXEC, _MODE)
    except OSError as error:
        raise StateError(f"{path}: the lock of the record cannot be had: {error.strerror}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _take_from_readers(descriptor: int) -> None:
    until_s = time.monotonic() + _READERS_S
    while not _take(descriptor, fcntl.LOCK_EX):
        if not _take(descriptor, fcntl.LOCK_SH):
            raise StateError("another tuner is at work in this network namespace, with another record")
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        if time.monotonic() > until_s:
            raise StateError(f"this network namespace is being verified, and not done within {_READERS_S:.0f} s")
        time.sleep(_POLL_S)


def _take(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
