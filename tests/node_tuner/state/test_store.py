"""The file of the record: there whole, or an error that says what to do."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from node_tuner.errors import StateError
from node_tuner.state.record import Entry, Record
from node_tuner.state.store import Store
from tests.node_tuner.namespaces import call_libc, in_child

RECORD = Record("boot-1", "cookie-1", (Entry("a", "sysctl", {"name": "a"}, "0", "1"),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lib" / "node-state.json"


def test_record_is_loaded_as_it_was_saved(path: Path) -> None:
    Store(path).save(RECORD)
    assert Store(path).load() == RECORD
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_no_file_is_no_record(path: Path) -> None:
    assert Store(path).load() is None


def test_deleted_record_is_none(path: Path) -> None:
    store = Store(path)
    store.save(RECORD)
    store.delete()
    assert store.load() is None
    store.delete()


def test_what_is_no_file_is_refused_at_once(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(StateError, match="the record of original values is no file"):
        Store(path).load()
    path.unlink()
    path.mkdir()
    with pytest.raises(StateError, match="Is a directory"):
        Store(path).load()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"null", RECORD.as_text()[:-10].encode(), b"\0" * 300])
def test_spoilt_record_is_refused_with_what_to_do(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StateError, match=r"cannot be relied on: .* Nothing was changed\. Restart the node"):
        Store(path).load()
    assert path.read_bytes() == content


def test_record_that_cannot_be_read_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StateError, match="cannot be read: Is a directory"):
        Store(path).load()


def test_steps_are_told(path: Path) -> None:
    steps: list[str] = []
    store = Store(path, steps.append)
    store.save(RECORD)
    store.delete()
    assert steps == [
        *("record: begin", "record: written beside", "record: replaced", "record: end"),
        *("record: begin", "record: removed", "record: end"),
    ]


@pytest.mark.netns
def test_full_disk_leaves_the_old_record(tmp_path: Path) -> None:
    def on_a_full_disk() -> tuple[str, Record | None, list[str]]:
        _mount_small(tmp_path)
        store = Store(tmp_path / "node-state.json")
        store.save(RECORD)
        _fill(tmp_path / "filler")
        with pytest.raises(StateError) as refused:
            store.save(Record("boot-2", "cookie-1", RECORD.entries * 100))
        return str(refused.value), store.load(), sorted(each.name for each in tmp_path.iterdir())

    said, left, names = in_child(on_a_full_disk)
    assert said.endswith("the record of original values cannot be written: No space left on device")
    assert left == RECORD
    assert names == ["filler", "node-state.json"]


def _mount_small(directory: Path) -> None:
    call_libc("unshare", 0x0002_0000)  # CLONE_NEWNS
    call_libc("mount", b"none", b"/", None, 16_384 | 1 << 19, None)  # MS_REC | MS_SLAVE
    call_libc("mount", b"tmpfs", os.fsencode(directory), b"tmpfs", 0, b"size=64k")


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
