"""What of ours is there, found without any record: tables and filters by their names, qdiscs by our handle.

A clsact looks like anybody's, and sysctls, masks and what the card was told do not say who set them.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from node_tuner.contract import Control, Value
from node_tuner.controls import qdisc_netlink
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.controls.conntrack_bypass import ConntrackBypass
from node_tuner.controls.nft_marking import NftMarking
from node_tuner.controls.qdisc import OUR_HANDLE, RootQdisc
from node_tuner.errors import UnavailableError
from node_tuner.machine.link import Link


@dataclass(frozen=True, slots=True)
class Leftover:
    """One of them."""

    name: str
    """Of its knob."""
    control: Control
    original: Value
    """As far as it is known: of a qdisc that it was the kernel's own, for others' are never replaced."""


def leftovers() -> list[Leftover]:
    """Of this namespace, in the order in which they are applied. What may not be looked at is left out."""
    return [*_of_links(), *_tables()]


def _tables() -> Iterator[Leftover]:
    for name, table in (("conntrack.bypass", ConntrackBypass()), ("dscp.nft", NftMarking())):
        with suppress(UnavailableError):
            if table.read() is not None:
                yield Leftover(name, table, None)


def _of_links() -> Iterator[Leftover]:
    links = {index: Link(name, index) for index, name in socket.if_nameindex()}
    with suppress(UnavailableError):
        for index, each in qdisc_netlink.everywhere():
            if index in links:
                yield from _of_qdisc(links[index], each)


def _of_qdisc(link: Link, each: qdisc_netlink.Qdisc) -> Iterator[Leftover]:
    if each.parent == qdisc_netlink.ROOT and each.handle == OUR_HANDLE:
        yield Leftover("qdisc", RootQdisc(link), {"owner": "kernel"})
    if each.kind == "clsact":
        with suppress(UnavailableError):
            if (marking := BpfMarking(link)).read() is not None:
                yield Leftover("dscp.bpf", marking, None)
