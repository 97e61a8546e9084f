"""kill -9 at every step of apply and of restore, in a real namespace: a fresh process puts all of it back, exactly."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from node_tuner.aims import Keys
from node_tuner.contract import Knob
from node_tuner.controls.ethtool import Channels
from node_tuner.controls.steering import Rps, Xps
from node_tuner.engine.apply import apply
from node_tuner.engine.node import Node, this_node
from node_tuner.engine.restore import Restored, restore
from node_tuner.machine.facts import Machine
from node_tuner.machine.link import Link
from node_tuner.machine.reading import read
from node_tuner.machine.roots import Roots
from node_tuner.profile.loading import load
from node_tuner.result import KnobResult, Overall, overall
from node_tuner.state.store import Store
from node_tuner.wanted import knobs
from tests.node_tuner.media_profile import write_profile
from tests.node_tuner.namespaces import LINK, ChildError, Namespace, pair
from tests.node_tuner.snapshot import Snapshot, snapshot

pytestmark = [pytest.mark.netns, pytest.mark.nft, pytest.mark.timeout(400)]

OnStep = Callable[[str], None]

_EVERY_SIXTH = 6

_CHANNELS = 3
"""That are wanted; masks are then wanted of as many queues."""


@dataclass(frozen=True)
class Stage:
    """A namespace with a card of two channels in use; each call is a process of its own."""

    namespace: Namespace
    index: int
    directory: Path
    record: Path
    channels: int = _CHANNELS

    def apply(self, on_step: OnStep, mechanism: str = "nft") -> tuple[KnobResult, ...]:
        return self.namespace.call(lambda: apply(self._knobs(mechanism), self._node(on_step)).knobs)

    def restore(self, on_step: OnStep) -> tuple[Restored, ...]:
        return self.namespace.call(lambda: restore(self._node(on_step))[0])

    def look(self) -> Snapshot:
        return self.namespace.call(lambda: snapshot(self.index))

    def set_masks(self, masks: Sequence[str]) -> None:
        """Have a channel for each, and that mask for its queue."""

        def act() -> None:
            link, queues = Link(LINK, self.index), dict(enumerate(masks))
            Channels(link).write({"rx": len(masks), "tx": len(masks)})
            Rps(link, Roots()).write({f"rx-{queue}": mask for queue, mask in queues.items()})
            Xps(link, Roots()).write({f"tx-{queue}": mask for queue, mask in queues.items()})

        self.namespace.call(act)

    def _node(self, on_step: OnStep) -> Node:
        return this_node(Store(self.record, on_step), Roots(), on_step)

    def _knobs(self, mechanism: str) -> Sequence[Knob]:
        profile = load(write_profile(self.directory, mechanism=mechanism))
        machine = read(Roots(), profile.choice)
        queues = replace(machine.interface, rx_queues=self.channels, tx_queues=self.channels)
        machine = replace(machine, interface=queues)
        wanted = knobs(profile, machine, Roots())
        first_of_card = next(number for number, knob in enumerate(wanted) if knob.name.startswith("nic."))
        return (*wanted[:first_of_card], _channels(machine, self.channels), *wanted[first_of_card:])


def _channels(machine: Machine, count: int) -> Knob:
    """A veth has no combined ones, which are all that a profile can name."""
    values = {"rx": count, "tx": count}
    return Knob("nic.channels", Channels(machine.interface, values), Keys(values), True, "why", "test")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with pair(queues=_CHANNELS) as joined:
        namespace = joined.near.namespace
        namespace.call(_use_two_channels)
        namespace.run("nft", "add table ip stranger; add chain ip stranger c; add rule ip stranger c counter drop")
        index = namespace.call(lambda: socket.if_nametoindex(LINK))
        yield Stage(namespace, index, tmp_path, tmp_path / "lib" / "node-state.json")


def _use_two_channels() -> None:
    machine = read(Roots(), load("media-edge").choice)
    Channels(machine.interface).write({"rx": 2, "tx": 2})


class StepsInFile:
    """Writes down what it is told; kills its process at the step of that number."""

    def __init__(self, path: Path, kill_at: int | None = None) -> None:
        self._path = path
        self._left = kill_at

    def __call__(self, name: str) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._left is not None:
            self._left -= 1
        with self._path.open("a") as file:
            file.write(f"{name}\n")

    def names(self) -> list[str]:
        return self._path.read_text().splitlines() if self._path.exists() else []


def nothing(_name: str) -> None:
    """An OnStep."""


def steps_of(stage: Stage, act: Callable[[OnStep], object]) -> list[str]:
    steps = StepsInFile(stage.directory / "steps")
    act(steps)
    return steps.names()


def killed(stage: Stage, act: Callable[[OnStep], object], kill_at: int) -> None:
    with pytest.raises(ChildError, match="wait status 9"):
        act(StepsInFile(stage.directory / "killed-steps", kill_at))


def differences(before: Snapshot, after: Snapshot) -> dict[str, tuple[str | None, str | None]]:
    return {name: (before.get(name), after.get(name)) for name in before | after if before.get(name) != after.get(name)}


def test_apply_killed_at_every_step_is_undone_exactly(stage: Stage) -> None:
    before = stage.look()
    names = steps_of(stage, stage.apply)
    assert len(names) >= 60
    assert [name for name in names if name.startswith("write ") and name.endswith("end")] == [
        f"write {name}: end"
        for name in (
            "net.ipv4.ip_local_reserved_ports",
            "net.ipv4.udp_rmem_min",
            "net.ipv4.tcp_notsent_lowat",
            "net.ipv4.tcp_wmem",
            "nic.channels",
            "nic.offloads",
            "queues.rps",
            "qdisc",
            "conntrack.bypass",
            "dscp.nft",
        )
    ]
    assert differences(before, stage.look())
    stage.restore(nothing)
    assert differences(before, stage.look()) == {}
    for number, name in enumerate(names):
        killed(stage, stage.apply, number)
        if number % _EVERY_SIXTH == 0:
            assert overall(stage.apply(nothing)) is Overall.TUNED, name
            assert steps_of(stage, stage.apply)[len(names) :] == [], name
        stage.restore(nothing)
        assert differences(before, stage.look()) == {}, name
        assert not stage.record.exists(), name


def test_apply_of_ebpf_killed_at_every_step_is_undone_exactly(stage: Stage) -> None:
    before = stage.look()

    def act(on_step: OnStep) -> object:
        return stage.apply(on_step, "bpf")

    names = steps_of(stage, act)
    stage.restore(nothing)
    assert differences(before, stage.look()) == {}
    for number in range(names.index("write conntrack.bypass: end"), len(names)):
        killed(stage, act, number)
        stage.restore(nothing)
        assert differences(before, stage.look()) == {}, names[number]


def test_change_of_mechanism_killed_at_every_step_is_undone_exactly(stage: Stage) -> None:
    before = stage.look()
    stage.apply(nothing, "bpf")
    names = steps_of(stage, stage.apply)
    assert [name for name in names if name.endswith("end") and not name.startswith("record")] == [
        "put back dscp.bpf: end",
        "put back dscp.clsact: end",
        "write dscp.nft: end",
    ]
    for number, name in enumerate(names):
        stage.apply(nothing, "bpf")
        killed(stage, stage.apply, number)
        stage.restore(nothing)
        assert differences(before, stage.look()) == {}, name


def test_restore_killed_at_every_step_is_finished_by_the_next(stage: Stage) -> None:
    before = stage.look()
    stage.apply(nothing, "bpf")
    names = steps_of(stage, stage.restore)
    assert differences(before, stage.look()) == {}
    for number, name in enumerate(names):
        stage.apply(nothing, "bpf")
        killed(stage, stage.restore, number)
        stage.restore(nothing)
        assert differences(before, stage.look()) == {}, name
        assert not stage.record.exists(), name


def test_masks_of_queues_that_go_and_come_outlive_a_kill_at_every_step(stage: Stage) -> None:
    stage = replace(stage, channels=1)
    stage.set_masks(["1", "2", "3"])
    before = stage.look()
    names = steps_of(stage, stage.apply)
    during = differences(before, stage.look())
    assert {name.split("/")[-1] for name in during} >= {"channels", "rps_cpus", "xps_cpus"}
    assert differences(before, (stage.restore(nothing), stage.look())[1]) == {}
    first, last = names.index("write nic.channels: begin"), names.index("write queues.rps: end")
    for number in range(first, last + 1):
        killed(stage, stage.apply, number)
        stage.restore(nothing)
        assert differences(before, stage.look()) == {}, names[number]
    stage.apply(nothing)
    names = steps_of(stage, stage.restore)[len(names) :]
    for number in range(names.index("put back queues.rps: begin"), len(names)):
        stage.apply(nothing)
        killed(stage, stage.restore, number)
        stage.restore(nothing)
        assert differences(before, stage.look()) == {}, names[number]
        assert not stage.record.exists(), names[number]


def test_strangers_survive_apply_and_restore(stage: Stage) -> None:
    rule = "add table inet mine; add chain inet mine c; add rule inet mine c udp dport 8189 accept"
    stage.namespace.run("nft", rule)
    stage.namespace.run("tc", "qdisc", "add", "dev", LINK, "clsact")
    stage.namespace.run(
        *("tc", "filter", "add", "dev", LINK, "egress", "prio", "100", "protocol", "all", "u32"),
        *("match", "u32", "0", "0"),
    )
    before = stage.look()
    assert overall(stage.apply(nothing, "bpf")) is Overall.TUNED
    during = stage.look()
    assert before["nft"] in during["nft"]
    assert before["egress"].strip() in during["egress"]
    stage.restore(nothing)
    assert differences(before, stage.look()) == {}
