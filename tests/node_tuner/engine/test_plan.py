"""What is to be done about each knob, decided by what is found and what is on record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from node_tuner.contract import Knob, Value
from node_tuner.engine.plan import Action, Step, plan
from node_tuner.state.record import Applied, Entry, Record
from tests.node_tuner.engine.fakes import BOOT, NAMESPACE, FakeNode, at_least, node_of


def entry(name: str, original: Value, wanted: Value, applied: Value = None, *, begun: bool = False) -> Entry:
    """`applied` None: nothing was read back."""
    return Entry(
        name,
        "fake",
        {"name": name},
        original,
        wanted,
        begun,
        None if applied is None else Applied(applied),
    )


def planned(fake: FakeNode, *knobs: Knob, entries: tuple[Entry, ...] = (), is_takeover: bool = False) -> list[Step]:
    return list(plan(knobs, Record(BOOT, NAMESPACE, entries), node_of(fake, Path("none")), is_takeover=is_takeover))


def test_what_is_right_is_kept() -> None:
    fake = FakeNode({"a": 7})
    (step,) = planned(fake, fake.knob("a", at_least(5)))
    assert (step.action, step.found, step.target) == (Action.KEEP, 7, 7)


def test_what_is_not_right_is_changed_to_its_target() -> None:
    fake = FakeNode({"a": 1})
    (step,) = planned(fake, fake.knob("a", at_least(5)))
    assert (step.action, step.found, step.target) == (Action.CHANGE, 1, 5)


@pytest.mark.parametrize(("required", "action"), [(True, Action.REFUSE), (False, Action.SKIP)])
def test_what_cannot_be_read_is_refused_or_skipped(required: bool, action: Action) -> None:
    fake = FakeNode()
    (step,) = planned(fake, fake.knob("a", 1, required=required))
    assert (step.action, step.note, step.obstacle) == (action, "this kernel has no a", "this kernel has no a")


@pytest.mark.parametrize(("required", "action"), [(True, Action.REFUSE), (False, Action.SKIP)])
def test_what_cannot_be_written_is_refused_or_skipped(required: bool, action: Action) -> None:
    fake = FakeNode({"a": 0}, obstacles={"a": "needs CAP_NET_ADMIN"})
    (step,) = planned(fake, fake.knob("a", 1, required=required))
    assert (step.action, step.note, step.obstacle) == (action, "needs CAP_NET_ADMIN", "needs CAP_NET_ADMIN")


def test_obstacle_to_what_is_right_already_is_none() -> None:
    fake = FakeNode({"a": 1}, obstacles={"a": "needs CAP_NET_ADMIN"})
    assert planned(fake, fake.knob("a", 1, required=True))[0].action is Action.KEEP


def test_aim_that_does_not_fit_the_value_is_a_finding() -> None:
    fake = FakeNode({"a": "three words here"})
    (step,) = planned(fake, fake.knob("a", at_least(5)))
    assert (step.action, step.note) == (Action.SKIP, "it is no number here: 'three words here'")


def test_absent_and_not_needed_say_why() -> None:
    fake = FakeNode({"a": 0, "b": 0})
    absent = replace(fake.knob("a", 1), control=None, absent="no such driver")
    steps = planned(fake, absent, fake.knob("b", 1, required=True, not_needed="enough queues"))
    assert [(step.action, step.note) for step in steps] == [
        (Action.SKIP, "no such driver"),
        (Action.NOT_NEEDED, "enough queues"),
    ]


@pytest.mark.parametrize(
    ("found", "on_record", "action"),
    [
        (5, entry("a", 1, 5, 5), Action.CHANGE),  # ours, of an earlier profile
        (1, entry("a", 1, 5, 5), Action.CHANGE),  # somebody put it back
        (3, entry("a", 1, 5, 5), Action.FOREIGN),
        (8, entry("a", 1, 5, 5), Action.KEEP),  # somebody else's, and right
        (5, entry("a", 1, 5, begun=True), Action.CHANGE),  # killed after the write
        (3, entry("a", 1, 5, begun=True), Action.FOREIGN),
        (3, entry("a", 1, 5), Action.CHANGE),  # planned and never begun: we have no part in it
        (6, entry("a", 1, 6, 5, begun=True), Action.CHANGE),  # killed in the second apply, after the write
        (5, entry("a", 1, 6, 5, begun=True), Action.CHANGE),  # and before it
    ],
)
def test_recorded_value_is_told_from_a_stranger_s(found: int, on_record: Entry, action: Action) -> None:
    fake = FakeNode({"a": found})
    (step,) = planned(fake, fake.knob("a", at_least(8)), entries=(on_record,))
    assert step.action is action


def test_stranger_s_value_is_changed_when_taken_over() -> None:
    fake = FakeNode({"a": 3})
    (step,) = planned(fake, fake.knob("a", 5), entries=(entry("a", 1, 5, 5),), is_takeover=True)
    assert step.action is Action.CHANGE


def test_stranger_s_value_is_said_with_ours() -> None:
    fake = FakeNode({"a": 3})
    (step,) = planned(fake, fake.knob("a", 5), entries=(entry("a", 1, 5, 5),))
    assert step.note.startswith("the tuner set it to 5, and somebody else to 3")


def test_own_thing_is_right_only_as_it_was_left() -> None:
    fake = FakeNode(own={"table"})
    knob = fake.knob("table", 1)
    fake.control("table").write(knob.aim.target(None))
    left = fake.values["table"]
    assert planned(fake, knob, entries=(entry("table", None, 0, left),))[0].action is Action.KEEP
    assert planned(fake, knob)[0].action is Action.CHANGE, "nobody knows what is in it"
    fake.values["table"] = {**left, "content": "with a stranger's rule"}
    assert planned(fake, knob, entries=(entry("table", None, 0, left),))[0].action is Action.CHANGE


@pytest.mark.parametrize(
    ("found", "on_record", "action"),
    [
        (5, entry("a", 1, 5, 5), Action.PUT_BACK),
        (1, entry("a", 1, 5, 5), Action.FORGET),
        (3, entry("a", 1, 5, 5), Action.FOREIGN),
        (5, entry("a", 1, 5, begun=True), Action.PUT_BACK),
        (3, entry("a", 1, 5, begun=True), Action.FOREIGN),
        (3, entry("a", 1, 5), Action.FORGET),
    ],
)
def test_what_is_no_longer_wanted_is_put_back_if_it_is_ours(found: int, on_record: Entry, action: Action) -> None:
    (step,) = planned(FakeNode({"a": found}), entries=(on_record,))
    assert (step.action, step.aim, step.required) == (action, None, False)
    assert step.target == 1


def test_not_needed_any_more_is_put_back() -> None:
    fake = FakeNode({"a": 5})
    steps = planned(fake, fake.knob("a", 5, not_needed="not squeezed"), entries=(entry("a", 1, 5, 5),))
    assert [step.action for step in steps] == [Action.PUT_BACK, Action.NOT_NEEDED]


def test_unwanted_is_put_back_first_and_last_applied_first() -> None:
    fake = FakeNode({"a": 5, "b": 5, "c": 0})
    steps = planned(fake, fake.knob("c", 1), entries=(entry("a", 1, 5, 5), entry("b", 1, 5, 5)))
    assert [step.name for step in steps] == ["b", "a", "c"]


def test_unwanted_that_is_gone_or_out_of_reach_is_told_apart() -> None:
    fake = FakeNode({"a": 5, "b": 5}, gone={"a"}, obstacles={"b": "needs CAP_NET_ADMIN"})
    on_record = (entry("a", 1, 5, 5), entry("b", 1, 5, 5), entry("c", 1, 5, 5))
    steps = planned(fake, entries=on_record)
    assert [(step.name, step.action) for step in steps] == [
        ("c", Action.SKIP),
        ("b", Action.SKIP),
        ("a", Action.GONE),
    ]


def test_mask_written_half_way_is_ours() -> None:
    fake = FakeNode({"rps": {"rx-0": "3", "rx-1": "0"}})
    on_record = entry("rps", {"rx-0": "0", "rx-1": "0"}, {"rx-0": "3", "rx-1": "3"}, begun=True)
    assert planned(fake, entries=(on_record,))[0].action is Action.PUT_BACK
    fake.values["rps"] = {"rx-0": "3", "rx-1": "1"}
    assert planned(fake, entries=(on_record,))[0].action is Action.FOREIGN
