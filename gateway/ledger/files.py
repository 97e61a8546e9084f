"""The files of one ledger in its directory: numbered ones with lines, the head, and a lock."""

import fcntl
import json
import os
import re
from pathlib import Path

from gateway.errors import ConfigError
from gateway.ledger.chain import Link

FILE_MODE = 0o640


class Files:
    """`name` sets one ledger of a directory apart from another."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = name

    def path(self, number: int) -> Path:
        """Of the file with that number."""
        return self.directory / f"{self.name}-{number:06d}.jsonl"

    @property
    def head_path(self) -> Path:
        """Names the last line, so that nobody can take it away unseen."""
        return self.directory / f"{self.name}.head"

    def numbers(self) -> list[int]:
        """Of the files that there are, in order."""
        pattern = re.compile(rf"{re.escape(self.name)}-([0-9]{{6,}})\.jsonl")
        found = (pattern.fullmatch(path.name) for path in self.directory.iterdir())
        return sorted(int(match[1]) for match in found if match is not None)

    # The head

    def head(self) -> Link | None:
        """The last line as the head names it; None when it is missing, or says nothing."""
        try:
            fields = json.loads(self.head_path.read_bytes())
            return Link(int(fields["seq"]), str(fields["hash"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write_head(self, head: Link) -> None:
        """Replace the head at once, or not at all."""
        text = json.dumps({"seq": head.seq, "hash": head.hash}) + "\n"
        scratch = self.head_path.with_suffix(".head.new")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        try:
            os.write(descriptor, text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        scratch.replace(self.head_path)

    # One writer

    def lock(self) -> int:
        """The descriptor that holds the lock, until it is closed. ConfigError when another process has it."""
        descriptor = os.open(self.directory / f"{self.name}.lock", os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise ConfigError(f"another process writes the {self.name} in {self.directory}") from None
        return descriptor

    def sync_directory(self) -> None:
        """Let the names of new files outlive a power cut, too."""
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
