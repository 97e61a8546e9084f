"""Plans for machines that are not there, from the shipped profile to the last word: what is done, and why not."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from node_tuner.controls import control_of
from node_tuner.controls.ethtool import Channels
from node_tuner.engine.node import Node
from node_tuner.engine.plan import Action, Step, plan
from node_tuner.errors import UnavailableError
from node_tuner.machine.reading import read
from node_tuner.profile.loading import load
from node_tuner.state.record import Record
from node_tuner.state.store import Store
from node_tuner.wanted import knobs
from tests.node_tuner.trees import SYSCTLS, FakeMachine

NOT_THE_HOSTS = "not the host's network namespace"
OWN = {name: text for name, text in SYSCTLS.items() if name.startswith("net.ipv4.")}


@pytest.fixture(autouse=True)
def every_qdisc(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are asked of this machine's kernel, which may lack some."""
    monkeypatch.setattr("node_tuner.controls.sysctl_values.is_unknown", lambda link, handle, kind: False)


def plan_for(machine: FakeMachine, directory: Path) -> dict[str, Step]:
    """Sysctls, if they are to be had, and queues of media-edge: what else it has is asked of netlink, which knows no
    trees."""
    roots = machine.build(directory)
    profile = load("media-edge")
    wanted = [
        knob
        for knob in knobs(profile, machine.facts, roots)
        if knob.name in profile.sysctls or (knob.control is not None and knob.control.kind in ("rps", "xps"))
    ]
    node = Node(Store(directory / "record"), "boot", "1", partial(control_of, roots=roots))
    steps = plan(wanted, Record("boot", "1"), node)
    return {step.name: step for step in steps}


def test_tree_says_what_the_machine_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = FakeMachine(cores=6, memory_mib=2048, softnet_squeezed=7)
    monkeypatch.setattr("node_tuner.machine.interfaces.find", lambda roots, choice: machine.facts.interface)
    found = read(machine.build(tmp_path), load("media-edge").choice)
    assert (found.cores, found.memory_bytes, found.softnet_squeezed) == (6, 2048 << 20, 7)
    assert found.boot_id == machine.facts.boot_id
    assert {"CAP_NET_ADMIN", "CAP_BPF"} <= found.capabilities


def test_plan_for_a_host_changes_what_is_too_small_alone(tmp_path: Path) -> None:
    steps = plan_for(FakeMachine(cores=4, rx_queues=8, tx_queues=8), tmp_path)
    assert {step.action for step in steps.values()} == {Action.CHANGE, Action.KEEP, Action.NOT_NEEDED}
    assert (steps["net.core.rmem_max"].found, steps["net.core.rmem_max"].target) == ("212992", "26214400")
    assert steps["net.core.optmem_max"].action is Action.KEEP
    assert steps["net.core.busy_poll"].action is Action.KEEP
    assert steps["net.core.netdev_budget"].note.startswith("the kernel has left no datagram for later")
    assert steps["queues.rps"].note == "rbcard0 has a queue for each core: 8 for 4"


def test_plan_for_few_queues_hands_on_to_all_cores(tmp_path: Path) -> None:
    steps = plan_for(FakeMachine(cores=8, rx_queues=2, tx_queues=2, speed_mbps=None), tmp_path)
    assert steps["queues.rps"].found == {"rx-0": "0", "rx-1": "0"}
    assert steps["queues.rps"].target == {"rx-0": "ff", "rx-1": "ff"}
    assert steps["queues.xps"].target == {"tx-0": "55", "tx-1": "aa"}
    assert "a link of unknown speed" in steps["net.core.rmem_max"].why


def test_plan_for_a_squeezed_kernel_raises_its_budget(tmp_path: Path) -> None:
    step = plan_for(FakeMachine(softnet_squeezed=3), tmp_path)["net.core.netdev_budget"]
    assert (step.action, step.target) == (Action.CHANGE, "600")


def test_plan_for_another_namespace_is_refused_for_what_is_required_there(tmp_path: Path) -> None:
    there = {**OWN, "net.core.rmem_max": "212992", "net.core.wmem_max": "212992"}
    machine = FakeMachine(sysctls=there, read_only=["net.core.rmem_max", "net.core.wmem_max"])
    steps = plan_for(machine, tmp_path)
    refused = {name: step.note for name, step in steps.items() if step.action is Action.REFUSE}
    assert refused.keys() == {"net.core.rmem_max", "net.core.wmem_max"}
    assert all(note.startswith(NOT_THE_HOSTS) for note in refused.values())
    skipped = {name: step.note for name, step in steps.items() if step.action is Action.SKIP}
    assert skipped["net.core.netdev_max_backlog"].startswith(NOT_THE_HOSTS)
    assert skipped["vm.stat_interval"].startswith(NOT_THE_HOSTS)
    assert steps["net.ipv4.ip_local_reserved_ports"].action is Action.CHANGE


def test_plan_for_a_kernel_without_a_setting_skips_it_and_says_so(tmp_path: Path) -> None:
    there = {name: text for name, text in SYSCTLS.items() if name != "vm.stat_interval"}
    step = plan_for(FakeMachine(sysctls=there), tmp_path)["vm.stat_interval"]
    assert step.action is Action.SKIP
    assert step.note.startswith("this kernel has no setting vm.stat_interval")


def test_plan_for_a_setting_of_another_form_skips_it_and_says_so(tmp_path: Path) -> None:
    steps = plan_for(FakeMachine(sysctls={**SYSCTLS, "net.ipv4.tcp_rmem": "1 2", "net.core.optmem_max": "?"}), tmp_path)
    assert steps["net.ipv4.tcp_rmem"].note == "it has 2 fields here, not 3: '1 2'"
    assert steps["net.core.optmem_max"].note == "it is no number here: '?'"
    assert {steps[name].action for name in ("net.ipv4.tcp_rmem", "net.core.optmem_max")} == {Action.SKIP}


def test_plan_keeps_what_somebody_set_higher(tmp_path: Path) -> None:
    higher = {"net.core.rmem_max": "500000000", "net.ipv4.ip_local_reserved_ports": "53,8000-9000"}
    steps = plan_for(FakeMachine(sysctls={**SYSCTLS, **higher}), tmp_path)
    assert {steps[name].action for name in higher} == {Action.KEEP}


def test_card_that_is_not_there_has_no_channels_and_says_so(tmp_path: Path) -> None:
    machine = FakeMachine()
    with pytest.raises(UnavailableError, match="rbcard0"):
        Channels(machine.facts.interface, ["combined"]).limits()
    absent = {knob.name: knob.absent for knob in knobs(load("media-edge"), machine.facts, machine.build(tmp_path))}
    assert "rbcard0" in absent["nic.channels"]
    assert "rbcard0" in absent["nic.rings"]


def test_plan_for_a_kernel_without_fq_does_not_promise_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node_tuner.controls.sysctl_values.is_unknown", lambda link, handle, kind: kind == "fq")
    step = plan_for(FakeMachine(), tmp_path)["net.core.default_qdisc"]
    assert (step.action, step.note) == (Action.SKIP, "this kernel has no qdisc fq")
