"""Requests of ethtool's generic netlink family, as far as the tuner makes them: include/uapi/linux/ethtool_netlink.h.

pyroute2 has messages for rings alone and takes the older ioctl for the rest, which sets all values of a structure at
once and gives no reasons. By netlink only what is named is changed, and the kernel says what it did not like.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from pyroute2.netlink import NLM_F_ACK, NLM_F_REQUEST, genlmsg  # type: ignore[import-untyped]
from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]
from pyroute2.netlink.generic import GenericNetlinkSocket  # type: ignore[import-untyped]
from pyroute2.netlink.generic.ethtool import ethtoolbitset, ethtoolheader  # type: ignore[import-untyped]

from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link

_VERSION = 1
_OMIT_REPLY = 1 << 1  # ETHTOOL_FLAG_OMIT_REPLY
_REPLY_BYTES = 1 << 16
_REFUSED = {errno.EPERM, errno.EACCES}

_SIOCETHTOOL, _GDRVINFO = 0x8946, 3
_DRIVER_INFORMATION_BYTES = 196


class Command(IntEnum):
    """ETHTOOL_MSG_*."""

    FEATURES_GET = 11
    FEATURES_SET = 12
    RINGS_GET = 15
    RINGS_SET = 16
    CHANNELS_GET = 17
    CHANNELS_SET = 18
    COALESCE_GET = 19
    COALESCE_SET = 20


def _attributes(kind: str, names: str) -> tuple[tuple[str, str], ...]:
    return (("unspec", "none"), ("header", "ethtoolheader"), *((name, kind) for name in names.split()))


class _Message(genlmsg):  # type: ignore[misc]
    ethtoolheader = ethtoolheader
    ethtoolbitset = ethtoolbitset


class FeaturesMessage(_Message):
    """ETHTOOL_A_FEATURES_*: each a set of bits that have names."""

    nla_map = _attributes("ethtoolbitset", "hw wanted active nochange")


class RingsMessage(_Message):
    """ETHTOOL_A_RINGS_*: descriptors of each queue."""

    nla_map = _attributes("uint32", "rx_max rx_mini_max rx_jumbo_max tx_max rx rx_mini rx_jumbo tx")


class ChannelsMessage(_Message):
    """ETHTOOL_A_CHANNELS_*."""

    nla_map = _attributes("uint32", "rx_max tx_max other_max combined_max rx_count tx_count other_count combined_count")


class CoalesceMessage(_Message):
    """ETHTOOL_A_COALESCE_*, the first twelve."""

    nla_map = (
        *_attributes(
            "uint32",
            "rx_usecs rx_max_frames rx_usecs_irq rx_max_frames_irq "
            "tx_usecs tx_max_frames tx_usecs_irq tx_max_frames_irq stats_block_usecs",
        ),
        ("use_adaptive_rx", "uint8"),
        ("use_adaptive_tx", "uint8"),
    )


@dataclass(frozen=True, slots=True)
class Topic:
    """What is asked and told with one kind of message."""

    noun: str
    """For people: `ring sizes`."""
    message: type[_Message]
    get: Command
    set: Command


FEATURES = Topic("offloads", FeaturesMessage, Command.FEATURES_GET, Command.FEATURES_SET)
RINGS = Topic("ring sizes", RingsMessage, Command.RINGS_GET, Command.RINGS_SET)
CHANNELS = Topic("channels", ChannelsMessage, Command.CHANNELS_GET, Command.CHANNELS_SET)
COALESCE = Topic("coalescing", CoalesceMessage, Command.COALESCE_GET, Command.COALESCE_SET)


def ask(link: Link, topic: Topic) -> Any:
    """The reply, of which `get_attr` gives what the driver has, and None for the rest. UnavailableError."""
    link.check()
    try:
        return _request(link, topic, topic.get, (), NLM_F_REQUEST)[0]
    except NetlinkError as error:
        if error.code == errno.EOPNOTSUPP:
            raise UnavailableError(f"{owner(link)} has no {topic.noun}") from None
        raise _unavailable(link, topic, error) from None


def tell(link: Link, topic: Topic, attributes: Sequence[tuple[str, Any]]) -> None:
    """Set these and no others; the driver takes all or none, and may round. UnavailableError."""
    link.check()
    try:
        _request(link, topic, topic.set, attributes, NLM_F_REQUEST | NLM_F_ACK)
    except NetlinkError as error:
        raise _unavailable(link, topic, error) from None


def owner(link: Link) -> str:
    """`the driver of eth0 (ixgbe)`, for sentences about what it lacks."""
    return f"the driver of {link.name} ({driver(link)})"


def _request(
    link: Link, topic: Topic, command: Command, attributes: Sequence[tuple[str, Any]], flags: int
) -> Sequence[Any]:
    netlink = GenericNetlinkSocket(ext_ack=True, rcvsize=_REPLY_BYTES)
    try:
        netlink.bind("ethtool", topic.message)
        return tuple(netlink.nlm_request(_message(link, topic, command, attributes), netlink.prid, flags))
    finally:
        netlink.close()


def _message(link: Link, topic: Topic, command: Command, attributes: Sequence[tuple[str, Any]]) -> Any:
    message = topic.message()
    message["cmd"], message["version"] = int(command), _VERSION
    # Of a name and an index that do not belong together the kernel makes ENODEV: never another interface than ours.
    header = [
        ("ETHTOOL_A_HEADER_DEV_INDEX", link.index),
        ("ETHTOOL_A_HEADER_DEV_NAME", link.name),
        ("ETHTOOL_A_HEADER_FLAGS", _OMIT_REPLY if command is topic.set else 0),
    ]
    message["attrs"] = [("header", {"attrs": header}), *attributes]
    return message


def _unavailable(link: Link, topic: Topic, error: NetlinkError) -> UnavailableError:
    if error.code == errno.ENODEV:
        return GoneError(f"{link.name} is gone, or another interface now")
    if error.code in _REFUSED:
        return UnavailableError("needs CAP_NET_ADMIN")
    if error.code == errno.ENOENT:
        return UnavailableError("this kernel has no ethtool over netlink, which came with Linux 5.6")
    if error.code == errno.EOPNOTSUPP:
        return UnavailableError(f"{owner(link)} does not let its {topic.noun} be set so: {error.args[1]}")
    return UnavailableError(f"{owner(link)} refuses to set its {topic.noun}: {error.args[1]}")


def driver(link: Link) -> str:
    """ETHTOOL_GDRVINFO: what no netlink message says."""
    information = ctypes.create_string_buffer(struct.pack("=I", _GDRVINFO), _DRIVER_INFORMATION_BYTES)
    request = struct.pack("@16sP", link.name.encode(), ctypes.addressof(information)).ljust(40, b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            fcntl.ioctl(any_socket, _SIOCETHTOOL, request)
        except OSError:
            return "of unknown name"
    return information.raw[4:36].split(b"\0")[0].decode(errors="replace")
