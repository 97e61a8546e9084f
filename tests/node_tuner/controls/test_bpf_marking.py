"""The filter with our program: one of ours, whatever was written how often, and all of others where they were."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from node_tuner.aims import Made
from node_tuner.controls import control_of
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from node_tuner.marking import Marking, MarkRule, Payload, Transport
from node_tuner.ports import Ports
from tests.node_tuner.controls.bpf_node import (
    PRIORITY,
    TC_ACT_UNSPEC,
    add_match_of_others,
    add_program_of_others,
    add_tcx_program_of_others,
    count_of_ours,
    link,
    made,
    mark,
    read,
    shown,
    unmark,
)
from tests.node_tuner.namespaces import LINK, Namespace, namespace
from tests.node_tuner.privileges import NOBODY, become

pytestmark = pytest.mark.netns

INFINIBAND = 32
"""ARPHRD_INFINIBAND: its packets have pseudo-headers on their way out."""

REPOSITORY = Path(__file__).parents[3]


def marking(dscp: int = 46) -> Marking:
    """One rule."""
    rule = MarkRule("audio", Transport.UDP, Ports([8189]), Payload.ANY, frozenset(), dscp)
    return Marking((rule,), only_unmarked=True)


@pytest.fixture
def node() -> Iterator[Namespace]:
    """With a TUN interface, which needs no other end."""
    with namespace() as fresh:
        fresh.run("ip", "tuntap", "add", LINK, "mode", "tun")
        yield fresh


def test_marking_is_read_back_by_another_process_after_the_writer_has_ended(node: Namespace) -> None:
    found = mark(node, marking())
    assert read(node) == found
    assert found["digest"] == made(marking())["digest"]
    assert found["content"].endswith(f"at priority {PRIORITY}, direct action")
    assert Made(made(marking())["spec"], "marks").is_met(found)


def test_marking_that_is_absent_is_none_with_clsact_and_without(node: Namespace) -> None:
    for _ in range(2):
        unmark(node)
        assert read(node) is None
        mark(node, marking())
        unmark(node)
        assert read(node) is None
        node.run("tc", "qdisc", "delete", "dev", LINK, "clsact")


def test_one_filter_is_left_after_any_number_of_writes(node: Namespace) -> None:
    for dscp, priority in ((46, 50), (46, 50), (34, 50), (34, 60), (10, 40), (46, 50)):
        found = mark(node, marking(dscp), priority)
        assert found["digest"] == made(marking(dscp), priority)["digest"]
        assert f"priority {priority}," in found["content"]
        assert count_of_ours(node) == 1


def test_another_marking_is_another_program(node: Namespace) -> None:
    first, second = mark(node, marking(46)), mark(node, marking(34))
    assert first["content"] != second["content"]
    assert mark(node, marking(46)) == first


def test_second_write_of_the_same_changes_nothing(node: Namespace) -> None:
    assert mark(node, marking()) == mark(node, marking())
    assert count_of_ours(node) == 1


@pytest.mark.parametrize("add_theirs", [add_match_of_others, lambda node, at: add_program_of_others(node, at, -1)])
def test_filters_of_others_survive_writes_and_removal(node: Namespace, add_theirs) -> None:  # type: ignore[no-untyped-def]
    for priority in (1, PRIORITY, PRIORITY + 1, PRIORITY + 9):
        add_theirs(node, priority)
    before = shown(node)
    assert len(before) >= 8
    found = mark(node, marking())
    assert f"priority {PRIORITY + 2}," in found["content"]
    assert shown(node) == before
    assert mark(node, marking()) == found
    assert shown(node) == before
    mark(node, marking(10), PRIORITY + 8)
    assert (shown(node), count_of_ours(node)) == (before, 1)
    unmark(node)
    assert (shown(node), count_of_ours(node)) == (before, 0)


def test_rivals_are_what_others_have_before_ours(node: Namespace) -> None:
    def rivals(priority: int = PRIORITY) -> Sequence[str]:
        return node.call(lambda: BpfMarking(link()).rivals(priority))

    assert rivals() == []
    mark(node, marking())
    add_program_of_others(node, PRIORITY + 1, TC_ACT_UNSPEC)
    assert rivals() == []
    add_program_of_others(node, 1, TC_ACT_UNSPEC)
    add_match_of_others(node, 2)
    assert rivals() == ["bpf theirs at 1", "u32 at 2"]
    assert rivals(PRIORITY + 1) == ["bpf theirs at 1", "u32 at 2", f"bpf theirs at {PRIORITY + 1}"]
    add_tcx_program_of_others(node, TC_ACT_UNSPEC)
    assert rivals() == ["1 by tcx", "bpf theirs at 1", "u32 at 2"]


def test_rivals_are_told_without_a_privilege_but_those_by_tcx(node: Namespace) -> None:
    def rivals() -> Sequence[str]:
        become(NOBODY)
        return BpfMarking(link()).rivals(PRIORITY)

    add_program_of_others(node, 1, TC_ACT_UNSPEC)
    add_tcx_program_of_others(node, TC_ACT_UNSPEC)
    assert node.call(rivals) == ["bpf theirs at 1"]


def test_rivals_of_an_interface_that_is_gone_are_none(node: Namespace) -> None:
    assert node.call(lambda: BpfMarking(Link(LINK, 4711)).rivals(PRIORITY)) == []


def test_program_of_others_that_joined_our_priority_stays_there(node: Namespace) -> None:
    mark(node, marking())
    add_program_of_others(node, PRIORITY, TC_ACT_UNSPEC)
    found = mark(node, marking(10))
    assert f"priority {PRIORITY + 1}," in found["content"]
    assert sum("theirs" in line for line in shown(node)) == 1
    unmark(node)
    assert sum("theirs" in line for line in shown(node)) == 1


def test_filter_that_others_add_at_the_same_moment_is_not_replaced(node: Namespace) -> None:
    add_program_of_others(node, PRIORITY, TC_ACT_UNSPEC)
    before = shown(node)

    def too_late() -> None:
        with (
            patch.object(BpfMarking, "_free", lambda *_: PRIORITY),
            pytest.raises(UnavailableError, match="Filter already exists"),
        ):
            BpfMarking(link()).write(made(marking()))

    node.call(too_late)
    assert (shown(node), count_of_ours(node)) == (before, 0)


@pytest.mark.parametrize("digest", ["0123456789ab", made(marking())["digest"]])
def test_copy_of_ours_is_no_longer_right_and_goes_with_the_next_write(node: Namespace, digest: str) -> None:
    mark(node, marking())
    for priority in (PRIORITY, PRIORITY + 5):
        add_program_of_others(node, priority, TC_ACT_UNSPEC, name=f"railbird-dscp:{digest}")
    assert count_of_ours(node) == 3
    assert not Made(made(marking())["spec"], "marks").is_met(read(node))
    mark(node, marking())
    assert count_of_ours(node) == 1
    assert Made(made(marking())["spec"], "marks").is_met(read(node))


def test_program_under_our_name_that_is_another_has_another_content(node: Namespace) -> None:
    found = mark(node, marking())
    unmark(node)
    add_program_of_others(node, PRIORITY, TC_ACT_UNSPEC, name=f"railbird-dscp:{found['digest']}")
    swapped = read(node)
    assert swapped["digest"] == found["digest"]
    assert swapped["content"] != found["content"]


def test_marking_of_another_interface_is_not_this_ones(node: Namespace) -> None:
    mark(node, marking())
    node.run("tc", "qdisc", "add", "dev", "lo", "clsact")

    def at_loopback(value: Any) -> tuple[Any, Any]:
        loopback = BpfMarking(Link("lo", socket.if_nametoindex("lo")))
        before = loopback.read()
        loopback.write(value)
        return before, loopback.read()

    before, after = node.call(lambda: at_loopback(made(marking(10))))
    assert before is None
    assert after["digest"] != read(node)["digest"]
    assert node.call(lambda: at_loopback(None)) == (after, None)
    assert count_of_ours(node) == 1


def test_last_priority_may_be_taken_but_not_passed(node: Namespace) -> None:
    add_match_of_others(node, 65_535)
    with pytest.raises(UnavailableError, match="filters of others have all priorities from 65535 on"):
        mark(node, marking(), 65_535)
    assert count_of_ours(node) == 0


def test_write_without_clsact_is_refused_with_the_kernels_reason(node: Namespace) -> None:
    with pytest.raises(UnavailableError, match="the kernel refuses it on media0: Parent Qdisc"):
        node.call(lambda: BpfMarking(link()).write(made(marking())))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (made(marking(), 0), "a filter's priority is 1 to 65535, not 0"),
        (made(marking(), 65_536), "a filter's priority is 1 to 65535, not 65536"),
        (made(Marking((), only_unmarked=True)), "there are no rules"),
        ({"digest": "0123456789ab", "spec": {"priority": 1}}, "no marking was expected of"),
    ],
)
def test_value_that_is_no_marking_is_refused_and_the_old_one_stays(node: Namespace, value: Any, sentence: str) -> None:
    found = mark(node, marking())
    with pytest.raises(UnavailableError, match=sentence):
        node.call(lambda: BpfMarking(link()).write(value))
    assert read(node) == found


def test_process_without_privileges_reads_and_is_told_what_it_lacks(node: Namespace) -> None:
    found = mark(node, marking())

    def with_capabilities(*capabilities: str) -> tuple[object, ...]:
        become(NOBODY, *capabilities)
        with pytest.raises(UnavailableError) as refused:
            BpfMarking(link()).write(made(marking(10)))
        return BpfMarking(link()).read(), BpfMarking(link()).obstacle(), str(refused.value)

    program = "needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN"
    assert node.call(with_capabilities) == (found, "needs CAP_NET_ADMIN, and CAP_BPF or CAP_SYS_ADMIN", program)
    assert node.call(lambda: with_capabilities("CAP_NET_ADMIN")) == (found, program, program)


def test_network_and_bpf_capabilities_are_enough_for_any_account(node: Namespace) -> None:
    mark(node, marking())

    def as_nobody() -> object:
        become(NOBODY, "CAP_NET_ADMIN", "CAP_BPF")
        assert BpfMarking(link()).obstacle() is None
        BpfMarking(link()).write(made(marking(10)))
        return BpfMarking(link()).read()

    assert node.call(as_nobody) == mark(node, marking(10))


def test_interface_that_is_gone_is_told_so(node: Namespace) -> None:
    gone = BpfMarking(Link(LINK, 4711))
    for ask in (gone.read, lambda: gone.write(made(marking()))):
        with pytest.raises(GoneError, match=f"there is no interface {LINK} "):
            node.call(ask)
    assert f"there is no interface {LINK} " in str(node.call(gone.obstacle))


def test_interface_with_a_link_header_that_is_not_known_is_in_the_way(node: Namespace) -> None:
    found = mark(node, marking())
    node.call(lambda: _become_link_of_type(INFINIBAND))
    sentence = f"how long the link header of {LINK} is, is not known: type {INFINIBAND}"
    assert node.call(lambda: BpfMarking(link()).obstacle()) == sentence
    with pytest.raises(UnavailableError, match=sentence):
        mark(node, marking(10))
    assert read(node) == found


def test_plain_process_leaves_nothing_open(node: Namespace) -> None:
    script = (
        "import socket\n"
        "from node_tuner.controls import control_of\n"
        "from node_tuner.machine.roots import Roots\n"
        f"where = {{'interface': '{LINK}', 'index': socket.if_nametoindex('{LINK}')}}\n"
        "control_of('clsact', where, Roots()).write('there')\n"
        f"control = control_of('bpf_marking', where, Roots())\ncontrol.write({made(marking())!r})\n"
        "print(control.read()['digest'])\n"
    )
    command = ["ip", "netns", "exec", node.name, sys.executable, "-X", "dev", "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=REPOSITORY)
    assert (done.stdout.strip(), done.stderr) == (made(marking())["digest"], "")


def test_marking_is_found_again_by_its_record() -> None:
    found = control_of("bpf_marking", BpfMarking(Link(LINK, 7)).where, Roots())
    assert (type(found), found.kind, found.is_own) == (BpfMarking, "bpf_marking", True)
    assert found.where == {"interface": LINK, "index": 7}


def _become_link_of_type(link_type: int) -> None:
    """TUNSETIFF, TUNSETLINK (include/uapi/linux/if_tun.h)."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x4004_54CA, struct.pack("16sH22x", LINK.encode(), 0x0001))
    fcntl.ioctl(tun, 0x4004_54CD, link_type)
    os.close(tun)
