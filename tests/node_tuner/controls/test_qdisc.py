"""Qdiscs on interfaces of each shape: with one queue and with several, with and without one of the kernel's own."""

import json
import os
import random
import signal
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from node_tuner.aims import Queueing
from node_tuner.contract import Value
from node_tuner.controls import control_of
from node_tuner.controls import qdisc_netlink as netlink
from node_tuner.controls.qdisc import _LIMITS, RootQdisc
from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from tests.node_tuner.host_sysctls import kept
from tests.node_tuner.namespaces import Namespace, namespace
from tests.node_tuner.privileges import NOBODY, become

LINKS: Mapping[str, tuple[str, ...]] = {
    "single": ("type", "ifb"),
    "several": ("numtxqueues", "3", "type", "ifb"),
    "veth": ("numtxqueues", "1", "type", "veth"),
    "veths": ("numtxqueues", "3", "type", "veth"),
}
"""Those of ifb have the kernel's own pfifo_fast, as cards have; those of veth noqueue."""

PFIFO: Value = {"kind": "pfifo", "limit_packets": 500, "owner": "railbird"}
UNKNOWN: Value = {"kind": "nosuch", "limit_packets": None, "owner": "railbird"}
DEFAULT_QDISC = "net.core.default_qdisc"


@pytest.fixture
def inside() -> Iterator[Namespace]:
    """The kernel's own qdiscs are by the host's default, which another process may be turning for a test."""
    with kept(DEFAULT_QDISC), namespace() as made:
        for name, shape in LINKS.items():
            made.run("ip", "link", "add", name, *shape)
            made.run("ip", "link", "set", name, "up")
        yield made


def qdisc(name: str, wanted_kind: str = "") -> RootQdisc:
    return RootQdisc(Link(name, socket.if_nametoindex(name)), wanted_kind)


def shown(inside: Namespace, name: str) -> list[dict[str, Any]]:
    """As tc tells it, without the handles that the kernel counts up."""
    found = json.loads(inside.run("tc", "-j", "qdisc", "show", "dev", name))
    return sorted(
        ({key: each[key] for key in ("kind", "root", "parent", "options") if key in each} for each in found), key=str
    )


@pytest.mark.netns
@pytest.mark.parametrize("name", LINKS)
def test_qdisc_is_put_and_taken_away_and_all_is_as_before(inside: Namespace, name: str) -> None:
    before = shown(inside, name)

    def put() -> Value:
        control, aim = qdisc(name, "pfifo"), Queueing("pfifo", 500)
        original = control.read()
        assert (original["owner"], control.obstacle(), aim.is_met(original)) == ("kernel", None, False)
        control.write(aim.target(original))
        assert control.read() == aim.target(original) == PFIFO
        return original

    original = inside.call(put)
    assert shown(inside, name) != before

    def put_back() -> None:
        qdisc(name).write(original)
        assert qdisc(name).read() == original

    inside.call(put_back)
    assert shown(inside, name) == before


@pytest.mark.netns
@pytest.mark.parametrize("name", ["several", "veths"])
def test_each_queue_has_one_of_its_own_below_mq(inside: Namespace, name: str) -> None:
    inside.call(lambda: qdisc(name).write(PFIFO))
    limit = {"limit": 500}
    assert shown(inside, name) == [
        {"kind": "mq", "root": True, "options": {}},
        *({"kind": "pfifo", "parent": f"7262:{queue}", "options": limit} for queue in (1, 2, 3)),
    ]


@pytest.mark.netns
def test_one_queue_has_it_at_the_root(inside: Namespace) -> None:
    inside.call(lambda: qdisc("single").write(PFIFO))
    assert shown(inside, "single") == [{"kind": "pfifo", "root": True, "options": {"limit": 500}}]


@pytest.mark.netns
@pytest.mark.parametrize("name", LINKS)
def test_ours_is_replaced_by_another_of_ours(inside: Namespace, name: str) -> None:
    def turn() -> None:
        control = qdisc(name)
        control.write(PFIFO)
        for aim in (Queueing("bfifo"), Queueing("pfifo"), Queueing("pfifo", 7)):
            control.write(aim.target(control.read()))
            assert aim.is_met(control.read())

    inside.call(turn)
    assert {each["kind"] for each in shown(inside, name)} <= {"mq", "pfifo"}


@pytest.mark.netns
@pytest.mark.parametrize("name", LINKS)
def test_kernel_that_lacks_the_kind_says_so_and_all_is_as_before(inside: Namespace, name: str) -> None:
    before = shown(inside, name)

    def turn() -> None:
        assert qdisc(name, "nosuch").obstacle() == "this kernel has no qdisc nosuch"
        with pytest.raises(UnavailableError, match="this kernel has no qdisc nosuch"):
            qdisc(name).write(UNKNOWN)

    inside.call(turn)
    assert shown(inside, name) == before


@pytest.mark.netns
@pytest.mark.parametrize("name", LINKS)
def test_kind_that_proves_lacking_half_way_is_undone(
    inside: Namespace, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shown(inside, name)
    monkeypatch.setattr(netlink, "is_unknown", lambda *_: False)

    def turn() -> None:
        with pytest.raises(UnavailableError, match="this kernel has no qdisc nosuch"):
            qdisc(name).write(UNKNOWN)

    inside.call(turn)
    assert shown(inside, name) == before


@pytest.mark.netns
@pytest.mark.parametrize("name", LINKS)
def test_ours_stays_where_its_successor_proves_lacking(inside: Namespace, name: str) -> None:
    inside.call(lambda: qdisc(name).write(PFIFO))
    before = shown(inside, name)

    def turn() -> None:
        with pytest.raises(UnavailableError, match="this kernel has no qdisc nosuch"):
            qdisc(name).write(UNKNOWN)
        assert qdisc(name).read() == PFIFO

    inside.call(turn)
    assert shown(inside, name) == before


@pytest.mark.netns
def test_fq_is_put_or_said_to_be_lacking(inside: Namespace) -> None:
    def turn() -> None:
        control, aim = qdisc("several", "fq"), Queueing("fq", 4000)
        if control.obstacle() is None:
            control.write(aim.target(control.read()))
            assert control.read() == {"kind": "fq", "limit_packets": 4000, "owner": "railbird"}
            return
        assert control.obstacle() == "this kernel has no qdisc fq"
        with pytest.raises(UnavailableError, match="this kernel has no qdisc fq"):
            control.write(aim.target(control.read()))

    inside.call(turn)


@pytest.mark.netns
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("single", "root handle 1: htb"),
        ("veth", "root pfifo limit 9"),
        ("several", "root handle 5: mq"),
        ("several", "root tbf rate 1gbit burst 100k latency 10ms"),
    ],
)
def test_other_peoples_is_never_replaced(inside: Namespace, name: str, theirs: str) -> None:
    inside.run("tc", "qdisc", "add", "dev", name, *theirs.split())
    before = shown(inside, name)

    def turn() -> None:
        control = qdisc(name, "bfifo")
        found = control.read()
        assert found["owner"] == "others"
        obstacle = control.obstacle()
        assert obstacle is not None
        assert f"{name} has a qdisc of somebody else's, which is left alone" in obstacle
        for value in (PFIFO, {**found, "owner": "kernel"}, found):
            with pytest.raises(UnavailableError, match=r"somebody else's|nobody but its owner"):
                control.write(value)

    inside.call(turn)
    assert shown(inside, name) == before


@pytest.mark.netns
def test_other_peoples_that_comes_in_between_is_not_replaced(
    inside: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = netlink.change

    def late(link: Link, *messages: netlink.QdiscMessage) -> None:
        monkeypatch.setattr(netlink, "change", change)
        change(link, netlink.addition(link, netlink.ROOT, 0x0005_0000, "bfifo"))
        change(link, *messages)

    def turn() -> None:
        monkeypatch.setattr(netlink, "change", late)
        with pytest.raises(UnavailableError, match="refuses to change the qdisc of single"):
            qdisc("single").write(PFIFO)
        assert qdisc("single").read() == {"kind": "bfifo", "limit_packets": None, "owner": "others"}

    inside.call(turn)


@pytest.mark.netns
def test_other_peoples_that_is_what_is_wanted_is_right_as_it_is(inside: Namespace) -> None:
    inside.run("tc", "qdisc", "add", "dev", "several", "root", "handle", "5:", "mq")
    for queue in "123":
        inside.run("tc", "qdisc", "add", "dev", "several", "parent", f"5:{queue}", "pfifo", "limit", "70")
    found = inside.call(lambda: qdisc("several").read())
    assert found == {"kind": "pfifo", "limit_packets": 70, "owner": "others"}
    assert Queueing("pfifo", 70).is_met(found)


@pytest.mark.netns
def test_kind_of_a_class_below_other_peoples_root_is_not_the_kind(inside: Namespace) -> None:
    inside.run("tc", "qdisc", "add", "dev", "single", "root", "handle", "5:", "htb")
    inside.run("tc", "class", "add", "dev", "single", "parent", "5:", "classid", "5:1", "htb", "rate", "1gbit")
    inside.run("tc", "qdisc", "add", "dev", "single", "parent", "5:1", "pfifo", "limit", "70")
    found = inside.call(lambda: qdisc("single").read())
    assert found == {"kind": "htb", "limit_packets": None, "owner": "others"}


@pytest.mark.netns
def test_queue_of_ours_that_somebody_changed_is_seen(inside: Namespace) -> None:
    inside.call(lambda: qdisc("several").write(PFIFO))
    inside.run("tc", "qdisc", "replace", "dev", "several", "parent", "7262:2", "bfifo")
    found = inside.call(lambda: qdisc("several").read())
    assert found == {"kind": "bfifo+pfifo", "limit_packets": None, "owner": "railbird"}


@pytest.mark.netns
def test_filters_of_others_at_clsact_stay(inside: Namespace) -> None:
    inside.run("tc", "qdisc", "add", "dev", "several", "clsact")
    inside.run(
        "tc", "filter", "add", "dev", "several", "egress", "prio", "7", "u32", "match", "u32", "0", "0", "flowid", "1:1"
    )
    before = inside.run("tc", "filter", "show", "dev", "several", "egress")
    original = inside.call(lambda: qdisc("several").read())
    for value in (PFIFO, original):
        inside.call(lambda value=value: qdisc("several").write(value))  # type: ignore[misc]
        assert inside.run("tc", "filter", "show", "dev", "several", "egress") == before != ""


@pytest.mark.netns
@pytest.mark.parametrize("name", LINKS)
def test_write_is_one_system_call(inside: Namespace, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    change = netlink.change

    def counted(link: Link, *messages: netlink.QdiscMessage) -> None:
        sent.append(len(messages))
        change(link, *messages)

    def turn() -> list[int]:
        monkeypatch.setattr(netlink, "change", counted)
        qdisc(name).write(PFIFO)
        return sent

    assert inside.call(turn) == [4 if name in ("several", "veths") else 1]


@pytest.mark.netns
@pytest.mark.parametrize("name", LINKS)
def test_kill_at_any_moment_leaves_ours_or_the_kernels_own_whole(inside: Namespace, name: str) -> None:
    moments_s = random.Random(name)

    def turn() -> tuple[list[Value], Value]:
        original = qdisc(name).read()
        return [_after_a_kill(name, [PFIFO, original], moments_s.uniform(0, 0.04)) for _ in range(20)], original

    found, original = inside.call(turn)
    assert all(value in (PFIFO, original) for value in found), found


def _after_a_kill(name: str, values: Sequence[Value], moment_s: float) -> Value:
    child = os.fork()
    if child == 0:
        _write_by_turns(name, values)
    time.sleep(moment_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return qdisc(name).read()


def _write_by_turns(name: str, values: Sequence[Value]) -> NoReturn:
    try:
        for value in [*values] * 100:
            qdisc(name).write(value)
    finally:
        os._exit(0)


@pytest.mark.netns
def test_kernel_is_made_to_choose_again_where_its_default_was_another_meanwhile(inside: Namespace) -> None:
    default = Path("/proc/sys", *DEFAULT_QDISC.split("."))
    default.write_text("pfifo_fast")
    inside.run("ip", "link", "add", "fresh", *LINKS["several"])
    inside.run("ip", "link", "set", "fresh", "up")
    original = inside.call(lambda: qdisc("fresh").read())
    assert original == {"kind": "pfifo_fast", "limit_packets": None, "owner": "kernel"}
    inside.call(lambda: qdisc("fresh").write(PFIFO))
    default.write_text("pfifo")
    inside.call(lambda: qdisc("fresh").write(original))
    assert inside.call(lambda: qdisc("fresh").read())["kind"] == "pfifo", "the kernel's choice, not ours"
    default.write_text("pfifo_fast")
    inside.call(lambda: qdisc("fresh").write(original))
    assert inside.call(lambda: qdisc("fresh").read()) == original


@pytest.mark.netns
def test_interface_that_was_never_up_is_an_obstacle(inside: Namespace) -> None:
    inside.run("ip", "link", "add", "idle", *LINKS["several"])

    def turn() -> None:
        assert "was never up" in str(qdisc("idle").obstacle())
        with pytest.raises(UnavailableError, match="was never up"):
            qdisc("idle").write(PFIFO)

    inside.call(turn)
    assert shown(inside, "idle") == []


@pytest.mark.netns
def test_who_may_not_is_told_which_capability_is_missing(inside: Namespace) -> None:
    def turn() -> None:
        become(NOBODY)
        control = qdisc("single", "pfifo")
        assert control.read()["owner"] == "kernel"
        assert control.obstacle() == "needs CAP_NET_ADMIN"
        with pytest.raises(UnavailableError, match="needs CAP_NET_ADMIN"):
            control.write(PFIFO)

    inside.call(turn)


@pytest.mark.netns
def test_net_admin_alone_is_enough(inside: Namespace) -> None:
    def turn() -> None:
        become(NOBODY, "CAP_NET_ADMIN")
        control = qdisc("several", "pfifo")
        assert control.obstacle() is None
        control.write(PFIFO)
        assert control.read() == PFIFO

    inside.call(turn)


@pytest.mark.netns
def test_interface_that_was_made_anew_is_gone(inside: Namespace) -> None:
    index = inside.call(lambda: socket.if_nametoindex("single"))
    inside.run("ip", "link", "delete", "single")
    old = RootQdisc(Link("single", index), "pfifo")
    with pytest.raises(GoneError, match="no interface single"):
        inside.call(old.read)
    inside.run("ip", "link", "add", "single", "type", "ifb")
    inside.run("ip", "link", "set", "single", "up")
    with pytest.raises(GoneError, match="no interface single"):
        inside.call(lambda: old.write(PFIFO))
    assert "no interface single" in str(inside.call(old.obstacle))
    assert inside.call(lambda: qdisc("single").read()["owner"]) == "kernel"


def test_qdisc_is_found_again_by_its_record() -> None:
    control = RootQdisc(Link("media0", 7), "fq")
    assert control_of("qdisc", control.where, Roots()).where == {"interface": "media0", "index": 7}


@pytest.mark.parametrize("value", [None, "fq", {"kind": "fq", "limit_packets": 1}, {**dict.fromkeys(["owner"], "me")}])
def test_value_of_another_shape_is_refused(value: Value) -> None:
    with pytest.raises(UnavailableError, match="nobody but its owner"):
        RootQdisc(Link("lo", 1)).write(value)


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        # TCA_FQ_PLIMIT among TCA_FQ_FLOW_PLIMIT and TCA_FQ_BUCKETS_LOG
        ("fq", struct.pack("=HHIHHIHHI", 8, 1, 10_000, 8, 2, 100, 8, 8, 10), struct.pack("=HHI", 8, 1, 10_000)),
        # TCA_FQ_CODEL_LIMIT after TCA_FQ_CODEL_TARGET
        ("fq_codel", struct.pack("=HHIHHI", 8, 1, 4999, 8, 2, 10_000), struct.pack("=HHI", 8, 2, 10_000)),
        # An attribute of five bytes, padded, before it
        ("fq", struct.pack("=HHBxxxHHI", 5, 9, 1, 8, 1, 10_000), struct.pack("=HHI", 8, 1, 10_000)),
        ("pfifo", struct.pack("=I", 10_000), struct.pack("=I", 10_000)),
    ],
)
def test_limit_is_told_and_read_as_the_kind_has_it(kind: str, options: bytes, told: bytes) -> None:
    assert _LIMITS[kind].unpack(options) == 10_000
    assert _LIMITS[kind].pack(10_000) == told


@pytest.mark.parametrize("kind", ["fq", "fq_codel", "pfifo"])
def test_options_without_a_limit_have_none(kind: str) -> None:
    assert _LIMITS[kind].unpack(b"") is None
    if kind != "pfifo":
        assert _LIMITS[kind].unpack(struct.pack("=HHI", 8, 7, 1)) is None


@pytest.mark.netns
def test_limit_of_a_kind_that_has_none_in_packets_is_refused(inside: Namespace) -> None:
    before = shown(inside, "several")

    def turn() -> None:
        with pytest.raises(UnavailableError, match="qdisc bfifo has no limit in packets"):
            qdisc("several").write({"kind": "bfifo", "limit_packets": 9, "owner": "railbird"})

    inside.call(turn)
    assert shown(inside, "several") == before
