"""What a profile wants of machines that are not there: each knob, its aim, and why it is as it is."""

from pathlib import Path
from typing import Any

import pytest

from node_tuner.aims import AtLeast, Exactly, FieldsAtLeast, Made, PortsAmong, Queueing
from node_tuner.contract import Knob
from node_tuner.controls import control_of
from node_tuner.errors import UnavailableError
from node_tuner.machine.roots import Roots
from node_tuner.ports import Ports
from node_tuner.profile.loading import load
from node_tuner.wanted import knobs
from tests.node_tuner.card_limits import SetLimits, card_limits
from tests.node_tuner.trees import SYSCTLS, FakeMachine
from tests.node_tuner.wishes import FOUR_CORES, WHY, only, wanted


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> SetLimits:
    return card_limits(monkeypatch)


def sysctl(name: str, machine: FakeMachine = FOUR_CORES, **spec: Any) -> Knob:
    return only(machine, sysctls={name: {**WHY, **spec}})


@pytest.mark.parametrize(
    ("name", "spec", "aim"),
    [
        ("net.core.rmem_max", {"at_least": 5000}, AtLeast(5000)),
        ("net.core.busy_poll", {"exactly": 0}, Exactly("0")),
        ("net.core.default_qdisc", {"exactly": "fq"}, Exactly("fq")),
        ("net.ipv4.tcp_rmem", {"exactly": "1  2 3"}, Exactly("1 2 3")),
        ("net.ipv4.tcp_rmem", {"fields_at_least": [None, 1, 5]}, FieldsAtLeast([None, 1, 5])),
        ("net.ipv4.ip_local_reserved_ports", {"ports": "media_ports"}, PortsAmong(Ports({8189, 9000, 9001}))),
        ("net.ipv4.ip_local_reserved_ports", {"ports": 53}, PortsAmong(Ports({53}))),
        ("net.core.busy_poll", {"exactly": {"rule": "per_core", "factor": 10}}, Exactly("40")),
        (
            "net.ipv4.tcp_wmem",
            {"fields_at_least": [None, None, {"rule": "per_core", "factor": 10}]},
            FieldsAtLeast([None, None, 40]),
        ),
    ],
)
def test_sysctl_has_the_aim_of_the_profile(name: str, spec: dict[str, Any], aim: object) -> None:
    knob = sysctl(name, **spec)
    assert (knob.name, knob.aim, knob.required, knob.source) == (name, aim, False, "a page")
    assert knob.why.startswith("it is so")
    assert knob.control is not None
    assert (knob.control.kind, knob.control.where) == ("sysctl", {"name": name})


def test_required_knob_stays_required() -> None:
    assert sysctl("net.core.rmem_max", at_least=5000, required=True).required


@pytest.mark.parametrize(
    ("speed_mbps", "value", "said"),
    [
        (10_000, 26_214_400, "20 ms of a link of 10 Gb/s, in bytes"),
        (25_000, 62_500_000, "20 ms of a link of 25 Gb/s, in bytes"),
        (400_000, 134_217_728, "20 ms of a link of 400 Gb/s, in bytes"),
        (None, 26_214_400, "20 ms of a link of unknown speed, in bytes"),
    ],
)
def test_socket_buffers_follow_the_link_and_say_so(speed_mbps: int | None, value: int, said: str) -> None:
    machine = FakeMachine(speed_mbps=speed_mbps)
    found = {knob.name: knob for knob in knobs(load("media-edge"), machine.facts, Roots())}
    assert found["net.core.rmem_max"].aim == AtLeast(value)
    assert found["net.core.rmem_max"].why.endswith(f"({said}, at least 26214400, at most 134217728)")


def test_sysctl_whose_condition_does_not_hold_is_not_needed() -> None:
    spec: dict[str, Any] = {"at_least": 600, "when": "softnet_squeezed"}
    assert "left no datagram for later" in sysctl("net.core.netdev_budget", **spec).not_needed
    squeezed = FakeMachine(softnet_squeezed=1)
    assert sysctl("net.core.netdev_budget", squeezed, **spec).not_needed == ""
    assert sysctl("net.core.netdev_budget", at_least=600).not_needed == ""


def test_qdisc_is_what_is_said_of_it() -> None:
    knob = only(FOUR_CORES, qdisc={**WHY, "kind": "fq", "limit_packets": 5})
    assert (knob.name, knob.aim) == ("qdisc", Queueing("fq", 5))
    assert only(FOUR_CORES, qdisc={**WHY, "kind": "pfifo"}).aim == Queueing("pfifo", None)


def test_bypass_is_of_the_media_ports() -> None:
    knob = only(FOUR_CORES, conntrack={**WHY, "bypass": "media_ports"})
    assert knob.name == "conntrack.bypass"
    assert knob.aim == Made({"ports": "8189,9000-9001"}, "no connections of UDP 8189,9000-9001")
    assert only(FOUR_CORES, conntrack={**WHY, "bypass": "53"}).aim.spec == {"ports": "53"}  # type: ignore[attr-defined]


def test_latency_is_held_by_watch_alone() -> None:
    knob = only(FOUR_CORES, cpu_dma_latency_us={**WHY, "at_most": 50})
    assert (knob.name, knob.control, knob.required) == ("cpu_dma_latency", None, False)
    assert knob.not_needed.startswith("held by `watch`")
    assert str(knob.aim) == "at most 50 us"


# All together.


def test_knobs_stand_in_the_order_in_which_they_are_applied(card: SetLimits) -> None:
    card(channels={"combined": 8}, rings={"rx": 4096, "tx": 4096})
    names = [knob.name for knob in knobs(load("media-edge"), FOUR_CORES.facts, Roots())]
    sysctls = list(load("media-edge").sysctls)
    assert names == [
        *sysctls,
        "nic.channels",
        "nic.rings",
        "nic.offloads",
        "queues.rps",
        "queues.xps",
        "qdisc",
        "conntrack.bypass",
        "dscp.nft",
    ]


def test_every_control_is_found_again_by_its_record(card: SetLimits) -> None:
    card(channels={"combined": 8}, rings={"rx": 4096, "tx": 4096})
    profile = load("media-edge")
    bpf = profile.model_copy(update={"dscp": profile.dscp and profile.dscp.model_copy(update={"mechanism": "bpf"})})
    for knob in (*knobs(profile, FOUR_CORES.facts, Roots()), *knobs(bpf, FOUR_CORES.facts, Roots())):
        assert knob.control is not None
        again = control_of(knob.control.kind, knob.control.where, Roots())
        assert (type(again), again.where) == (type(knob.control), knob.control.where)


def test_each_knob_has_a_name_of_its_own_and_a_reason(card: SetLimits) -> None:
    found = knobs(load("media-edge"), FOUR_CORES.facts, Roots())
    assert len({knob.name for knob in found}) == len(found)
    assert all(knob.why and knob.source for knob in found)


# What the trees say of it.


def test_sysctls_of_a_tree_are_read_and_aimed_at(tmp_path: Path) -> None:
    roots = FOUR_CORES.build(tmp_path)
    targets = {
        knob.name: knob.aim.target(knob.control.read())
        for knob in knobs(load("media-edge"), FOUR_CORES.facts, roots)
        if knob.control is not None and knob.control.kind == "sysctl"
    }
    assert targets.keys() == load("media-edge").sysctls.keys()
    assert targets["net.core.rmem_max"] == "26214400"
    assert targets["net.ipv4.ip_local_reserved_ports"] == "8189"
    assert targets["net.ipv4.tcp_rmem"] == "4096 131072 16777216"
    assert targets["net.core.optmem_max"] == "131072"
    assert targets["net.netfilter.nf_conntrack_max"] == "1048576"


def test_sysctls_of_another_namespace_are_absent_or_read_only_and_say_so(tmp_path: Path) -> None:
    own = {name: value for name, value in SYSCTLS.items() if not name.startswith("net.core.")}
    machine = FakeMachine(sysctls={**own, "net.core.rmem_max": "212992"}, read_only=["net.core.rmem_max"])
    found = wanted(
        machine,
        machine.build(tmp_path),
        sysctls={
            "net.core.rmem_max": {**WHY, "at_least": 5_000_000},
            "net.core.netdev_max_backlog": {**WHY, "at_least": 100_000},
            "net.ipv4.udp_rmem_min": {**WHY, "at_least": 8192},
        },
    )
    controls = {name: knob.control for name, knob in found.items()}
    assert all(controls.values())
    read_only, absent, own_one = controls.values()
    assert read_only is not None
    assert absent is not None
    assert own_one is not None
    assert read_only.read() == "212992"
    assert "not the host's network namespace" in str(read_only.obstacle())
    with pytest.raises(UnavailableError, match="not the host's network namespace"):
        absent.read()
    assert own_one.obstacle() is None


@pytest.mark.parametrize("required", [True, False])
def test_sysctl_of_the_whole_node_is_not_to_be_had_in_another_namespace(tmp_path: Path, required: bool) -> None:
    own = {name: value for name, value in SYSCTLS.items() if not name.startswith("net.core.")}
    machine = FakeMachine(sysctls=own)
    spec = {**WHY, "exactly": 0, "required": required}
    found = wanted(machine, machine.build(tmp_path), sysctls={"kernel.timer_migration": spec, "vm.swappiness": spec})
    assert [(knob.control, knob.required, knob.absent) for knob in found.values()] == [
        (None, required, f"not the host's network namespace: {name} is the whole node's, and set there alone")
        for name in ("kernel.timer_migration", "vm.swappiness")
    ]


def test_steering_of_a_tree_is_read_and_aimed_at(tmp_path: Path) -> None:
    machine = FakeMachine(cores=4, rx_queues=1)
    knob = wanted(machine, machine.build(tmp_path), queues={"rps": {**WHY, "steer": "all_cores"}})["queues.rps"]
    assert knob.control is not None
    assert knob.control.read() == {"rx-0": "0"}
    assert not knob.aim.is_met(knob.control.read())
    knob.control.write(knob.aim.target(knob.control.read()))
    assert knob.aim.is_met(knob.control.read())
