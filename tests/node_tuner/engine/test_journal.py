"""The record on the disk is never behind what may have been written."""

from __future__ import annotations

from pathlib import Path

import pytest

from node_tuner.engine.journal import Journal
from node_tuner.errors import StateError
from node_tuner.state.record import Applied, Entry, Record
from node_tuner.state.store import Store

A = Entry("a", "fake", {"name": "a"}, 0, 5)
B = Entry("b", "fake", {"name": "b"}, {"x": 0}, 6)
EMPTY = Record("boot-1", "cookie-1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "node-state.json")


def on_disk(store: Store) -> tuple[Entry, ...]:
    record = store.load()
    return record.entries if record is not None else ()


def test_begin_is_on_the_disk_at_once_and_with_all_that_came_before(store: Store) -> None:
    journal = Journal(store, EMPTY, is_stale=False)
    journal.arrange([A, B])
    assert on_disk(store) == ()
    journal.begin(A.key, 7)
    assert [(entry.wanted, entry.is_begun) for entry in on_disk(store)] == [(7, True), (6, False)]
    journal.settle(A.key, 7)
    assert on_disk(store)[0].applied is None
    journal.begin(B.key, {"x": 9}, came={"x": 0, "y": 1})
    assert on_disk(store)[0].applied == Applied(7)
    assert on_disk(store)[1].original == {"x": 0, "y": 1}


def test_what_came_to_nothing_is_as_before(store: Store) -> None:
    journal = Journal(store, EMPTY, is_stale=False)
    journal.arrange([A])
    before = journal[A.key]
    journal.begin(A.key, 7)
    journal.put(before)
    journal.flush()
    assert on_disk(store) == (A,)


def test_nothing_left_is_no_file(store: Store) -> None:
    journal = Journal(store, EMPTY, is_stale=False)
    journal.arrange([A])
    journal.flush()
    journal.forget(A.key)
    journal.forget(B.key)
    journal.flush()
    assert not store.path.exists()


def test_flush_of_what_is_the_same_writes_nothing(store: Store) -> None:
    store.save(Record("boot-1", "cookie-1", (A,)))
    steps: list[str] = []
    journal = Journal(Store(store.path, steps.append), Record("boot-1", "cookie-1", (A,)), is_stale=False)
    journal.arrange([A])
    journal.flush()
    assert steps == []


def test_order_is_worth_a_write(store: Store) -> None:
    journal = Journal(store, Record("boot-1", "cookie-1", (A, B)), is_stale=False)
    journal.arrange([B, A])
    journal.flush()
    assert on_disk(store) == (B, A)


def test_void_record_is_overwritten_or_deleted(store: Store) -> None:
    store.save(Record("boot-0", "cookie-1", (A,)))
    Journal(store, EMPTY, is_stale=True).flush()
    assert not store.path.exists()


def test_saved_is_what_is_on_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(store, EMPTY, is_stale=False)
    journal.arrange([A])
    journal.flush()

    def full(_record: Record) -> None:
        raise StateError("No space left on device")

    monkeypatch.setattr(store, "save", full)
    with pytest.raises(StateError):
        journal.begin(A.key, 7)
    assert (journal.saved.entries, journal.record.entries[0].is_begun) == ((A,), True)
