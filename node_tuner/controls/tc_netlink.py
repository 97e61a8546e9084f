"""Traffic control by netlink, as far as clsact and its filters need it: a session, the filters, and the refusals."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute  # type: ignore[import-untyped]
from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link

INGRESS, EGRESS = 0xFFFF_FFF2, 0xFFFF_FFF3
"""TC_H_MIN_INGRESS and TC_H_MIN_EGRESS of ffff: (include/uapi/linux/pkt_sched.h)."""

_TCA_CHAIN, _TCA_BPF_TAG = 11, 10
"""Attributes that pyroute2 has no names for."""
_DIRECT_ACTION = 1
_REFUSED = {errno.EPERM, errno.EACCES}


@dataclass(frozen=True, slots=True)
class Filter:
    """A classifier's filter."""

    kind: str
    """`bpf`, `u32`, `flower` ..."""
    priority: int
    handle: int
    chain: int
    name: str = ""
    """Of bpf alone, as the following."""
    tag: str = ""
    """Of the program: 16 hexadecimal digits, a hash of its instructions."""
    is_direct: bool = False
    """Whether what the program answers is what is done."""

    def __str__(self) -> str:
        """`bpf cil_to_netdev at 1`: its priority."""
        return f"{' '.join(filter(None, (self.kind, self.name)))} at {self.priority}"


@contextmanager
def session(link: Link) -> Iterator[IPRoute]:
    """Of rtnetlink, about one interface. What the kernel refuses is an UnavailableError; GoneError without `link`."""
    link.check()
    try:
        with IPRoute(ext_ack=True) as netlink:
            yield netlink
    except NetlinkError as error:
        raise unavailable(link, error) from None


def unavailable(link: Link, error: NetlinkError) -> UnavailableError:
    """The sentence for what the kernel answered."""
    if error.code == errno.ENODEV:
        return GoneError(f"{link.name} is gone")
    if error.code in _REFUSED:
        return UnavailableError("needs CAP_NET_ADMIN")
    if error.code == errno.ENOENT:
        return UnavailableError(f"this kernel has no such qdisc or classifier: {error.args[1]}")
    return UnavailableError(f"the kernel refuses it on {link.name}: {error.args[1]}")


def filters(netlink: IPRoute, link: Link, parent: int) -> list[Filter]:
    """All that hang there, of all chains, by priority; none where the qdisc is absent."""
    found = [_filter(message) for message in netlink.get_filters(index=link.index, parent=parent)]
    # Each priority of a chain is told by itself as well, without a handle.
    return [each for each in found if each.handle]


def _filter(message: Any) -> Filter:
    kind = str(message.get_attr("TCA_KIND"))
    options = message.get_attr("TCA_OPTIONS")
    chain = int.from_bytes(_unnamed(message, _TCA_CHAIN), "little")
    place = (kind, message["info"] >> 16, message["handle"], chain)
    if kind != "bpf" or not options:
        return Filter(*place)
    return Filter(
        *place,
        options.get_attr("TCA_BPF_NAME") or "",
        _unnamed(options, _TCA_BPF_TAG).hex(),
        bool((options.get_attr("TCA_BPF_FLAGS") or 0) & _DIRECT_ACTION),
    )


def _unnamed(message: Any, number: int) -> bytes:
    """The value of the attribute of this number; empty where it is absent."""
    for attribute in message["attrs"]:
        name, value = attribute[0], attribute[1]
        if name == "UNKNOWN" and value["header"]["type"] == number:
            return bytes(value.data[value.offset + 4 : value.offset + value["header"]["length"]])
    return b""
