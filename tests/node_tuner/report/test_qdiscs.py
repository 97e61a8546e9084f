"""Which qdiscs there are, found out where nobody is touched."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from node_tuner.machine.roots import Roots
from node_tuner.report import qdiscs as module
from node_tuner.report.finding import Finding
from node_tuner.report.qdiscs import PURPOSES, qdiscs
from tests.node_tuner.namespaces import in_child, namespace
from tests.node_tuner.privileges import NOBODY, become


def _found() -> Mapping[str, Finding]:
    (section,) = qdiscs(Roots())
    return {each.name: each for each in section.findings}


def _as_account(*capabilities: str) -> Mapping[str, Finding]:
    become(NOBODY, *capabilities)
    return _found()


@pytest.mark.netns
def test_qdiscs_are_those_that_tc_can_make() -> None:
    found = _found()
    assert list(found) == list(PURPOSES)
    with namespace() as alone:
        for name in ("fq", "fq_codel", "pfifo", "netem", "prio"):
            is_made = "unknown" not in alone.run(
                *("sh", "-c", f"tc qdisc replace dev lo root {name} 2>&1"), is_checked=False
            )
            assert found[name].value is is_made, name
    assert found["pfifo"].value is True, "every kernel has it"


@pytest.mark.netns
def test_qdiscs_are_tried_in_no_namespace_of_ours() -> None:
    with namespace() as alone:
        before = alone.run("tc", "qdisc", "show")
        inode = Path("/proc/self/ns/net").stat().st_ino
        assert alone.call(_found)["pfifo"].value is True
        assert alone.run("tc", "qdisc", "show") == before
    assert Path("/proc/self/ns/net").stat().st_ino == inode


@pytest.mark.netns
def test_qdiscs_without_the_right_to_look_are_unknown() -> None:
    found = in_child(partial(_as_account, "CAP_NET_ADMIN"))
    assert {each.value for each in found.values()} == {None}
    assert all("unknown: needs CAP_SYS_ADMIN" in each.note for each in found.values())


def test_qdiscs_of_a_child_that_dies_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_in_own_namespace", lambda: os._exit(3))
    assert all("without an answer" in each.note for each in _found().values())


def test_qdiscs_of_a_child_that_hangs_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_in_own_namespace", lambda: os.read(os.pipe()[0], 1))
    monkeypatch.setattr(module, "_LIMIT_S", 0.2)
    assert all("no answer within" in each.note for each in _found().values())
