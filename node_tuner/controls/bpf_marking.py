"""Marks by an eBPF program, a filter at the interface's way out: beside other people's filters, never instead of one.

Ours is known by its name, `railbird-dscp:` and the digest of what it was made from. It hangs in clsact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyroute2 import IPRoute  # type: ignore[import-untyped]

from node_tuner.bpf import loading
from node_tuner.bpf.program import assemble
from node_tuner.bpf.tcx import programs_at_egress
from node_tuner.contract import Undivided, Value, Where
from node_tuner.controls.tc_netlink import EGRESS, Filter, filters, session
from node_tuner.errors import UnavailableError
from node_tuner.machine.capabilities import effective
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from node_tuner.marking import Marking

_PREFIX = "railbird-dscp:"
_PROGRAM = "railbird_dscp"
_PRIORITIES = range(1, 1 << 16)

_LINK_HEADER_BYTES: Mapping[int, int] = {
    1: 14,  # ARPHRD_ETHER
    512: 0,  # ARPHRD_PPP
    519: 0,  # ARPHRD_RAWIP
    768: 0,  # ARPHRD_TUNNEL
    769: 0,  # ARPHRD_TUNNEL6
    772: 14,  # ARPHRD_LOOPBACK
    776: 0,  # ARPHRD_SIT
    65534: 0,  # ARPHRD_NONE: TUN, WireGuard
}
"""What stands before the IP header, by the interface's type (include/uapi/linux/if_arp.h). A program can find out by no
helper, and for a payload that is not in the packet's head it must know."""


class BpfMarking(Undivided):
    """Made from {"marking": Marking.as_json(), "priority": 1 to 65535}; of the priorities from there on, the first
    that nobody else has."""

    kind = "bpf_marking"
    is_own = True

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def where(self) -> Where:
        """See `contract.Control`."""
        return self._link.where

    def read(self) -> Mapping[str, str] | None:
        """See `contract.Control`. The content is a line for people; there are two only if somebody copied ours."""
        with session(self._link) as netlink:
            ours = self._ours(netlink)
        if not ours:
            return None
        return {
            "digest": ",".join(each.name.removeprefix(_PREFIX) for each in ours),
            "content": "; ".join(_told(each) for each in ours),
        }

    def obstacle(self) -> str | None:
        """See `contract.Control`."""
        if "CAP_NET_ADMIN" not in effective(Roots()):
            return "needs CAP_NET_ADMIN, and CAP_BPF or CAP_SYS_ADMIN"
        try:
            with session(self._link) as netlink:
                self._link_header_bytes(netlink)
        except UnavailableError as error:
            return str(error)
        return loading.obstacle()

    def rivals(self, priority: int) -> Sequence[str]:
        """What stands before a filter of this priority, each of which may end the walk through the filters (by
        TC_ACT_OK, say, as Cilium's do), so that ours never runs. Empty also where nobody can say."""
        try:
            with session(self._link) as netlink:
                place, there = self._free(netlink, priority), filters(netlink, self._link, EGRESS)
        except UnavailableError:
            return []
        before = [each for each in there if each.chain == 0 and each.priority < place and not _is_ours(each)]
        count = programs_at_egress(self._link.index)
        tcx = [f"{count} by tcx"] if count else []
        # A filter of u32 is listed together with its hash table.
        return [*tcx, *dict.fromkeys(map(str, before))]

    def write(self, value: Value) -> None:
        """See `contract.Control`. What marked before goes on until the new program does."""
        with session(self._link) as netlink:
            kept = self._put(netlink, value) if isinstance(value, Mapping) else None
            for each in self._ours(netlink):
                if each.priority != kept:
                    self._delete(netlink, each)

    def _put(self, netlink: IPRoute, value: Mapping[str, Any]) -> int:
        """Give the filter its place, or its new program; the place's priority."""
        marking, wanted = _parsed(value["spec"])
        priority = self._free(netlink, wanted)
        at_place = [each for each in self._ours(netlink) if each.priority == priority]
        try:
            program = assemble(marking, self._link_header_bytes(netlink))
        except ValueError as error:
            raise UnavailableError(str(error)) from None
        with loading.loaded(program, _PROGRAM) as descriptor:
            netlink.tc(
                # Of two that come at once the second is refused; only what is known to be ours is replaced.
                "replace-filter" if at_place else "add-filter",
                "bpf",
                self._link.index,
                at_place[0].handle if at_place else 1,
                fd=descriptor,
                name=f"{_PREFIX}{value['digest']}",
                parent=EGRESS,
                prio=priority,
                direct_action=True,
            )
        for each in at_place[1:]:
            self._delete(netlink, each)
        return priority

    def _free(self, netlink: IPRoute, wanted: int) -> int:
        there = filters(netlink, self._link, EGRESS)
        taken = {each.priority for each in there if not _is_ours(each)}
        free = next((priority for priority in _PRIORITIES[wanted - 1 :] if priority not in taken), None)
        if free is None:
            raise UnavailableError(f"filters of others have all priorities from {wanted} on")
        return free

    def _ours(self, netlink: IPRoute) -> Sequence[Filter]:
        return [each for each in filters(netlink, self._link, EGRESS) if _is_ours(each)]

    def _delete(self, netlink: IPRoute, ours: Filter) -> None:
        # Without its handle it would be all filters of the priority.
        netlink.tc("del-filter", "bpf", self._link.index, ours.handle, parent=EGRESS, prio=ours.priority)

    def _link_header_bytes(self, netlink: IPRoute) -> int:
        link_type = netlink.get_links(self._link.index)[0]["ifi_type"]
        if link_type not in _LINK_HEADER_BYTES:
            raise UnavailableError(f"how long the link header of {self._link.name} is, is not known: type {link_type}")
        return _LINK_HEADER_BYTES[link_type]


def _is_ours(each: Filter) -> bool:
    return each.name.startswith(_PREFIX) and each.chain == 0


def _told(each: Filter) -> str:
    answer = "direct action" if each.is_direct else "not direct action"
    return f"program {each.tag} at priority {each.priority}, {answer}"


def _parsed(spec: Any) -> tuple[Marking, int]:
    try:
        marking, priority = Marking.parse(spec["marking"]), int(spec["priority"])
    except (KeyError, TypeError, ValueError) as error:
        raise UnavailableError(f"no marking was expected of {spec!r}: {error}") from None
    if priority not in _PRIORITIES:
        raise UnavailableError(f"a filter's priority is 1 to {_PRIORITIES[-1]}, not {priority}")
    return marking, priority
