"""Keeps the record one step ahead of every change: nothing is written to the kernel before the disk says it may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from node_tuner.contract import Value
from node_tuner.state.record import Applied, Entry, Key, Record, plain
from node_tuner.state.store import Store


class Journal:
    """The record while it changes. What an entry's write came to goes to the disk with the next entry's beginning."""

    def __init__(self, store: Store, record: Record, *, is_stale: bool) -> None:
        """`is_stale`: the file on the disk is not this record, but one that is void."""
        self._store = store
        self._entries = {entry.key: entry for entry in record.entries}
        self._is_changed = is_stale
        self.saved = record
        """As it is on the disk."""

    def __getitem__(self, key: Key) -> Entry:
        return self._entries[key]

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    @property
    def record(self) -> Record:
        """As it is to be on the disk by the next flush."""
        return Record(self.saved.boot_id, self.saved.namespace, tuple(self._entries.values()))

    def arrange(self, entries: Iterable[Entry]) -> None:
        """Have these, in this order; those that are there stay as they are where nothing else is said."""
        arranged = {entry.key: entry for entry in entries}
        self._is_changed |= list(arranged.values()) != list(self._entries.values())
        self._entries = arranged

    def begin(self, key: Key, wanted: Value, moving: Iterable[Key] = (), *, came: Value = None) -> None:
        """On the disk when this returns: from now on `wanted` may have been written, and have moved those others.
        `came` may have values that came since, see `Entry.completed`. StateError where that fails."""
        self.put(replace(self._entries[key].completed(came), wanted=plain(wanted), is_begun=True))
        for moved in moving:
            self.unsettle(moved)
        self.flush()

    def unsettle(self, key: Key) -> None:
        """With the next flush: from then on something may have moved it, if it is on record at all."""
        if key in self._entries:
            self.put(replace(self._entries[key], is_unsettled=True))

    def settle(self, key: Key, found: Value) -> None:
        """What was written, or has moved it, has come to this."""
        self.put(replace(self._entries[key], is_begun=False, is_unsettled=False, applied=Applied(plain(found))))

    def move(self, key: Key, found: Value) -> None:
        """Another's write has made `found` of it: where that is news, nobody has wanted it so."""
        if self._entries[key].applied != Applied(found):
            self.put(replace(self._entries[key], wanted=found, applied=Applied(found)))

    def forget(self, key: Key) -> None:
        """It is as it was before us."""
        self._is_changed |= self._entries.pop(key, None) is not None

    def flush(self) -> None:
        """All of it is on the disk when this returns; no file when there is nothing. StateError where that fails."""
        if not self._is_changed:
            return
        record = self.record
        if record.entries:
            self._store.save(record)
        else:
            self._store.delete()
        self.saved, self._is_changed = record, False

    def put(self, entry: Entry) -> None:
        """Instead of what was on record of it."""
        self._is_changed |= self._entries.get(entry.key) != entry
        self._entries[entry.key] = entry
