"""Verify says what is, changes nothing, and does not need the record to say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from node_tuner.engine.apply import apply
from node_tuner.engine.verify import verify
from node_tuner.errors import StateError
from node_tuner.result import State
from tests.node_tuner.engine.fakes import FakeNode, Steps, at_least, node_of


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "node-state.json"


def test_node_that_was_never_tuned_fails_knob_by_knob(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 9})
    steps = Steps()
    verified = verify([fake.knob("a", 1), fake.knob("b", at_least(5))], node_of(fake, record, steps))
    assert [(knob.state, knob.note) for knob in verified.knobs] == [
        (State.FAILED, "it is not as wanted"),
        (State.TUNED, ""),
    ]
    assert (steps.names, fake.writes, list(record.parent.iterdir())) == ([], [], [])


@pytest.mark.parametrize(
    ("now", "state"), [(1, State.TUNED), (0, State.FAILED), (100, State.FOREIGN)], ids=["kept", "put back", "changed"]
)
def test_drift_is_told_apart(record: Path, now: int, state: State) -> None:
    fake = FakeNode({"a": 0})
    knobs = [fake.knob("a", 1)]
    apply(knobs, node_of(fake, record))
    fake.values["a"] = now
    (knob,) = verify(knobs, node_of(fake, record)).knobs
    assert (knob.state, knob.found, knob.original, knob.changed) == (state, now, 0, True)


def test_own_thing_is_good_without_a_record_and_bad_when_a_stranger_changed_it(record: Path) -> None:
    fake = FakeNode(own={"table"})
    knobs = [fake.knob("table", 1)]
    apply(knobs, node_of(fake, record))
    assert verify(knobs, node_of(fake, record.with_name("none"))).knobs[0].state is State.TUNED
    fake.values["table"] = {**fake.values["table"], "content": "a stranger's"}
    assert verify(knobs, node_of(fake, record)).knobs[0].state is State.FAILED


def test_optional_knob_that_was_undone_is_no_skip_for_want_of_privilege(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 0})
    knobs = [fake.knob("a", 1), fake.knob("b", 1)]
    apply(knobs[:1], node_of(fake, record))
    fake.values["a"] = 0
    fake.obstacles = {"a": "needs CAP_NET_ADMIN", "b": "needs CAP_NET_ADMIN"}
    assert [knob.state for knob in verify(knobs, node_of(fake, record)).knobs] == [State.FAILED, State.SKIPPED]


def test_what_is_no_longer_wanted_spoils_nothing_and_is_said(record: Path) -> None:
    fake = FakeNode({"a": 0, "b": 0})
    apply([fake.knob("a", 1)], node_of(fake, record))
    (left,) = verify([], node_of(fake, record)).knobs
    assert (left.state, left.wanted, left.original) == (State.NOT_NEEDED, "as it was before", 0)
    assert left.note == "it is no longer wanted: the next apply puts it back"


def test_spoilt_record_is_an_error(record: Path) -> None:
    record.write_text("")
    with pytest.raises(StateError, match="cannot be relied on"):
        verify([], node_of(FakeNode(), record))
