"""What a profile wants of machines that are not there: each knob, its aim, and why it is as it is."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from node_tuner.aims import AtLeast, Exactly, FieldsAtLeast, Keys, Made, PortsAmong, Queueing
from node_tuner.bpf import program
from node_tuner.contract import Knob
from node_tuner.controls import control_of
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.controls.clsact import Clsact
from node_tuner.controls.ethtool import Channels, Rings
from node_tuner.engine.node import Node
from node_tuner.engine.plan import Action, plan
from node_tuner.errors import UnavailableError
from node_tuner.machine.roots import Roots
from node_tuner.marking import Marking, Payload
from node_tuner.ports import Ports
from node_tuner.profile.dscp import MAX_RULES
from node_tuner.profile.fields import MAX_LISTED_PORTS
from node_tuner.profile.loading import load
from node_tuner.profile.schema import Profile
from node_tuner.state.record import Record
from node_tuner.state.store import Store
from node_tuner.wanted import knobs
from tests.node_tuner.trees import SYSCTLS, FakeMachine

WHY = {"why": "it is so", "source": "a page"}
FOUR_CORES = FakeMachine(cores=4, rx_queues=8, tx_queues=8)

Cards = Callable[..., None]


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Cards:
    """Says which limits the card has; nothing said: it has none of that."""

    def has(channels: Mapping[str, int] | None = None, rings: Mapping[str, int] | None = None) -> None:
        def limits(of: Mapping[str, int] | None, what: str) -> Callable[[object], Mapping[str, int]]:
            def told(control: object) -> Mapping[str, int]:
                if of is None:
                    raise UnavailableError(f"rbcard0 has no {what}")
                return of

            return told

        monkeypatch.setattr(Channels, "limits", limits(channels, "channels"))
        monkeypatch.setattr(Rings, "limits", limits(rings, "rings"))

    has()
    return has


def wanted(machine: FakeMachine, roots: Roots | None = None, **sections: Any) -> dict[str, Knob]:
    profile = Profile.model_validate({"schema": 1, "name": "mine", "media_ports": "8189,9000-9001", **sections})
    return {knob.name: knob for knob in knobs(profile, machine.facts, roots or Roots())}


def only(machine: FakeMachine, **sections: Any) -> Knob:
    [knob] = wanted(machine, **sections).values()
    return knob


# Sysctls.


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
    assert (knob.name, knob.aim, knob.required, knob.why, knob.source) == (
        name,
        aim,
        False,
        knob.why,
        "a page",
    )
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


# The card.


def channels(machine: FakeMachine, combined: object) -> Knob:
    return only(machine, nic={"channels": {**WHY, "combined": combined}})


@pytest.mark.parametrize(
    ("combined", "cores", "most", "value"),
    [("cores", 4, 8, 4), ("cores", 16, 8, 8), ("max", 4, 8, 8), (3, 4, 8, 3), (12, 4, 8, 12)],
)
def test_channels_are_as_many_as_wanted_and_there(
    card: Cards, combined: object, cores: int, most: int, value: int
) -> None:
    card(channels={"combined": most, "rx": 0, "tx": 0})
    knob = channels(FakeMachine(cores=cores), combined)
    assert (knob.name, knob.aim) == ("nic.channels", Keys({"combined": value}))
    assert knob.control is not None
    assert knob.control.where == {"interface": "rbcard0", "index": 4711, "keys": "combined"}


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (None, "rbcard0 has no channels"),
        ({"combined": 0, "rx": 8}, "the driver of rbcard0 has no combined channels"),
        ({}, "the driver of rbcard0 has no combined channels"),
    ],
)
def test_channels_of_a_card_without_them_are_absent_and_say_why(
    card: Cards, limits: Mapping[str, int] | None, why: str
) -> None:
    card(channels=limits)
    knob = channels(FOUR_CORES, "cores")
    assert (knob.control, knob.absent, str(knob.aim)) == (None, why, "combined cores")


def test_rings_are_as_large_as_the_card_has(card: Cards) -> None:
    card(rings={"rx": 4096, "tx": 512})
    knob = only(FOUR_CORES, nic={"rings": {**WHY, "rx": "max", "tx": "max"}})
    assert (knob.name, knob.aim) == ("nic.rings", Keys({"rx": 4096, "tx": 512}))


def test_ring_that_is_not_named_is_left_alone(card: Cards) -> None:
    card(rings={"rx": 4096, "tx": 512})
    knob = only(FOUR_CORES, nic={"rings": {**WHY, "rx": "max"}})
    assert knob.aim == Keys({"rx": 4096})
    assert knob.control is not None
    assert knob.control.where["keys"] == "rx"


def test_rings_of_a_card_without_them_are_absent_and_say_why(card: Cards) -> None:
    knob = only(FOUR_CORES, nic={"rings": {**WHY, "rx": "max", "tx": 512, "required": True}})
    assert (knob.control, knob.absent, knob.required) == (None, "rbcard0 has no rings", True)
    assert str(knob.aim) == "rx max, tx 512"
    card(rings={"rx": 4096, "tx": 0})
    knob = only(FOUR_CORES, nic={"rings": {**WHY, "rx": "max", "tx": "max"}})
    assert knob.absent == "the driver of rbcard0 has no tx rings"


def test_rings_of_a_number_need_no_limits(card: Cards) -> None:
    assert only(FOUR_CORES, nic={"rings": {**WHY, "rx": 512}}).aim == Keys({"rx": 512})


def test_coalescing_is_what_is_said_of_it() -> None:
    knob = only(FOUR_CORES, nic={"coalescing": {**WHY, "adaptive_rx": False, "rx_usecs": 0}})
    assert (knob.name, knob.aim) == ("nic.coalescing", Keys({"rx_usecs": 0, "adaptive_rx": False}))
    assert knob.control is not None
    assert knob.control.where["keys"] == "adaptive_rx,rx_usecs"


def test_offloads_are_switched_as_said() -> None:
    knob = only(FOUR_CORES, nic={"offloads": {**WHY, "features": {"tx-udp-segmentation": True, "lro": False}}})
    assert (knob.name, knob.aim) == ("nic.offloads", Keys({"tx-udp-segmentation": True, "lro": False}))


# Queues.


def steered(machine: FakeMachine, kind: str, steer: str, **sections: Any) -> Knob:
    return wanted(machine, queues={kind: {**WHY, "steer": steer}}, **sections)[f"queues.{kind}"]


@pytest.mark.parametrize(
    ("machine", "kind", "steer", "masks"),
    [
        (FakeMachine(cores=4, rx_queues=1), "rps", "where_queues_below_cores", {"rx-0": "f"}),
        (FakeMachine(cores=4, rx_queues=2), "rps", "where_queues_below_cores", {"rx-0": "f", "rx-1": "f"}),
        (FakeMachine(cores=4, rx_queues=2), "rps", "off", {"rx-0": "0", "rx-1": "0"}),
        (FakeMachine(cores=2, rx_queues=2), "rps", "all_cores", {"rx-0": "3", "rx-1": "3"}),
        (FakeMachine(online=(0, 2, 4, 6), rx_queues=1), "rps", "where_queues_below_cores", {"rx-0": "55"}),
        (FakeMachine(online=(0, 2, 4, 6), rx_queues=1), "rps", "all_cores", {"rx-0": "55"}),
        (FakeMachine(cores=4, isolated=(2, 3), rx_queues=1), "rps", "where_queues_below_cores", {"rx-0": "3"}),
        (FakeMachine(cores=4, isolated=(2, 3), rx_queues=1), "rps", "all_cores", {"rx-0": "3"}),
        (FakeMachine(online=(0, 2, 4, 6), tx_queues=2), "xps", "all_cores", {"tx-0": "11", "tx-1": "44"}),
        (FakeMachine(cores=4, isolated=(2, 3), tx_queues=2), "xps", "all_cores", {"tx-0": "5", "tx-1": "a"}),
        (FakeMachine(cores=40, rx_queues=1), "rps", "all_cores", {"rx-0": "ffffffffff"}),
        (FakeMachine(cores=4, tx_queues=2), "xps", "where_queues_below_cores", {"tx-0": "5", "tx-1": "a"}),
        (FakeMachine(cores=2, tx_queues=2), "xps", "all_cores", {"tx-0": "1", "tx-1": "2"}),
        (FakeMachine(cores=2, tx_queues=2), "xps", "off", {"tx-0": "0", "tx-1": "0"}),
    ],
)
def test_queues_are_steered(machine: FakeMachine, kind: str, steer: str, masks: Mapping[str, str]) -> None:
    knob = steered(machine, kind, steer)
    assert (knob.aim, knob.not_needed) == (Exactly(masks), "")
    assert knob.control is not None
    assert (knob.control.kind, knob.control.where) == (kind, {"interface": "rbcard0", "index": 4711})


@pytest.mark.parametrize(
    ("machine", "kind", "why"),
    [
        (FOUR_CORES, "rps", "rbcard0 has a queue for each core: 8 for 4"),
        (FOUR_CORES, "xps", "rbcard0 has a queue for each core: 8 for 4"),
        (FakeMachine(cores=4, isolated=(2, 3), rx_queues=2), "rps", "rbcard0 has a queue for each core: 2 for 2"),
        (FakeMachine(cores=1, rx_queues=1), "rps", "rbcard0 has a queue for each core: 1 for 1"),
        (FakeMachine(cores=4, tx_queues=1), "xps", "rbcard0 has one queue: there is nothing to choose from"),
    ],
)
def test_steering_is_not_needed_where_each_core_has_a_queue(machine: FakeMachine, kind: str, why: str) -> None:
    assert steered(machine, kind, "where_queues_below_cores").not_needed == why


@pytest.mark.parametrize("kind", ["rps", "xps"])
def test_steering_looks_at_the_queues_that_there_will_be(card: Cards, kind: str) -> None:
    one_in_use = FakeMachine(cores=4, rx_queues=2, tx_queues=2)
    nic = {"channels": {**WHY, "combined": "cores"}}
    card(channels={"combined": 8})
    assert "4 for 4" in steered(one_in_use, kind, "where_queues_below_cores", nic=nic).not_needed
    card(channels={"combined": 3})
    knob = steered(one_in_use, kind, "where_queues_below_cores", nic=nic)
    assert knob.not_needed == ""
    assert isinstance(knob.aim, Exactly)
    assert isinstance(knob.aim.value, Mapping)
    assert len(knob.aim.value) == 3
    card(channels=None)
    assert len(steered(one_in_use, kind, "off", nic=nic).aim.value) == 2  # type: ignore[attr-defined]


# The rest.


def test_qdisc_is_what_is_said_of_it() -> None:
    knob = only(FOUR_CORES, qdisc={**WHY, "kind": "fq", "limit_packets": 5})
    assert (knob.name, knob.aim) == ("qdisc", Queueing("fq", 5))
    assert only(FOUR_CORES, qdisc={**WHY, "kind": "pfifo"}).aim == Queueing("pfifo", None)


def test_bypass_is_of_the_media_ports() -> None:
    knob = only(FOUR_CORES, conntrack={**WHY, "bypass": "media_ports"})
    assert knob.name == "conntrack.bypass"
    assert knob.aim == Made({"ports": "8189,9000-9001"}, "no connections of UDP 8189,9000-9001")
    assert only(FOUR_CORES, conntrack={**WHY, "bypass": "53"}).aim.spec == {"ports": "53"}  # type: ignore[attr-defined]


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


def test_no_marks_are_no_knob() -> None:
    assert wanted(FOUR_CORES, dscp={**WHY, "mechanism": "none"}) == {}
    assert wanted(FOUR_CORES) == {}


def test_latency_is_held_by_watch_alone() -> None:
    knob = only(FOUR_CORES, cpu_dma_latency_us={**WHY, "at_most": 50})
    assert (knob.name, knob.control, knob.required) == ("cpu_dma_latency", None, False)
    assert knob.not_needed.startswith("held by `watch`")
    assert str(knob.aim) == "at most 50 us"


# All together.


def test_knobs_stand_in_the_order_in_which_they_are_applied(card: Cards) -> None:
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


def test_every_control_is_found_again_by_its_record(card: Cards) -> None:
    card(channels={"combined": 8}, rings={"rx": 4096, "tx": 4096})
    profile = load("media-edge")
    bpf = profile.model_copy(update={"dscp": profile.dscp and profile.dscp.model_copy(update={"mechanism": "bpf"})})
    for knob in (*knobs(profile, FOUR_CORES.facts, Roots()), *knobs(bpf, FOUR_CORES.facts, Roots())):
        assert knob.control is not None
        again = control_of(knob.control.kind, knob.control.where, Roots())
        assert (type(again), again.where) == (type(knob.control), knob.control.where)


def test_each_knob_has_a_name_of_its_own_and_a_reason(card: Cards) -> None:
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


def test_steering_of_a_tree_is_read_and_aimed_at(tmp_path: Path) -> None:
    machine = FakeMachine(cores=4, rx_queues=1)
    knob = wanted(machine, machine.build(tmp_path), queues={"rps": {**WHY, "steer": "all_cores"}})["queues.rps"]
    assert knob.control is not None
    assert knob.control.read() == {"rx-0": "0"}
    assert not knob.aim.is_met(knob.control.read())
    knob.control.write(knob.aim.target(knob.control.read()))
    assert knob.aim.is_met(knob.control.read())
