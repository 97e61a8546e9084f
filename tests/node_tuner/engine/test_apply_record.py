"""What apply makes of a record that does not hold, cannot be relied on, or cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node_tuner.contract import Knob
from node_tuner.engine.apply import apply
from node_tuner.engine.node import Node
from node_tuner.engine.restore import restore
from node_tuner.errors import StateError
from node_tuner.result import State
from node_tuner.state.lock import lock
from tests.node_tuner.engine.fakes import FakeNode, node_of


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "lib" / "node-state.json"


def test_record_of_an_earlier_boot_is_void_and_said(record: Path) -> None:
    fake = FakeNode({"a": 0})
    apply([fake.knob("a", 1)], node_of(fake, record, boot_id="boot-0"))
    fake.values["a"] = 7
    applied = apply([fake.knob("a", 2)], node_of(fake, record))
    assert applied.notices == (f"{record} is of an earlier boot and void: 1 entries dropped",)
    restore(node_of(fake, record))
    assert fake.values["a"] == 7


def test_void_record_goes_even_when_nothing_is_to_be_changed(record: Path) -> None:
    fake = FakeNode({"a": 0})
    apply([fake.knob("a", 1)], node_of(fake, record, boot_id="boot-0"))
    apply([fake.knob("a", 1)], node_of(fake, record))
    assert not record.exists()


def test_record_of_another_namespace_stops_it(record: Path) -> None:
    fake = FakeNode({"a": 0})
    apply([fake.knob("a", 1)], node_of(fake, record, namespace="cookie-2"))
    fake.values["a"] = 7
    with pytest.raises(StateError, match="of another network namespace"):
        apply([fake.knob("a", 1)], node_of(fake, record))
    assert fake.values["a"] == 7


def test_spoilt_record_stops_it(record: Path) -> None:
    fake = FakeNode({"a": 0})
    record.parent.mkdir()
    record.write_text('{"schema": 1, "boot_')
    with pytest.raises(StateError, match="cannot be relied on"):
        apply([fake.knob("a", 1)], node_of(fake, record))
    assert (fake.values, record.read_text()) == ({"a": 0}, '{"schema": 1, "boot_')


def test_second_tuner_is_sent_away(record: Path) -> None:
    fake = FakeNode({"a": 0})
    with lock(record), pytest.raises(StateError, match="another tuner is at work"):
        apply([fake.knob("a", 1)], node_of(fake, record))
    assert fake.values == {"a": 0}


def fill(monkeypatch: pytest.MonkeyPatch, node: Node, saves: int) -> None:
    """The disk, after so many more."""
    save = node.store.save
    left = iter(range(saves))

    def full(what: Any) -> None:
        if next(left, None) is None:
            raise StateError("No space left on device")
        save(what)

    monkeypatch.setattr(node.store, "save", full)


@pytest.mark.parametrize("saves", range(4))
def test_record_that_cannot_be_written_any_more_stops_it(
    record: Path, saves: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeNode({"a": 0, "b": 0, "c": 0})
    node = node_of(fake, record)
    fill(monkeypatch, node, saves)
    knobs: list[Knob] = [fake.knob(name, 1) for name in "abc"]
    applied = apply(knobs, node)
    assert fake.writes == list("abc")[:saves]
    assert applied.notices == ("No space left on device. Nothing was changed after that.",)
    assert applied.is_broken_off
    assert [knob.state for knob in applied.knobs] == [State.TUNED] * saves + [State.FAILED] * (3 - saves)
    monkeypatch.undo()
    restore(node_of(fake, record))
    assert fake.values == {"a": 0, "b": 0, "c": 0}


def test_record_that_cannot_be_written_stops_the_putting_back_and_that_is_said(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeNode({"a": 0, "b": 0})
    apply([fake.knob("a", 1), fake.knob("b", 1)], node_of(fake, record))
    node = node_of(fake, record)
    fill(monkeypatch, node, 0)
    applied = apply([fake.knob("a", 1)], node)
    assert (fake.values, applied.put_back, applied.is_broken_off) == ({"a": 1, "b": 1}, (), True)
    rows = {knob.name: (knob.state, knob.note) for knob in applied.knobs}
    assert rows["b.unwanted"] == (State.FAILED, "No space left on device")
    assert apply([fake.knob("a", 1)], node_of(fake, record)).is_broken_off is False
    assert fake.values["b"] == 0
