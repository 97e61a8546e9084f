"""One tuner at a time, of a record and of a network namespace: the kernel gives the locks back when their holder ends,
however that is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from node_tuner.errors import StateError

_MODE = 0o600


@contextmanager
def lock(record_path: Path, namespace: Path | None = None) -> Iterator[None]:
    """Hold the lock of that record, beside it, and of that namespace, by its file below /proc: with a record each two
    tuners would take away each other's tables. StateError when another process has one, or where it cannot be had.
    """
    path = record_path.with_name(f"{record_path.name}.lock")
    with ExitStack() as held:
        descriptor = held.enter_context(_opened(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW))
        if not _take(descriptor):
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            raise StateError(f"another tuner is at work: process {holder or '(unknown)'} holds {path}")
        if namespace is not None and not _take(held.enter_context(_opened(namespace, os.O_RDONLY))):
            raise StateError("another tuner is at work in this network namespace, with another record")
        with suppress(OSError):  # who holds it is told as a courtesy, not on a full disk
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
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


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
