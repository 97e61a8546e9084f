"""A network card made up: it answers ethtool's netlink requests byte by byte, with its own idea of their format.

Numbers are those of include/uapi/linux/ethtool_netlink.h, written here a second time.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from typing import Any, ClassVar

from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

_NESTED = 0x8000
_HEADER_BYTES = 20
"""struct nlmsghdr and struct genlmsghdr."""
_REQUEST, _REQUEST_AND_ACK = 1, 5


class Card:
    """Rings and coalescing, and what it was told of each; ring sizes are rounded up to 64, and rx_usecs is
    not to be set while the driver chooses it."""

    RINGS_GET, RINGS_SET, COALESCE_GET, COALESCE_SET = 15, 16, 19, 20
    RX_MAX, TX_MAX, RX, RX_JUMBO, TX = 1 + 1, 1 + 4, 1 + 5, 1 + 7, 1 + 8
    RX_USECS, TX_USECS, USE_ADAPTIVE_RX = 2, 6, 11
    ONE_BYTE: ClassVar = {11, 12}

    def __init__(self) -> None:
        self.rings = {self.RX_MAX: 4096, self.TX_MAX: 2048, self.RX: 512, self.RX_JUMBO: 64, self.TX: 512}
        self.coalescing = {self.RX_USECS: 50, self.TX_USECS: 50, self.USE_ADAPTIVE_RX: 1}
        self.told: list[dict[int, int]] = []
        self.broken_switch = -1
        """The value of USE_ADAPTIVE_RX that it fails to set."""

    def socket(self, **_: object) -> _Socket:
        """In the place of pyroute2's GenericNetlinkSocket."""
        return _Socket(self)

    def answer(self, request: bytes) -> bytes | None:
        """None for an acknowledgement."""
        command, version = request[16], request[17]
        assert version == 1
        attributes = _attributes(request[_HEADER_BYTES:])
        header = _attributes(attributes.pop(1 | _NESTED))
        assert header[2] == b"lo\0"
        is_set = command in (self.RINGS_SET, self.COALESCE_SET)
        assert struct.unpack("=I", header[3]) == (2 if is_set else 0,), "no reply is wanted to a SET alone"
        assert struct.unpack_from("=H", request, 6) == (_REQUEST_AND_ACK if is_set else _REQUEST,)
        values = self.rings if command in (self.RINGS_GET, self.RINGS_SET) else self.coalescing
        if not is_set:
            return self._reply(command, values, is_coalescing=values is self.coalescing)
        told = {number: int.from_bytes(value, "little") for number, value in attributes.items()}
        assert told.keys() <= values.keys()
        self._check(told)
        self.told.append(told)
        values |= {number: -(-value // 64) * 64 for number, value in told.items()} if values is self.rings else told
        return None

    def _check(self, told: Mapping[int, int]) -> None:
        """As drivers/net/ethernet/intel/ice/ice_ethtool.c `ice_set_rc_coalesce` has it."""
        is_adaptive = told.get(self.USE_ADAPTIVE_RX, self.coalescing[self.USE_ADAPTIVE_RX])
        if is_adaptive and told.get(self.RX_USECS, self.coalescing[self.RX_USECS]) != self.coalescing[self.RX_USECS]:
            raise NetlinkError(errno.EINVAL, "Invalid argument")
        if told.get(self.USE_ADAPTIVE_RX) == self.broken_switch:
            raise NetlinkError(errno.EIO, "Input/output error")

    def _reply(self, command: int, values: Mapping[int, int], *, is_coalescing: bool) -> bytes:
        wide = {
            number: value.to_bytes(1 if is_coalescing and number in self.ONE_BYTE else 4, "little")
            for number, value in values.items()
        }
        body = b"".join(_attribute(number, value) for number, value in wide.items())
        return struct.pack("=IHHIIBBH", _HEADER_BYTES + len(body), 21, 0, 255, 0, command, 1, 0) + body


class _Socket:
    """As far as ethtool_netlink uses one."""

    prid = 21

    def __init__(self, card: Card) -> None:
        self._card = card

    def bind(self, family: str, message: type[Any]) -> None:
        assert family == "ethtool"
        self._message = message

    def nlm_request(self, message: Any, number: int, flags: int) -> tuple[Any, ...]:
        message["header"]["type"], message["header"]["flags"] = number, flags
        message.encode()
        answer = self._card.answer(bytes(message.data))
        if answer is None:
            return ()
        reply = self._message(answer)
        reply.decode()
        return (reply,)

    def close(self) -> None:
        pass


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while data:
        length, number = struct.unpack_from("=HH", data)
        assert number not in found
        found[number] = data[4:length]
        data = data[length + 3 & ~3 :]
    return found


def _attribute(number: int, value: bytes) -> bytes:
    return (struct.pack("=HH", 4 + len(value), number) + value).ljust(4 + len(value) + 3 & ~3, b"\0")
