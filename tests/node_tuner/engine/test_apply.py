"""Record, write, read back: in order, all of it or what the kernel allows, and nothing where a required knob lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from node_tuner.aims import Exactly
from node_tuner.engine.apply import Applied, apply
from node_tuner.engine.restore import restore
from node_tuner.result import State
from tests.node_tuner.engine.fakes import FakeNode, KilledError, Steps, at_least, card, node_of, queues_of


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "lib" / "node-state.json"


def states(applied: Applied) -> dict[str, State]:
    return {knob.name: knob.state for knob in applied.knobs}


def note_of(applied: Applied, name: str) -> str:
    return next(knob.note for knob in applied.knobs if knob.name == name)


def entries(record: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(record.read_text())["entries"]
    return found


def test_knobs_are_written_in_order_and_read_back(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 9, "c": 0})
    applied = apply([fake.knob("a", 1), fake.knob("b", at_least(5)), fake.knob("c", 3)], node_of(fake, record))
    assert fake.values == {"a": 1, "b": 9, "c": 3}
    assert fake.writes == ["a", "c"]
    assert set(states(applied).values()) == {State.TUNED}
    assert applied.changed == ("a", "c")
    assert [(row.found, row.original, row.changed) for row in applied.knobs] == [
        (1, 0, True),
        (9, 9, False),
        (3, 0, True),
    ]


def test_all_originals_are_on_record_before_the_first_write(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 7})
    steps = Steps()
    apply([fake.knob("a", 1), fake.knob("b", 2)], node_of(fake, record, steps))
    first_write = steps.names.index("write a: begin")
    assert steps.names[:first_write] == ["record: begin", "record: written beside", "record: replaced", "record: end"]

    fake = FakeNode({"a": 0, "b": 7})
    with pytest.raises(KilledError):
        apply([fake.knob("a", 1), fake.knob("b", 2)], node_of(fake, record.with_name("other"), Steps(first_write)))
    assert [(entry["name"], entry["original"]) for entry in entries(record.with_name("other"))] == [("a", 0), ("b", 7)]
    assert fake.writes == []


def test_what_was_read_back_is_on_record_before_the_next_write(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 0})
    knobs = [fake.knob("a", 1), fake.knob("b", 2)]
    steps = Steps()
    apply(knobs, node_of(fake, record, steps))
    second_write = steps.names.index("write b: begin")

    fake.values = {"a": 0, "b": 0}
    with pytest.raises(KilledError):
        apply(knobs, node_of(fake, record.with_name("other"), Steps(second_write)))
    assert [(entry["begun"], entry.get("applied")) for entry in entries(record.with_name("other"))] == [
        (False, 1),
        (True, None),
    ]


def test_required_knob_that_cannot_be_had_refuses_all(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 0}, obstacles={"b": "needs CAP_NET_ADMIN"})
    steps = Steps()
    applied = apply([fake.knob("a", 1), fake.knob("b", 1, required=True)], node_of(fake, record, steps))
    assert [step.name for step in applied.refusals] == ["b"]
    assert (steps.names, fake.writes, record.exists()) == ([], [], False)
    assert states(applied) == {"a": State.FAILED, "b": State.FAILED}
    assert note_of(applied, "a") == "nothing was changed, because a required knob cannot be had"
    assert note_of(applied, "b") == "needs CAP_NET_ADMIN"


def test_optional_knob_that_cannot_be_had_is_skipped(record: Path) -> None:
    fake = FakeNode({"a": 0})
    applied = apply([fake.knob("b", 1), fake.knob("a", 1, required=True)], node_of(fake, record))
    assert states(applied) == {"b": State.SKIPPED, "a": State.TUNED}
    assert note_of(applied, "b") == "this kernel has no b"


@pytest.mark.parametrize("required", [True, False])
def test_knob_that_the_kernel_refuses_half_way_does_not_stop_the_others(record: Path, required: bool) -> None:
    fake = FakeNode({"a": 0, "b": 0, "c": 0}, refusing={"b": "Invalid argument"})
    applied = apply([fake.knob("a", 1), fake.knob("b", 1, required=required), fake.knob("c", 1)], node_of(fake, record))
    assert states(applied) == {"a": State.TUNED, "b": State.FAILED, "c": State.TUNED}
    assert note_of(applied, "b") == "Invalid argument"
    assert not next(knob for knob in applied.knobs if knob.name == "b").changed
    fake.values["b"] = 4
    restore(node_of(fake, record))
    assert fake.values == {"a": 0, "b": 4, "c": 0}, "of b we had no part"


def test_second_apply_writes_nothing(record: Path) -> None:
    fake = FakeNode({"a": 0, "rps": {"rx-0": "0"}}, own={"table"})
    knobs = [fake.knob("a", at_least(5)), fake.knob("table", 1)]
    apply(knobs, node_of(fake, record))
    steps, writes = Steps(), list(fake.writes)
    applied = apply(knobs, node_of(fake, record, steps))
    assert (steps.names, fake.writes) == ([], writes)
    assert applied.changed == ()
    assert set(states(applied).values()) == {State.TUNED}


def test_two_applies_then_restore_put_back_what_was_before_the_first(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 0})
    apply([fake.knob("a", 1)], node_of(fake, record))
    apply([fake.knob("a", 2), fake.knob("b", 2)], node_of(fake, record))
    assert fake.values == {"a": 2, "b": 2}
    restore(node_of(fake, record))
    assert fake.values == {"a": 0, "b": 0}


def test_what_another_profile_wanted_is_put_back_first(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 0, "c": 0})
    apply([fake.knob("a", 1), fake.knob("b", 1)], node_of(fake, record))
    fake.writes.clear()
    applied = apply([fake.knob("c", 1)], node_of(fake, record))
    assert fake.values == {"a": 0, "b": 0, "c": 1}
    assert fake.writes == ["b", "a", "c"]
    assert (applied.put_back, states(applied)) == (("b", "a"), {"c": State.TUNED})
    assert [entry["name"] for entry in entries(record)] == ["c"]


def test_thing_that_overlaps_one_that_is_put_back_has_the_right_original(record: Path) -> None:
    """As both of a card's rings, after one of them alone."""
    fake = FakeNode({"rx": 0, "rx,tx": 0})
    fake.side_effects = {
        "rx": lambda node: node.values.update({"rx,tx": node.values["rx"]}),
        "rx,tx": lambda node: node.values.update({"rx": node.values["rx,tx"]}),
    }
    apply([fake.knob("rx", 1)], node_of(fake, record))
    apply([fake.knob("rx,tx", 2)], node_of(fake, record))
    restore(node_of(fake, record))
    assert fake.values == {"rx": 0, "rx,tx": 0}


def test_unwanted_that_cannot_be_put_back_stays_on_record(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 0})
    apply([fake.knob("a", 1)], node_of(fake, record))
    fake.refusing["a"] = "Device busy"
    applied = apply([fake.knob("b", 1)], node_of(fake, record))
    assert states(applied) == {"a.unwanted": State.FAILED, "b": State.TUNED}
    assert note_of(applied, "a.unwanted") == "Device busy"
    fake.refusing.clear()
    restore(node_of(fake, record))
    assert fake.values == {"a": 0, "b": 0}


def test_unwanted_that_others_use_stays_and_spoils_nothing(record: Path) -> None:
    fake = FakeNode({"clsact": None, "b": 0}, in_use={"clsact"})
    fake.values["clsact"] = None
    apply([fake.knob("clsact", 1)], node_of(fake, record))
    applied = apply([fake.knob("b", 1)], node_of(fake, record))
    assert states(applied) == {"clsact.unwanted": State.NOT_NEEDED, "b": State.TUNED}


def test_stranger_s_change_is_left_and_said(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 0})
    knobs = [fake.knob("a", 1), fake.knob("b", 1)]
    apply(knobs, node_of(fake, record))
    fake.values["a"] = 100
    applied = apply(knobs, node_of(fake, record))
    assert states(applied) == {"a": State.FOREIGN, "b": State.TUNED}
    assert fake.values["a"] == 100
    assert applied.knobs[0].original == 0


def test_stranger_s_change_that_is_taken_over_is_what_restore_puts_back(record: Path) -> None:
    fake = FakeNode({"a": 0})
    apply([fake.knob("a", 1)], node_of(fake, record))
    fake.values["a"] = 100
    applied = apply([fake.knob("a", 1)], node_of(fake, record), is_takeover=True)
    assert (fake.values["a"], states(applied)) == (1, {"a": State.TUNED})
    restore(node_of(fake, record))
    assert fake.values["a"] == 100


def test_own_thing_that_a_stranger_changed_is_made_anew(record: Path) -> None:
    fake = FakeNode(own={"table"})
    apply([fake.knob("table", 1)], node_of(fake, record))
    made = dict(fake.values["table"])
    fake.values["table"]["content"] = "a stranger's"
    applied = apply([fake.knob("table", 1)], node_of(fake, record))
    assert (fake.values["table"], states(applied)) == (made, {"table": State.TUNED})


def test_own_thing_without_a_record_is_taken_on_record(record: Path) -> None:
    fake = FakeNode(own={"table"})
    apply([fake.knob("table", 1)], node_of(fake, record))
    record.unlink()
    apply([fake.knob("table", 1)], node_of(fake, record))
    restore(node_of(fake, record))
    assert fake.snapshot() == {}


def test_new_channels_bring_new_queues_that_are_set_too(record: Path) -> None:
    fake = card()
    knobs = [fake.knob("channels", 4), fake.knob("rps", Exactly(queues_of(4, "3")))]
    applied = apply(knobs, node_of(fake, record))
    assert fake.values == {"channels": 4, "rps": queues_of(4, "3")}
    assert states(applied) == {"channels": State.TUNED, "rps": State.TUNED}
    assert entries(record)[1]["original"] == queues_of(4, "0")
    restore(node_of(fake, record))
    assert fake.values == {"channels": 1, "rps": {"rx-0": "0"}}
    assert not record.exists()


def test_what_a_later_knob_undid_is_done_again(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 0}, side_effects={"b": lambda node: node.values.update(a=0)})
    applied = apply([fake.knob("a", 1), fake.knob("b", 1)], node_of(fake, record))
    assert (fake.values, states(applied)) == ({"a": 1, "b": 1}, {"a": State.TUNED, "b": State.TUNED})
    restore(node_of(fake, record))
    assert fake.values == {"a": 0, "b": 0}


def test_what_was_right_and_a_later_knob_undid_is_on_record_as_it_was(record: Path) -> None:
    fake = FakeNode({"a": 1, "b": 0}, side_effects={"b": lambda node: node.values.update(a=node.values["b"] and 8)})
    applied = apply([fake.knob("a", 1), fake.knob("b", 1)], node_of(fake, record))
    assert (fake.values, states(applied)) == ({"a": 1, "b": 1}, {"a": State.TUNED, "b": State.TUNED})
    restore(node_of(fake, record))
    assert fake.values == {"a": 1, "b": 0}


def test_value_that_comes_with_another_knob_has_no_original_of_before(record: Path) -> None:
    """As nf_conntrack_max, which is there from the first rule about connections on."""
    fake = FakeNode({"b": 0}, side_effects={"b": lambda node: node.values.setdefault("a", 64)})
    applied = apply([fake.knob("a", at_least(100)), fake.knob("b", 1)], node_of(fake, record))
    assert (fake.values, states(applied)) == ({"a": 100, "b": 1}, {"a": State.TUNED, "b": State.TUNED})
    restore(node_of(fake, record))
    assert fake.values == {"a": 64, "b": 0}


def test_value_that_the_kernel_rounds_is_restored(record: Path) -> None:
    fake = FakeNode({"a": 0}, side_effects={"a": lambda node: node.values.update(a=node.values["a"] // 10 * 10)})
    applied = apply([fake.knob("a", 55)], node_of(fake, record))
    assert states(applied) == {"a": State.FAILED}
    assert note_of(applied, "a") == "it was set, and the kernel made something else of it"
    restore(node_of(fake, record))
    assert fake.values == {"a": 0}
