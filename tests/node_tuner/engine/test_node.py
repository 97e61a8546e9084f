"""Which record holds: this boot's, this namespace's."""

from __future__ import annotations

from pathlib import Path

import pytest

from node_tuner.controls.sysctl import Sysctl
from node_tuner.engine.node import this_node
from node_tuner.errors import MissingError, StateError
from node_tuner.machine.namespace import identity
from node_tuner.machine.roots import Roots
from node_tuner.state.record import Entry, Record
from node_tuner.state.store import Store
from tests.node_tuner.engine.fakes import BOOT, NAMESPACE, FakeNode, node_of

ENTRIES = (Entry("a", "fake", {"name": "a"}, 0, 5),)


def test_no_record_is_an_empty_one(tmp_path: Path) -> None:
    assert node_of(FakeNode(), tmp_path / "state").record() == (Record(BOOT, NAMESPACE), "")


def test_record_of_here_and_now_holds(tmp_path: Path) -> None:
    node = node_of(FakeNode(), tmp_path / "state")
    node.store.save(Record(BOOT, NAMESPACE, ENTRIES))
    assert node.record() == (Record(BOOT, NAMESPACE, ENTRIES), "")


def test_record_of_an_earlier_boot_is_void_whatever_the_namespace(tmp_path: Path) -> None:
    node = node_of(FakeNode(), tmp_path / "state")
    node.store.save(Record("boot-0", "cookie-9", ENTRIES))
    record, notice = node.record()
    assert record == Record(BOOT, NAMESPACE)
    assert notice.endswith("of an earlier boot and void: 1 entries dropped")


def test_record_of_another_namespace_is_refused_with_what_to_do(tmp_path: Path) -> None:
    node = node_of(FakeNode(), tmp_path / "state")
    node.store.save(Record(BOOT, "cookie-9", ENTRIES))
    with pytest.raises(StateError, match=r"another network namespace \(cookie-9, this one is cookie-1\).*--state"):
        node.record()


def test_this_node_is_of_this_boot_and_namespace(tmp_path: Path) -> None:
    node = this_node(Store(tmp_path / "state"), Roots())
    assert node.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert node.namespace == identity()
    assert isinstance(node.find("sysctl", {"name": "net.core.rmem_max"}), Sysctl)


def test_tree_that_does_not_say_which_boot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="boot_id: No such file"):
        this_node(Store(tmp_path / "state"), Roots(tmp_path))
