"""Numbers that follow the machine: what an apply left holds until the next one, though the machine has grown since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from node_tuner.contract import Knob
from node_tuner.controls import control_of
from node_tuner.engine.apply import apply
from node_tuner.engine.node import Node
from node_tuner.engine.plan import Action
from node_tuner.engine.verify import verify
from node_tuner.machine.roots import Roots
from node_tuner.profile.schema import Profile
from node_tuner.result import KnobResult, State
from node_tuner.state.store import Store
from node_tuner.wanted import knobs
from tests.node_tuner.engine.fakes import BOOT, NAMESPACE, FakeNode, at_least, node_of
from tests.node_tuner.trees import FakeMachine
from tests.node_tuner.wishes import WHY

BOND = FakeMachine(speed_mbps=25_000)
"""With one of its two members."""
LINK = {"rule": "link_ms", "factor": 20, "at_least": 26_214_400, "otherwise": 26_214_400}
SYSCTLS = {
    "net.core.rmem_max": {**WHY, "required": True, "at_least": LINK},
    "net.ipv4.tcp_rmem": {**WHY, "required": True, "fields_at_least": [None, None, LINK]},
    "net.core.busy_poll": {**WHY, "required": True, "exactly": {"rule": "per_core", "factor": 10}},
}
PROFILE = Profile.model_validate({"schema": 1, "name": "mine", "media_ports": "8189", "sysctls": SYSCTLS})
NOTE = "this machine would have 125000000 by now: the next apply sets it"


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    return BOND.build(tmp_path / "node")


@pytest.fixture
def node(roots: Roots, tmp_path: Path) -> Node:
    return Node(Store(tmp_path / "node-state.json"), BOOT, NAMESPACE, partial(control_of, roots=roots))


def wanted(machine: FakeMachine, roots: Roots, profile: Profile = PROFILE) -> tuple[Knob, ...]:
    return knobs(profile, machine.facts, roots)


def said(rows: Sequence[KnobResult]) -> dict[str, tuple[State, str, object]]:
    return {row.name: (row.state, row.note, row.found) for row in rows}


def test_buffers_of_a_bond_that_got_its_second_member_stay_good_until_the_next_apply(roots: Roots, node: Node) -> None:
    assert {row.state for row in apply(wanted(BOND, roots), node).knobs} == {State.TUNED}
    grown = wanted(replace(BOND, speed_mbps=50_000, cores=8), roots)
    assert said(verify(grown, node).knobs) == {
        "net.core.rmem_max": (State.TUNED, NOTE, "62500000"),
        "net.ipv4.tcp_rmem": (State.TUNED, NOTE.replace("125", "4096 131072 125"), "4096 131072 62500000"),
        "net.core.busy_poll": (State.TUNED, "this machine would have 80 by now: the next apply sets it", "40"),
    }
    assert {row.found for row in apply(grown, node).knobs} == {"125000000", "4096 131072 125000000", "80"}
    assert {note for _, note, _ in said(verify(grown, node).knobs).values()} == {""}


def test_it_is_so_where_nothing_may_be_written_as_in_a_sidecar(roots: Roots, node: Node) -> None:
    apply(wanted(BOND, roots), node)
    for name in SYSCTLS:
        roots.setting(name).chmod(0o444)
    verified = verify(wanted(replace(BOND, speed_mbps=50_000, cores=8), roots), node)
    assert {row.state for row in verified.knobs} == {State.TUNED}
    assert {step.action for step in verified.plan} == {Action.KEEP}


@pytest.mark.parametrize("found", ["62499999", "62500001", "212992"])
def test_any_other_number_is_none_that_an_apply_left(roots: Roots, node: Node, found: str) -> None:
    apply(wanted(BOND, roots), node)
    roots.setting("net.core.rmem_max").write_text(found)
    states = said(verify(wanted(replace(BOND, speed_mbps=50_000), roots), node).knobs)
    assert states["net.core.rmem_max"][0] in (State.FAILED, State.FOREIGN)


def test_number_of_before_the_boot_is_none_that_an_apply_left(roots: Roots, node: Node) -> None:
    apply(wanted(BOND, roots), node)
    rebooted = replace(node, boot_id="boot-2")
    states = said(verify(wanted(replace(BOND, speed_mbps=50_000), roots), rebooted).knobs)
    assert states["net.core.rmem_max"][0] is State.FAILED


def test_number_that_another_profile_wants_to_be_more_on_any_machine_is_not_good(roots: Roots, node: Node) -> None:
    apply(wanted(BOND, roots), node)
    more = {"net.core.rmem_max": {**WHY, "at_least": {**LINK, "at_least": 100_000_000, "otherwise": 100_000_000}}}
    profile = Profile.model_validate({"schema": 1, "name": "mine", "media_ports": "8189", "sysctls": more})
    assert said(verify(wanted(BOND, roots, profile), node).knobs)["net.core.rmem_max"][0] is State.FAILED


def test_number_of_the_profile_s_own_follows_no_machine(tmp_path: Path) -> None:
    fake, record = FakeNode({"a": 0}), tmp_path / "node-state.json"
    apply([fake.knob("a", at_least(5))], node_of(fake, record))
    assert verify([fake.knob("a", at_least(8))], node_of(fake, record)).knobs[0].state is State.FAILED


def test_number_that_the_kernel_had_made_something_else_of_is_not_good(tmp_path: Path) -> None:
    fake, record = FakeNode({"a": 0}), tmp_path / "node-state.json"
    fake.side_effects["a"] = lambda node: node.values.update(a=4)
    apply([fake.knob("a", at_least(5))], node_of(fake, record))
    grown = replace(fake.knob("a", at_least(8)), floor=at_least(1))
    assert verify([grown], node_of(fake, record)).knobs[0].state is State.FAILED


def test_apply_that_the_kernel_refuses_says_failed(tmp_path: Path) -> None:
    fake, record = FakeNode({"a": 0}), tmp_path / "node-state.json"
    apply([fake.knob("a", at_least(5))], node_of(fake, record))
    fake.refusing["a"] = "the kernel refuses it"
    (row,) = apply([replace(fake.knob("a", at_least(8)), floor=at_least(1))], node_of(fake, record)).knobs
    assert (row.state, row.note) == (State.FAILED, "the kernel refuses it")
