"""What people read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node_tuner import tables
from node_tuner.contract import Knob
from node_tuner.engine.plan import Step, plan
from node_tuner.engine.restore import Fate, Restored
from node_tuner.result import KnobResult, State
from node_tuner.state.record import Applied, Entry, Record
from tests.node_tuner.engine.fakes import BOOT, NAMESPACE, FakeNode, at_least, node_of

KNOB = KnobResult("a", "sysctl", True, State.TUNED, "at least 5", "7", "1", True, "stalls", "")
RESTORED = Restored(("sysctl", "a"), "a", "sysctl", Fate.PUT_BACK, 5, 1, "")


def planned(fake: FakeNode, *knobs: Knob, entries: tuple[Entry, ...] = ()) -> tuple[Step, ...]:
    return plan(knobs, Record(BOOT, NAMESPACE, entries), node_of(fake, Path("none")))


def test_plan_shows_what_is_now_and_what_is_wanted_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeNode({"a": 1, "b": 7})
    steps = planned(fake, fake.knob("a", at_least(5)), fake.knob("b", 7), fake.knob("c", 1))
    tables.show(tables.plan_table(steps), tables.plan_sentence(steps))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:4] == [
        ["a", "change", "1", "at", "least", "5", "why", "a"],
        ["b", "keep", "7", "exactly", "7", "why", "b"],
        ["c", "skip", "-", "exactly", "1", "this", "kernel", "has", "no", "c"],
    ]
    assert " ".join(lines[4]) == "1 as wanted already, 1 to be changed, 1 skipped."


def test_values_are_nobody_s_markup(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(tables.result_table([replace(KNOB, found="[red]7[/red]", note="")]), "[bold]")
    said = capsys.readouterr().out
    assert "[red]7[/red]" in said
    assert "[bold]" in said


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        ("", '""'),
        (7, "7"),
        (False, "False"),
        ({"rx-0": "f", "rx-1": "0"}, "rx-0 f, rx-1 0"),
        (["a", {"b": 1}], "a, b 1"),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_shown(value: Any, expected: str) -> None:
    assert tables.shown(value) == expected


def test_sentence_of_a_plan_with_nothing_to_do() -> None:
    fake = FakeNode({"a": 1})
    steps = planned(fake, fake.knob("a", 1))
    assert tables.plan_sentence(steps) == "There is nothing to change: 1 as wanted."


def test_sentence_of_a_plan_that_is_refused_names_what_lacks() -> None:
    fake = FakeNode({"a": 1, "b": 1})
    steps = planned(fake, fake.knob("a", 2), fake.knob("c", 1, required=True))
    said = tables.plan_sentence(steps)
    assert said == "apply would change nothing, because it is required and cannot be had: c (this kernel has no c)."
    refused = [step for step in steps if step.name == "c"]
    assert tables.refused_sentence(refused).startswith(
        "Nothing was changed, because it is required and cannot be had: c ("
    )


def test_sentence_of_a_plan_counts_what_is_put_back() -> None:
    fake = FakeNode({"a": 5})
    steps = planned(fake, entries=(Entry("a", "fake", {"name": "a"}, 1, 5, False, Applied(5)),))
    assert tables.plan_sentence(steps) == "0 as wanted already, 1 to be put back."


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ([], "The node is tuned: no knobs."),
        ([KNOB, replace(KNOB, state=State.NOT_NEEDED)], "The node is tuned: 1 as wanted, 1 not needed here."),
        ([replace(KNOB, required=False, state=State.FOREIGN)], "The node is degraded: 1 changed by somebody else."),
        (
            [KNOB, replace(KNOB, name="b", state=State.FAILED, note="Device busy")],
            "The node is not fit for media, for want of b (Device busy): 1 as wanted, 1 failed.",
        ),
    ],
)
def test_sentence_of_a_result(knobs: list[KnobResult], expected: str) -> None:
    assert tables.result_sentence(knobs) == expected


def test_restored_rows_show_what_was_found_and_what_was_before(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [RESTORED, replace(RESTORED, name="b", fate=Fate.FOREIGN, found=9, note="left")]
    tables.show(tables.restored_table(rows), tables.restored_sentence(rows, is_dry_run=False))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:3] == [["a", "put", "back", "5", "1"], ["b", "foreign", "9", "1", "left"]]
    assert " ".join(lines[3]) == "1 put back, 1 foreign; 1 still on record."


def test_sentences_of_a_restore() -> None:
    assert tables.restored_sentence([], is_dry_run=False) == "Nothing is on record, so there is nothing to put back."
    assert tables.restored_sentence([RESTORED], is_dry_run=False) == "1 put back; nothing is left on record."
    assert tables.restored_sentence([RESTORED], is_dry_run=True) == "restore would come to: 1 put back."


def test_lacking_names_each_privilege_once_and_nothing_else() -> None:
    fake = FakeNode({"a": 1, "b": 1, "c": 1, "d": 1})
    fake.obstacles = {"a": "needs CAP_NET_ADMIN", "b": "needs CAP_NET_ADMIN", "c": "the driver has no such ring"}
    steps = planned(fake, *(fake.knob(name, 2) for name in "abcd"))
    assert tables.lacking(steps) == ["needs CAP_NET_ADMIN: a, b"]


def test_log_gets_wide_lines() -> None:
    assert tables.output().width == 160
