"""One tuner at a time: a lock beside the record, that the kernel gives back when its holder ends, however that is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from node_tuner.errors import StateError

_MODE = 0o600


@contextmanager
def lock(record_path: Path) -> Iterator[None]:
    """Hold the lock of that record. StateError when another process has it, or where it cannot be had at all."""
    path = record_path.with_name(f"{record_path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
    except OSError as error:
        raise StateError(f"{path}: the lock of the record cannot be had: {error.strerror}") from None
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        raise StateError(f"another tuner is at work: process {holder or '(unknown)'} holds {path}") from None
    with suppress(OSError):  # who holds it is told as a courtesy, not on a full disk
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
