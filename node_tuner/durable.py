"""Files that are there whole or not at all, and outlive a power cut: the record of originals, the result."""

import errno
import glob
import os
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

OnStep = Callable[[str], None]
"""Told before and after every durable write, and every write to the kernel, what it is: tests end the process there."""


def nothing(_step: str) -> None:
    """An `OnStep` for whoever does not want to know."""


def replace(path: Path, text: str, mode: int, name: str, on_step: OnStep = nothing) -> None:
    """Write `text` to `path`; a reader finds the old file or the new one. OSError, and then the old one is there still.

    Directories that are not there are made. `name` is for `on_step`.
    """
    _check_file(path)
    on_step(f"{name}: begin")
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    scratch = _scratch(path)
    try:
        _write(scratch, text, mode)
        on_step(f"{name}: written beside")
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    on_step(f"{name}: replaced")
    _sync_directory(path.parent)
    on_step(f"{name}: end")


def check(path: Path) -> None:
    """OSError where `path` could not be replaced; it is left as it is."""
    _check_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = _scratch(path)
    try:
        _write(scratch, "", _PRIVATE)
    finally:
        scratch.unlink(missing_ok=True)


def remove(path: Path, name: str, on_step: OnStep = nothing) -> None:
    """Take `path` away, if it is there; OSError where that is refused."""
    if not _check_file(path):
        return
    on_step(f"{name}: begin")
    path.unlink()
    on_step(f"{name}: removed")
    _sync_directory(path.parent)
    on_step(f"{name}: end")


def _check_file(path: Path) -> bool:
    """Whether it is there. OSError for what is of that name and no file: a device, a pipe and a link are somebody
    else's, such as /dev/null and /dev/stdout."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return True


def _scratch(path: Path) -> Path:
    """Of each writer its own: two may be at it, such as a sidecar and somebody by hand."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.new")


_PRIVATE = 0o600
_ABANDONED_S = 60.0
"""No writer takes that long."""


def _sweep(path: Path) -> None:
    """What killed writers left behind."""
    for scratch in path.parent.glob(f".{glob.escape(path.name)}.*.new"):
        with suppress(OSError):
            if time.time() - scratch.lstat().st_mtime > _ABANDONED_S:
                scratch.unlink()


def _write(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as scratch:
        os.fchmod(descriptor, mode)  # whatever the umask
        scratch.write(text)
        scratch.flush()
        os.fsync(descriptor)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
