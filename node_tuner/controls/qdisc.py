"""The qdisc at an interface's root (tc(8)), ours or the kernel's own; other people's are never replaced.

A value is {"kind": "fq", "limit_packets": 10000, "owner": "railbird"}. Cards with several queues have mq at the root,
which is left out of it: the kind is then that of all its queues, each of which keeps a lock of its own. The kernel's
own comes back when ours is deleted, and is none that anybody could make: it has no handle.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from node_tuner.contract import Value, Where
from node_tuner.controls import qdisc_netlink as netlink
from node_tuner.controls.qdisc_netlink import ROOT, Qdisc
from node_tuner.errors import UnavailableError
from node_tuner.machine.capabilities import effective
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots

OUR_HANDLE = 0x7262_0000
"""`7262:` ("rb"), by which ours is known after a crash. The kernel itself gives 8000: and above (net/sched/sch_api.c
`qdisc_alloc_handle`)."""

_MULTIQUEUE = "mq"
_ALWAYS_THERE = "pfifo"
"""No kernel has qdiscs without it (net/sched/Kconfig)."""
_NOTHING = Qdisc("noop", 0, ROOT, b"")
"""What an interface has that was never up: the kernel does not list it."""


class RootQdisc:
    """See the module. Of the kind that is wanted, where it is told, `obstacle` says whether this kernel has it."""

    kind = "qdisc"
    is_own = False
    is_growing = False

    def __init__(self, link: Link, wanted_kind: str = "") -> None:
        self._link = link
        self._wanted_kind = wanted_kind

    @property
    def where(self) -> Where:
        """See `contract.Control`."""
        return self._link.where

    def read(self) -> Mapping[str, str | int | None]:
        """See `contract.Control`."""
        found = netlink.qdiscs(self._link)
        root = _root(found)
        queues = _children(root, found) or [root]
        limits = {_limit_packets(each) for each in queues}
        return {
            "kind": "+".join(sorted({each.kind for each in queues})),
            "limit_packets": limits.pop() if len(limits) == 1 else None,
            "owner": _owner(root),
        }

    def obstacle(self) -> str | None:
        """See `contract.Control`."""
        try:
            return self._obstacle(self._wanted_kind)
        except UnavailableError as error:
            return str(error)

    def write(self, value: Value) -> None:
        """See `contract.Control`."""
        if not isinstance(value, Mapping) or value.get("owner") not in ("kernel", "railbird"):
            raise UnavailableError(f"nobody but its owner can make this qdisc again: {value!r}")
        obstacle = self._obstacle(str(value["kind"]) if value["owner"] == "railbird" else "")
        if obstacle:
            raise UnavailableError(obstacle)
        before = self.read()
        try:
            self._put(value)
        except UnavailableError:
            self._put(before)
            raise

    def merged(self, original: Value, applied: Value, found: Value) -> Value:
        """See `contract.Control`. Where ours was deleted, the kernel chose one by what was the default then, which may
        have been ours: it is made to choose again."""
        is_kernel_s = [isinstance(each, Mapping) and each.get("owner") == "kernel" for each in (original, found)]
        return original if all(is_kernel_s) else None

    def _obstacle(self, wanted_kind: str) -> str | None:
        if "CAP_NET_ADMIN" not in effective(Roots()):
            return "needs CAP_NET_ADMIN"
        root = _root(netlink.qdiscs(self._link))
        if _owner(root) == "others":
            text = netlink.handle_text(root.handle)
            return f"{self._link.name} has a qdisc of somebody else's, which is left alone: {root.kind} {text}"
        if root is _NOTHING:
            return f"{self._link.name} was never up: the kernel has given it no qdisc yet that could be put back"
        if wanted_kind and netlink.is_unknown(self._link, OUR_HANDLE, wanted_kind):
            return f"this kernel has no qdisc {wanted_kind}"
        return None

    def _put(self, value: Mapping[str, Value]) -> None:
        found = netlink.qdiscs(self._link)
        is_ours = _root(found).handle == OUR_HANDLE
        if value["owner"] == "railbird":
            made = self._made(found, value)
        elif not is_ours and self.read() != value:
            # The kernel chose while net.core.default_qdisc was another: made to choose again.
            made = [netlink.addition(self._link, ROOT, OUR_HANDLE, _ALWAYS_THERE), self._deletion]
        else:
            made = []
        if is_ours or made:
            netlink.change(self._link, *([self._deletion] if is_ours else []), *made)

    @property
    def _deletion(self) -> netlink.QdiscMessage:
        return netlink.deletion(self._link, OUR_HANDLE)

    def _made(self, found: Sequence[Qdisc], value: Mapping[str, Value]) -> list[netlink.QdiscMessage]:
        kind = str(value["kind"])
        options = _options(kind, value.get("limit_packets"))
        queues = netlink.tx_queues(self._link)
        if queues == 1:
            return [netlink.addition(self._link, ROOT, OUR_HANDLE, kind, options)]
        # An mq says which queues are in use; where there is none, as on a veth, each that could be gets one.
        used = [each.parent & 0xFFFF for each in _children(_root(found), found)] or range(1, queues + 1)
        root = netlink.addition(self._link, ROOT, OUR_HANDLE, _MULTIQUEUE)
        return [root, *(netlink.addition(self._link, OUR_HANDLE | each, 0, kind, options) for each in used)]


class _Limit(NamedTuple):
    """How a kind is told, and tells, its limit in packets."""

    pack: Callable[[int], bytes]
    unpack: Callable[[bytes], int | None]


def _plain(limit_packets: int) -> bytes:
    """struct tc_fifo_qopt."""
    return struct.pack("=I", limit_packets)


def _plain_of(options: bytes) -> int | None:
    return int(struct.unpack_from("=I", options)[0]) if options else None


def _attribute(number: int) -> _Limit:
    """A u32 among the attributes of the options."""

    def pack(limit_packets: int) -> bytes:
        return struct.pack("=HHI", 8, number, limit_packets)

    def unpack(options: bytes) -> int | None:
        while len(options) >= 4:
            length, attribute = struct.unpack_from("=HH", options)
            if attribute == number:
                return int(struct.unpack_from("=I", options, 4)[0])
            options = options[max(length + 3 & ~3, 4) :]
        return None

    return _Limit(pack, unpack)


_LIMITS: Mapping[str, _Limit] = {
    "fq": _attribute(1),  # TCA_FQ_PLIMIT
    "fq_codel": _attribute(2),  # TCA_FQ_CODEL_LIMIT
    "pfifo": _Limit(_plain, _plain_of),
}
"""Kinds with a limit in packets; of the others' options nothing is read or set."""


def _options(kind: str, limit_packets: Value) -> bytes:
    if limit_packets is None:
        return b""
    if kind not in _LIMITS or not isinstance(limit_packets, int):
        raise UnavailableError(f"qdisc {kind} has no limit in packets that could be set")
    return _LIMITS[kind].pack(limit_packets)


def _limit_packets(qdisc: Qdisc) -> int | None:
    return _LIMITS[qdisc.kind].unpack(qdisc.options) if qdisc.kind in _LIMITS else None


def _root(found: Sequence[Qdisc]) -> Qdisc:
    return next((each for each in found if each.parent == ROOT), _NOTHING)


def _children(root: Qdisc, found: Sequence[Qdisc]) -> Sequence[Qdisc]:
    """Of an mq: one of each queue in use."""
    if root.kind != _MULTIQUEUE:
        return []
    return [each for each in found if each.parent != ROOT and each.parent >> 16 == root.handle >> 16]


def _owner(root: Qdisc) -> str:
    return {0: "kernel", OUR_HANDLE: "railbird"}.get(root.handle, "others")
