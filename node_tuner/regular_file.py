"""Reads a profile or a record: in bounded size, and never waiting for a pipe of that name."""

import os
import stat
from pathlib import Path


class NoFileError(OSError):
    """There is something else of that name, such as a pipe; a directory is IsADirectoryError."""


def content(path: Path, max_bytes: int) -> bytes:
    """The first `max_bytes` of it. OSError where it cannot be read, NoFileError where it is no regular file."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NoFileError(0, "it is no file", str(path))
        return file.read(max_bytes)
