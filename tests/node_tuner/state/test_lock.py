"""One tuner at a time; who ends gives the lock back, however it ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from node_tuner.errors import StateError
from node_tuner.machine.namespace import NAMESPACE_FILE
from node_tuner.state.lock import lock
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
