"""A namespace's interface with clsact, our marking in it, and filters of others."""

from __future__ import annotations

import ctypes
import socket
from typing import Any

from pyroute2 import IPRoute  # type: ignore[import-untyped]

from node_tuner.bpf.instructions import Register, compute, encode, leave
from node_tuner.bpf.loading import bpf, loaded
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.controls.clsact import Clsact
from node_tuner.controls.tc_netlink import EGRESS
from node_tuner.machine.link import Link
from node_tuner.marking import Marking, digest_of
from tests.node_tuner.namespaces import LINK, Namespace

TC_ACT_UNSPEC, TC_ACT_OK, TC_ACT_SHOT = -1, 0, 2

PRIORITY = 50

_PROG_ATTACH, _TCX_EGRESS = 8, 47


class _ProgAttach(ctypes.Structure):
    """union bpf_attr for BPF_PROG_ATTACH, its first fields (include/uapi/linux/bpf.h)."""

    _fields_ = (
        ("target_ifindex", ctypes.c_uint32),
        ("attach_bpf_fd", ctypes.c_uint32),
        ("attach_type", ctypes.c_uint32),
        ("attach_flags", ctypes.c_uint32),
    )


def link() -> Link:
    """Of the namespace that we are in."""
    return Link(LINK, socket.if_nametoindex(LINK))


def made(marking: Marking, priority: int = PRIORITY) -> dict[str, Any]:
    """What `write` takes."""
    spec = {"marking": marking.as_json(), "priority": priority}
    return {"digest": digest_of(spec), "spec": spec}


def mark(node: Namespace, marking: Marking, priority: int = PRIORITY) -> Any:
    """Make clsact and the marking, in a process that has ended when this returns; what was read back."""

    def inside() -> Any:
        Clsact(link()).write("there")
        BpfMarking(link()).write(made(marking, priority))
        return BpfMarking(link()).read()

    return node.call(inside)


def read(node: Namespace) -> Any:
    """By a process of its own."""
    return node.call(lambda: BpfMarking(link()).read())


def unmark(node: Namespace) -> None:
    """Remove ours."""
    node.call(lambda: BpfMarking(link()).write(None))


def add_program_of_others(node: Namespace, priority: int, answer: int, name: str = "theirs") -> None:
    """An eBPF filter that answers this to all packets."""

    def inside() -> None:
        program = encode([compute(Register.R0, "=", answer), leave()])
        with loaded(program, "theirs") as descriptor, IPRoute() as netlink:
            place = {"parent": EGRESS, "prio": priority, "direct_action": True}
            netlink.tc("add-filter", "bpf", link().index, fd=descriptor, name=name, **place)

    node.call(lambda: Clsact(link()).write("there"))
    node.call(inside)


def add_tcx_program_of_others(node: Namespace, answer: int) -> None:
    """An eBPF program that tcx runs at the way out, before all filters."""

    def inside() -> None:
        program = encode([compute(Register.R0, "=", answer), leave()])
        with loaded(program, "theirs") as descriptor:
            bpf(_PROG_ATTACH, _ProgAttach(link().index, descriptor, _TCX_EGRESS))

    node.call(inside)


def add_match_of_others(node: Namespace, priority: int) -> None:
    """A u32 filter that fits everything, and does nothing."""
    node.call(lambda: Clsact(link()).write("there"))
    place = ("dev", LINK, "egress", "prio", str(priority), "protocol", "all")
    node.run("tc", "filter", "add", *place, "u32", "match", "u32", "0", "0")


def shown(node: Namespace) -> list[str]:
    """Lines of tc(8) about the filters, without ours and the line that announces its priority."""
    lines = node.run("tc", "filter", "show", "dev", LINK, "egress").splitlines()
    ours = [at for at, line in enumerate(lines) if "railbird-dscp:" in line]
    return [line for at, line in enumerate(lines) if at not in ours and at + 1 not in ours]


def count_of_ours(node: Namespace) -> int:
    """By tc(8)."""
    return node.run("tc", "filter", "show", "dev", LINK, "egress").count("railbird-dscp:")
