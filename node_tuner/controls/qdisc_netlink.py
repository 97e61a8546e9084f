"""Queueing disciplines by rtnetlink (include/uapi/linux/pkt_sched.h): listed, added and deleted, never replaced.

pyroute2 knows no fq, and decodes only some of the others: here options are bytes.
"""

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyroute2.netlink import (  # type: ignore[import-untyped]
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    NLM_F_REQUEST,
    nlmsg,
)
from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]
from pyroute2.netlink.nlsocket import NetlinkSocket  # type: ignore[import-untyped]
from pyroute2.netlink.rtnl import (  # type: ignore[import-untyped]
    RTM_DELQDISC,
    RTM_GETLINK,
    RTM_GETQDISC,
    RTM_NEWLINK,
    RTM_NEWQDISC,
)
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg  # type: ignore[import-untyped]

from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link

ROOT = 0xFFFF_FFFF
"""TC_H_ROOT, as a parent."""

_NETLINK_ROUTE = 0
_REPLY_BYTES = 1 << 16
_REFUSED = {errno.EPERM, errno.EACCES}
_UNKNOWN_KIND = "Specified qdisc kind is unknown"
"""What the kernel says beside ENOENT, which also means a parent that is not there."""


@dataclass(frozen=True, slots=True)
class Qdisc:
    """One that is there."""

    kind: str
    handle: int
    """Major number in the upper 16 bits; 0 where the kernel made it by itself."""
    parent: int
    """ROOT, or the class that it is in: for mq the major number of its handle, and the queue's number from 1."""
    options: bytes


class QdiscMessage(nlmsg):  # type: ignore[misc]
    """struct tcmsg, and of TCA_* the first five."""

    fields = (
        ("family", "B"),
        ("pad1", "B"),
        ("pad2", "H"),
        ("index", "i"),
        ("handle", "I"),
        ("parent", "I"),
        ("info", "I"),
    )
    nla_map = (
        ("unspec", "none"),
        ("kind", "asciiz"),
        ("options", "cdata"),
        ("stats", "cdata"),
        ("xstats", "cdata"),
        ("rate", "cdata"),
    )


def qdiscs(link: Link) -> Sequence[Qdisc]:
    """All of the interface; none while it was never up. UnavailableError."""
    link.check()
    found = _request(link, _message(link, 0, 0, {}, RTM_GETQDISC, NLM_F_REQUEST | NLM_F_DUMP))
    return [_qdisc(each) for each in found if each["index"] == link.index]


def everywhere() -> Sequence[tuple[int, Qdisc]]:
    """All of the namespace, each with its interface's index. UnavailableError."""
    nowhere = Link("", 0)
    found = _request(nowhere, _message(nowhere, 0, 0, {}, RTM_GETQDISC, NLM_F_REQUEST | NLM_F_DUMP))
    return [(each["index"], _qdisc(each)) for each in found]


def tx_queues(link: Link) -> int:
    """As many as the interface can ever have. UnavailableError."""
    message = ifinfmsg()
    message["index"] = link.index
    message["header"]["type"], message["header"]["flags"] = RTM_GETLINK, NLM_F_REQUEST | NLM_F_ACK
    return int(_request(link, message)[0].get_attr("IFLA_NUM_TX_QUEUES"))


def change(link: Link, *messages: QdiscMessage) -> None:
    """All of it in one system call, so that nothing kills us half-way. UnavailableError for the first that the kernel
    refuses; it goes on with the others all the same."""
    link.check()
    _request(link, *messages)


def addition(link: Link, parent: int, handle: int, kind: str, options: bytes = b"") -> QdiscMessage:
    """Of a qdisc where there is none but the kernel's own, or else it is refused: nobody's is ever replaced. Handle 0:
    the kernel finds one."""
    attributes = {"kind": kind, **({"options": options} if options else {})}
    return _message(link, parent, handle, attributes, RTM_NEWQDISC, _ADD)


def deletion(link: Link, handle: int) -> QdiscMessage:
    """Of the root that has this handle, and of all in it; the kernel puts its own there."""
    return _message(link, ROOT, handle, {}, RTM_DELQDISC, NLM_F_REQUEST | NLM_F_ACK)


def is_unknown(link: Link, handle: int, kind: str) -> bool:
    """Whether this kernel has no such kind, as far as can be told; nothing is changed. It finds the kind (and loads its
    module) before it finds fault with a rate estimator of one byte (net/sched/sch_api.c `qdisc_create`)."""
    link.check()
    message = _message(link, ROOT, handle, {"kind": kind, "rate": b"\0"}, RTM_NEWQDISC, _ADD)
    try:
        _exchange(message)
    except NetlinkError as error:
        return bool(error.code == errno.ENOENT)
    change(link, deletion(link, handle))
    return False


def handle_text(handle: int) -> str:
    """As tc(8) writes it: `8001:`."""
    return f"{handle >> 16:x}:"


def _qdisc(message: Any) -> Qdisc:
    options = bytes(message.get_attr("options") or b"")
    return Qdisc(message.get_attr("kind"), message["handle"], message["parent"], options)


_ADD = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL


def _message(
    link: Link, parent: int, handle: int, attributes: Mapping[str, Any], command: int, flags: int
) -> QdiscMessage:
    message = QdiscMessage()
    message["index"], message["parent"], message["handle"] = link.index, parent, handle
    message["attrs"] = list(attributes.items())
    message["header"]["type"], message["header"]["flags"] = command, flags
    return message


def _request(link: Link, *messages: Any) -> Sequence[Any]:
    try:
        return _exchange(*messages)
    except NetlinkError as error:
        raise _unavailable(link, messages, error) from None


def _exchange(*messages: Any) -> Sequence[Any]:
    netlink = NetlinkSocket(family=_NETLINK_ROUTE, ext_ack=True, rcvsize=_REPLY_BYTES)
    try:
        netlink.asyncore.marshal.msg_map = {RTM_NEWQDISC: QdiscMessage, RTM_NEWLINK: ifinfmsg}
        netlink.bind()
        return tuple(netlink.nlm_request_batch(messages))
    finally:
        netlink.close()


def _unavailable(link: Link, messages: Sequence[Any], error: NetlinkError) -> UnavailableError:
    if error.code == errno.ENODEV:
        return GoneError(f"there is no interface {link.name} here any more")
    if error.code in _REFUSED:
        return UnavailableError("needs CAP_NET_ADMIN")
    reason = str(error.args[1])
    if reason == _UNKNOWN_KIND:
        return UnavailableError(f"this kernel has no qdisc {messages[-1].get_attr('kind')}")
    return UnavailableError(f"the kernel refuses to change the qdisc of {link.name}: {reason}")
