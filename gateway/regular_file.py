"""Files that processes tell one another by: made whole; read in bounded size, never waiting for a pipe of that name."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoFileError(OSError):
    """There is something else of that name, such as a pipe; a directory is IsADirectoryError."""


def content(path: Path, max_bytes: int) -> bytes:
    """The first `max_bytes` of it. OSError where it cannot be read, NoFileError where it is no regular file."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NoFileError(0, "it is no file", str(path))
        return file.read(max_bytes)


def make(path: Path, text: str) -> None:
    """Make the file, whole from its first moment on, and never in the place of another, whoever was faster:
    FileExistsError. OSError where the directory does not let it."""
    with _whole(path, text) as whole:
        path.hardlink_to(whole)


def replace(path: Path, text: str) -> None:
    """Make the file, whole, in the place of one that is there until that moment. OSError where the directory does not
    let it."""
    with _whole(path, text) as whole:
        whole.replace(path)


@contextmanager
def _whole(path: Path, text: str) -> Iterator[Path]:
    """Beside it, by a name that nobody looks for; gone with the block."""
    whole = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        whole.write_text(text, encoding="utf-8")
        yield whole
    finally:
        whole.unlink(missing_ok=True)
