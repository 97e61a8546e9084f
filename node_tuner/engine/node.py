"""The node as this process finds it: where its record is, which boot and namespace this is, how controls are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from node_tuner import durable
from node_tuner.contract import Control, Where
from node_tuner.controls import control_of, moves
from node_tuner.controls.leftovers import Leftover, leftovers
from node_tuner.errors import MissingError, StateError
from node_tuner.machine.namespace import NAMESPACE_FILE, identity
from node_tuner.machine.roots import Roots
from node_tuner.state.lock import lock, quiet
from node_tuner.state.record import Entry, Record, plain
from node_tuner.state.store import Store

Find = Callable[[str, Where], Control]
"""The control of that kind and place, as a record names it. GoneError where its interface is no more."""

Moves = Callable[[str, Where], Sequence[tuple[str, Where]]]
"""See `controls.moves`."""


def none(_kind: str, _where: Where) -> Sequence[tuple[str, Where]]:
    """A `Moves` where each write is of itself alone."""
    return ()


@dataclass(frozen=True, slots=True)
class Node:
    """See the module."""

    store: Store
    boot_id: str
    namespace: str
    find: Find
    on_step: durable.OnStep = durable.nothing
    moves: Moves = none
    leftovers: Callable[[], Sequence[Leftover]] = tuple
    """See `controls.leftovers`."""
    namespace_file: Path | None = None
    """To be locked beside the record."""

    def lock(self) -> AbstractContextManager[None]:
        """For whoever changes anything. StateError where another process does."""
        return lock(self.store.path, self.namespace_file)

    def quiet(self) -> AbstractContextManager[None]:
        """For whoever says what the node is, from reading it back until that is written. BusyError while it changes."""
        return quiet(self.namespace_file)

    def record(self) -> tuple[Record, str]:
        """What is on record and still holds, and a sentence for people when something does not.

        StateError for another namespace's record, and for one that cannot be relied on.
        """
        record = self.store.load()
        if record is None:
            return self._of_leftovers()
        if record.boot_id != self.boot_id:
            # A restart put everything back by itself: what was recorded before it is true of nothing any more.
            notice = f"{self.store.path} is of an earlier boot and void: {len(record.entries)} entries dropped"
            return Record(self.boot_id, self.namespace), notice
        if record.namespace != self.namespace:
            raise StateError(
                f"{self.store.path} is the record of another network namespace ({record.namespace}, this one is "
                f"{self.namespace}). Nothing was changed. Run the tuner there, or name another file by --state."
            )
        return record, ""

    def _of_leftovers(self) -> tuple[Record, str]:
        """What of ours is here without a record, as that of a pod that is gone: nobody knows how it was left."""
        entries = tuple(
            Entry(each.name, each.control.kind, plain(each.control.where), each.original, None, is_unsettled=True)
            for each in self.leftovers()
        )
        names = ", ".join(entry.name for entry in entries)
        notice = f"{self.store.path} is not there, yet some of what the tuner makes is: {names}" if entries else ""
        return Record(self.boot_id, self.namespace, entries), notice


def this_node(store: Store, roots: Roots, on_step: durable.OnStep = durable.nothing) -> Node:
    """The one that we are on. MissingError where `roots` do not say which boot this is."""
    path = roots.setting("kernel.random.boot_id")
    try:
        boot_id = path.read_text().strip()
    except OSError as error:
        raise MissingError(f"{path}: {error.strerror}") from None
    return Node(store, boot_id, identity(), partial(control_of, roots=roots), on_step, moves, leftovers, NAMESPACE_FILE)
