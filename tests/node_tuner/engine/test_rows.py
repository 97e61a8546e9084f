"""What a plan looks like as rows of the result: the states that no test of apply and verify comes by."""

from __future__ import annotations

from pathlib import Path

from node_tuner.engine.plan import plan
from node_tuner.engine.rows import rows
from node_tuner.result import State
from node_tuner.state.record import Applied, Entry, Record
from tests.node_tuner.engine.fakes import BOOT, NAMESPACE, FakeNode, node_of


def left(name: str, place: str) -> Entry:
    return Entry(name, "fake", {"name": place}, 0, 5, False, Applied(5))


def test_names_are_there_once() -> None:
    fake = FakeNode({"rings": 5, "rings of eth1": 5, "rings of eth2": 5})
    record = Record(BOOT, NAMESPACE, (left("rings", "rings of eth1"), left("rings", "rings of eth2")))
    found = rows(plan([fake.knob("rings", 5)], record, node_of(fake, Path("none"))))
    assert [row.name for row in found] == ["rings.unwanted", "rings.unwanted.2", "rings"]


def test_what_is_as_it_was_has_no_row() -> None:
    fake = FakeNode({"a": 0, "b": 5}, gone={"b"})
    record = Record(BOOT, NAMESPACE, (left("a", "a"), left("b", "b")))
    assert rows(plan([], record, node_of(fake, Path("none")))) == ()


def test_failure_says_more_than_the_plan() -> None:
    fake = FakeNode({"a": 0})
    steps = plan([fake.knob("a", 1)], Record(BOOT, NAMESPACE), node_of(fake, Path("none")))
    (row,) = rows(steps, {steps[0].key: "Device busy"})
    assert (row.state, row.note, row.why, row.wanted) == (State.FAILED, "Device busy", "why a", "exactly 1")


def test_knob_of_nothing_has_no_original() -> None:
    fake = FakeNode()
    (row,) = rows(plan([fake.knob("a", 1)], Record(BOOT, NAMESPACE), node_of(fake, Path("none"))))
    assert (row.found, row.original, row.changed, row.state) == (None, None, False, State.SKIPPED)
