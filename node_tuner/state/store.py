"""Where the record is kept: one file of the node, replaced durably, taken whole or refused."""

from pathlib import Path

from node_tuner import durable
from node_tuner.errors import StateError
from node_tuner.regular_file import NoFileError, content
from node_tuner.state.record import Record

DEFAULT_PATH = Path("/var/lib/railbird/node-state.json")

_MODE = 0o644
"""Nothing in it is secret, and whoever verifies reads it, as a sidecar without root does."""
_NAME = "record"
_MAX_BYTES = 16 << 20
"""Several hundred times a real one: what is longer is none."""


class Store:
    """The file at `path`; `on_step` is told of each write."""

    def __init__(self, path: Path, on_step: durable.OnStep = durable.nothing) -> None:
        self.path = path
        self._on_step = on_step

    def load(self) -> Record | None:
        """The record; None when there is none. StateError, which says what to do, where it cannot be relied on."""
        try:
            text = content(self.path, _MAX_BYTES).decode()
        except FileNotFoundError:
            return None
        except NoFileError:
            raise StateError(f"{self.path}: the record of original values is no file") from None
        except OSError as error:
            raise StateError(f"{self.path}: the record of original values cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise self._spoilt("it is not UTF-8") from None
        try:
            return Record.parse(text)
        except StateError as error:
            raise self._spoilt(str(error)) from None

    def save(self, record: Record) -> None:
        """It is on the disk when this returns. StateError where it cannot be; then the old one is there still."""
        try:
            durable.replace(self.path, record.as_text(), _MODE, _NAME, self._on_step)
        except OSError as error:
            raise StateError(
                f"{self.path}: the record of original values cannot be written: {error.strerror}"
            ) from None

    def delete(self) -> None:
        """Nothing is on record any more. StateError where the file stays."""
        try:
            durable.remove(self.path, _NAME, self._on_step)
        except OSError as error:
            raise StateError(
                f"{self.path}: the record of original values cannot be deleted: {error.strerror}"
            ) from None

    def _spoilt(self, reason: str) -> StateError:
        return StateError(
            f"{self.path}: the record of original values cannot be relied on: {reason}. Nothing was changed. "
            "Restart the node, which undoes all that was ever applied, then delete the file; or delete it now, if the "
            "node's values as they are shall count as its original ones."
        )
