"""The drain file, made and removed by one who knows his own from those of others."""

import contextlib
from pathlib import Path

from gateway import regular_file
from gateway.cordon.decision import Found
from gateway.regular_file import NoFileError, content

SIGNATURE = "railbird-cordon: "
"""What a file of ours begins with. It outlives this process, so that the next one knows it again."""


class DrainFile:
    """Its being there is an order to drain. Every method raises OSError where the directory does not let it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def found(self) -> Found:
        """What is there now."""
        try:
            begin = content(self._path, len(SIGNATURE))
        except FileNotFoundError:
            return Found.ABSENT
        except (NoFileError, PermissionError, IsADirectoryError):
            return Found.OTHERS
        return Found.OURS if begin == SIGNATURE.encode() else Found.OTHERS

    def make(self, reason: str) -> None:
        """Unless there is one, ours or another's."""
        with contextlib.suppress(FileExistsError):
            regular_file.make(self._path, f"{SIGNATURE}{reason}\n")

    def remove(self) -> None:
        """If it is ours still."""
        if self.found() is Found.OURS:
            self._path.unlink(missing_ok=True)
