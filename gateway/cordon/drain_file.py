"""The drain file, made and removed by one who knows his own from those of others."""

import os
from pathlib import Path

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
        """Whole from its first moment on, and never in the place of another's, whoever was faster."""
        ours = self._path.with_name(f"{self._path.name}.cordon-{os.getpid()}")
        ours.write_text(f"{SIGNATURE}{reason}\n", encoding="utf-8")
        try:
            self._path.hardlink_to(ours)
        except FileExistsError:
            return
        finally:
            ours.unlink()

    def remove(self) -> None:
        """If it is ours still."""
        if self.found() is Found.OURS:
            self._path.unlink(missing_ok=True)
