"""What a profile wants of the marks: by which mechanism, in which order, and where they cannot be had."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from node_tuner.aims import Exactly, Made
from node_tuner.bpf import program
from node_tuner.controls import control_of
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.controls.clsact import Clsact
from node_tuner.engine.node import Node
from node_tuner.engine.plan import Action, plan
from node_tuner.machine.roots import Roots
from node_tuner.marking import Marking, Payload
from node_tuner.ports import Ports
from node_tuner.profile.dscp import MAX_RULES
from node_tuner.profile.fields import MAX_LISTED_PORTS
from node_tuner.state.record import Record
from node_tuner.state.store import Store
from tests.node_tuner.wishes import FOUR_CORES, WHY, only, wanted

MARKS: dict[str, Any] = {
    **WHY,
    "required": True,
    "only_unmarked": False,
    "priority": 7,
    "rules": [
        {"class": "audio", "payload": "media", "payload_types": [111], "dscp": "EF"},
        {"class": "other", "transport": "tcp", "ports": "443", "dscp": 45},
    ],
}


def test_marks_by_nft_are_one_knob() -> None:
    knob = only(FOUR_CORES, dscp={**MARKS, "mechanism": "nft"})
    assert (knob.name, str(knob.aim), knob.required) == ("dscp.nft", "audio EF, other DSCP 45", True)
    assert isinstance(knob.aim, Made)
    marking = Marking.parse(knob.aim.spec)
    assert marking.only_unmarked is False
    assert (marking.rules[0].ports, marking.rules[0].payload) == (Ports({8189, 9000, 9001}), Payload.MEDIA)
    assert (marking.rules[1].ports, marking.rules[1].dscp) == (Ports({443}), 45)


def test_marks_by_bpf_of_the_most_rules_and_ports_that_a_profile_may_have_can_be_had() -> None:
    scattered = ",".join(str(port) for port in range(2, 2 * MAX_LISTED_PORTS + 2, 2))
    rules = [{"class": "other", "ports": scattered, "dscp": 0}] * MAX_RULES
    found = wanted(FOUR_CORES, dscp={**MARKS, "mechanism": "bpf", "rules": rules})
    assert found["dscp.bpf"].control is not None


def test_marks_by_bpf_that_no_program_is_made_for_are_not_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "MAX_RULES", 1)
    (knob,) = wanted(FOUR_CORES, dscp={**MARKS, "mechanism": "bpf"}).values()
    assert (knob.name, knob.control, knob.required) == ("dscp.bpf", None, True)
    assert knob.absent == "2 rules are more than the 1 that an eBPF program may have"


def test_marks_by_bpf_need_their_place_first() -> None:
    found = wanted(FOUR_CORES, dscp={**MARKS, "mechanism": "bpf"})
    assert list(found) == ["dscp.clsact", "dscp.bpf"]
    assert found["dscp.clsact"].aim == Exactly("there")
    assert all(knob.required for knob in found.values())
    assert isinstance(found["dscp.bpf"].aim, Made)
    assert found["dscp.bpf"].aim.spec["priority"] == 7
    assert len(Marking.parse(found["dscp.bpf"].aim.spec["marking"]).rules) == 2


def test_place_of_the_marks_is_not_made_where_they_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BpfMarking, "obstacle", lambda control: "needs CAP_BPF")
    monkeypatch.setattr(Clsact, "_occupant", lambda control: None)
    found = wanted(FOUR_CORES, dscp={**MARKS, "mechanism": "bpf", "required": False})
    node = Node(Store(Path("none")), "boot", "1", partial(control_of, roots=Roots()))
    steps = plan(tuple(found.values()), Record("boot", "1"), node)
    assert [(step.name, step.action, step.note) for step in steps if step.name == "dscp.clsact"] == [
        ("dscp.clsact", Action.SKIP, "needs CAP_BPF")
    ]


def test_marks_by_bpf_that_may_never_have_their_turn_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BpfMarking, "rivals", lambda control, priority: ["1 by tcx", f"bpf theirs at {priority - 1}"])
    knob = wanted(FOUR_CORES, dscp={**MARKS, "mechanism": "bpf"})["dscp.bpf"]
    assert knob.why.endswith("what others have before it may end the walk: 1 by tcx, bpf theirs at 6)")


def test_no_marks_are_no_knob() -> None:
    assert wanted(FOUR_CORES, dscp={**WHY, "mechanism": "none"}) == {}
    assert wanted(FOUR_CORES) == {}
