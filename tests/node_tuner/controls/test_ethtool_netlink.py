"""What ethtool's netlink family is sent, byte by byte, and which sentence each of its refusals becomes."""

import errno
import socket
import struct
from typing import Any, NoReturn

import pytest
from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

from node_tuner.controls import ethtool_netlink
from node_tuner.controls.ethtool import Channels
from node_tuner.controls.ethtool_netlink import CHANNELS, COALESCE, FEATURES, RINGS, Topic, ask, owner, tell
from node_tuner.errors import GoneError, TunerError, UnavailableError
from node_tuner.machine.link import Link
from tests.node_tuner.namespaces import LINK, pair

LO = Link("lo", socket.if_nametoindex("lo"))

_NESTED = 0x8000
_HEADER = (
    struct.pack("=HH", 28, 1 | _NESTED)  # ETHTOOL_A_*_HEADER
    + struct.pack("=HHI", 8, 1, LO.index)  # ETHTOOL_A_HEADER_DEV_INDEX
    + struct.pack("=HH4s", 7, 2, b"lo\0")  # ETHTOOL_A_HEADER_DEV_NAME
    + struct.pack("=HHI", 8, 3, 2)  # ETHTOOL_A_HEADER_FLAGS: ETHTOOL_FLAG_OMIT_REPLY
)


class _Family:
    """Of generic netlink: remembers what it is sent, and refuses it where it is told to."""

    prid = 21

    def __init__(self, refusal: NetlinkError | None = None) -> None:
        self._refusal = refusal
        self.sent: list[bytes] = []

    def __call__(self, **_: object) -> "_Family":
        return self

    def bind(self, family: str, message: type[Any]) -> None: ...

    def close(self) -> None: ...

    def nlm_request(self, message: Any, number: int, flags: int) -> tuple[()]:
        if self._refusal is not None:
            raise self._refusal
        message["header"]["type"], message["header"]["flags"] = number, flags
        message.encode()
        self.sent.append(bytes(message.data))
        return ()


@pytest.mark.parametrize(
    ("topic", "attributes", "command", "body"),
    [
        (RINGS, [("rx", 4096), ("tx", 2048)], 16, struct.pack("=HHIHHI", 8, 6, 4096, 8, 9, 2048)),
        (CHANNELS, [("combined_count", 4)], 18, struct.pack("=HHI", 8, 9, 4)),
        (CHANNELS, [("rx_count", 4), ("tx_count", 2)], 18, struct.pack("=HHIHHI", 8, 6, 4, 8, 7, 2)),
        (COALESCE, [("rx_usecs", 16), ("tx_max_frames", 9)], 20, struct.pack("=HHIHHI", 8, 2, 16, 8, 7, 9)),
        (COALESCE, [("use_adaptive_rx", 1)], 20, struct.pack("=HHBxxx", 5, 11, 1)),
        (COALESCE, [("use_adaptive_tx", 0)], 20, struct.pack("=HHBxxx", 5, 12, 0)),
    ],
)
def test_what_is_told_is_as_the_kernel_numbers_it(
    topic: Topic, attributes: list[tuple[str, int]], command: int, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = _Family()
    monkeypatch.setattr(ethtool_netlink, "GenericNetlinkSocket", family)
    tell(LO, topic, attributes)
    message = family.sent[0]
    flags = 1 | 4  # NLM_F_REQUEST, NLM_F_ACK
    assert message[:8] == struct.pack("=IHH", 20 + len(_HEADER) + len(body), 21, flags)
    assert message[16:20] == struct.pack("=BBH", command, 1, 0)
    assert message[20:] == _HEADER + body


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        (errno.EPERM, UnavailableError, "^needs CAP_NET_ADMIN$"),
        (errno.ENODEV, GoneError, "lo is gone, or another interface now"),
        (errno.ENOENT, UnavailableError, "this kernel has no ethtool over netlink, which came with Linux 5.6"),
        (
            errno.EINVAL,
            UnavailableError,
            r"the driver of lo \(of unknown name\) refuses to set its ring sizes: too many",
        ),
        (errno.EOPNOTSUPP, UnavailableError, r"does not let its ring sizes be set so: too many"),
    ],
)
def test_refusal_becomes_a_sentence(
    code: int, error: type[TunerError], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ethtool_netlink, "GenericNetlinkSocket", _Family(NetlinkError(code, "too many")))
    with pytest.raises(UnavailableError, match=reason) as raised:
        tell(LO, RINGS, [("rx", 9)])
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("topic", "noun"), [(RINGS, "ring sizes"), (CHANNELS, "channels"), (COALESCE, "coalescing"), (FEATURES, "offloads")]
)
def test_what_the_driver_has_not_is_named(topic: Topic, noun: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ethtool_netlink, "GenericNetlinkSocket", _Family(NetlinkError(errno.EOPNOTSUPP)))
    with pytest.raises(UnavailableError, match=f"^the driver of lo .* has no {noun}$"):
        ask(LO, topic)


def test_socket_is_closed_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    class Broken(_Family):
        def bind(self, family: str, message: type[Any]) -> NoReturn:
            raise NetlinkError(errno.ENOENT)

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(ethtool_netlink, "GenericNetlinkSocket", Broken())
    with pytest.raises(UnavailableError, match=r"Linux 5\.6"):
        ask(LO, RINGS)
    assert closed == [True]


@pytest.mark.netns
def test_owner_is_named_with_its_driver() -> None:
    with pair() as joined:
        said = joined.near.namespace.call(lambda: owner(Link(LINK, socket.if_nametoindex(LINK))))
    assert said == "the driver of media0 (veth)"


@pytest.mark.netns
def test_interface_that_changes_between_the_look_and_the_request_is_not_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Link, "check", lambda self: None)
    with pair(queues=2) as joined:
        inside = joined.near.namespace
        with pytest.raises(GoneError, match="another interface now"):
            inside.call(lambda: tell(Link(LINK, 1), CHANNELS, [("tx_count", 1)]))
        found = inside.call(lambda: Channels(Link(LINK, socket.if_nametoindex(LINK))).read())
    assert found == {"rx": 2, "tx": 2}
