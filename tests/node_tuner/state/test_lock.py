"""One tuner at a time; who ends gives the lock back, however it ends."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Timer

import pytest

from node_tuner.errors import BusyError, StateError
from node_tuner.machine.namespace import NAMESPACE_FILE
from node_tuner.state.lock import lock, quiet
from tests.node_tuner.namespaces import ChildError, in_child, namespace


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "lib" / "node-state.json"


def test_second_process_is_sent_away_and_told_who_works(record: Path) -> None:
    def take() -> None:
        with lock(record):
            pass

    with lock(record), pytest.raises(StateError, match=f"another tuner is at work: process {os.getpid()} holds"):
        in_child(take)
    in_child(take)


@pytest.mark.netns
def test_other_record_of_the_same_namespace_is_sent_away(record: Path) -> None:
    def take() -> None:
        with lock(record.with_name("other"), NAMESPACE_FILE):
            pass

    with namespace() as one, namespace() as another:

        def hold() -> None:
            with lock(record, NAMESPACE_FILE):
                with pytest.raises(StateError, match="at work in this network namespace, with another record"):
                    one.call(take)
                another.call(take)

        one.call(hold)
        one.call(take)


def test_lock_of_a_killed_process_is_free(record: Path) -> None:
    def die() -> None:
        with lock(record):
            os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ChildError, match="wait status 9"):
        in_child(die)
    with lock(record):
        pass


def test_lock_is_free_after_an_error(record: Path) -> None:
    with pytest.raises(KeyError), lock(record):
        raise KeyError
    with lock(record):
        pass


def test_lock_that_cannot_be_had_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StateError, match="the lock of the record cannot be had"),
        lock(tmp_path / "file" / "state.json"),
    ):
        pass


def test_lock_follows_no_link(record: Path) -> None:
    record.parent.mkdir()
    victim = record.with_name("victim")
    victim.write_text("precious")
    record.with_name(f"{record.name}.lock").symlink_to(victim)
    with pytest.raises(StateError, match="cannot be had"), lock(record):
        pass
    assert victim.read_text() == "precious"


# Those that only read back.


@pytest.fixture
def namespace_file(tmp_path: Path) -> Path:
    path = tmp_path / "net"
    path.touch()
    return path


def test_reader_is_sent_away_at_once_while_a_tuner_is_at_work(record: Path, namespace_file: Path) -> None:
    with lock(record, namespace_file), pytest.raises(BusyError, match="another tuner is at work"):
        quiet(namespace_file).__enter__()
    with quiet(namespace_file), quiet(namespace_file):
        pass


def test_reader_is_waited_for(record: Path, namespace_file: Path) -> None:
    is_over = Event()
    with ExitStack() as reading:
        reading.enter_context(quiet(namespace_file))
        # Set before: the lock may be had sooner than the thread that gave it back goes on.
        reading.callback(is_over.set)
        done = Timer(0.2, reading.close)
        done.start()
        with lock(record, namespace_file):
            assert is_over.is_set()
        done.join()


def test_reader_that_does_not_end_is_told_from_a_tuner(
    record: Path, namespace_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node_tuner.state.lock._READERS_S", 0.1)
    with quiet(namespace_file), pytest.raises(StateError, match="is being verified"):
        lock(record, namespace_file).__enter__()
    with lock(record, namespace_file):
        pass


@pytest.mark.parametrize("path", [None, Path("/nowhere/ns/net")])
def test_reader_goes_without_a_lock_that_is_not_to_be_had(path: Path | None) -> None:
    with quiet(path):
        pass


@pytest.mark.netns
def test_reader_of_a_namespace_needs_nothing_beside_the_record(record: Path) -> None:
    def read() -> None:
        with quiet(NAMESPACE_FILE):
            pass

    with namespace() as one:

        def hold() -> None:
            with lock(record, NAMESPACE_FILE):
                with pytest.raises(BusyError):
                    one.call(read)
                read_elsewhere()

        def read_elsewhere() -> None:
            with namespace() as another:
                another.call(read)

        one.call(read)
        assert not record.parent.exists()
        one.call(hold)
