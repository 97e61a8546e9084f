"""The values of STUN attributes that are not plain bytes: addresses and error codes (RFC 8489 section 14)."""

import functools
import ipaddress
import struct
from typing import Final

from gateway.errors import MisuseError, WireError

_IPV4: Final = 0x01
_IPV6: Final = 0x02
_COOKIE: Final = b"\x21\x12\xa4\x42"

MAX_REMEMBERED_HOSTS: Final = 4096
"""Parsed hosts that are kept: a peer asks every few seconds, always from the same address."""

_SIZES_BYTES: Final = {_IPV4: 8, _IPV6: 20}
"""Family on the wire -> bytes of the whole value."""


def pack_xor_address(host: str, port: int, transaction_id: bytes) -> bytes:
    """XOR-MAPPED-ADDRESS of a literal IPv4 or IPv6 address; a v4-mapped one is packed as the IPv4 it stands for.

    A dual-stack socket reports IPv4 peers as ::ffff:a.b.c.d, but the peer knows itself as a.b.c.d. Raises MisuseError
    for what is no literal address.
    """
    family, address = _parse_host(host)
    mask = _COOKIE + transaction_id
    port_bytes = port.to_bytes(2, "big")
    return bytes((0, family)) + _xor(port_bytes, mask) + _xor(address, mask)


def parse_xor_address(value: bytes, transaction_id: bytes) -> tuple[str, int]:
    """`(host, port)`. Raises WireError for an unknown family or a value that is not as long as its family says."""
    if len(value) < 4 or value[1] not in _SIZES_BYTES:
        raise WireError("STUN address is short or of an unknown family")
    size_bytes = _SIZES_BYTES[value[1]]
    if len(value) != size_bytes:
        raise WireError(f"STUN address is {len(value)} bytes, not {size_bytes}")
    mask = _COOKIE + transaction_id
    host = str(ipaddress.ip_address(_xor(value[4:], mask)))
    return host, int.from_bytes(_xor(value[2:4], mask), "big")


def pack_error_code(code: int, reason: str) -> bytes:
    """ERROR-CODE. Raises MisuseError for a code outside 300..699."""
    if not 300 <= code <= 699:
        raise MisuseError(f"STUN error code {code} is outside 300..699")
    return struct.pack("!HBB", 0, code // 100, code % 100) + reason.encode()


def parse_error_code(value: bytes) -> tuple[int, str]:
    """`(code, reason)`. Raises WireError for a short value, a class outside 3..6 or a number above 99."""
    if len(value) < 4:
        raise WireError(f"STUN ERROR-CODE is {len(value)} bytes, shorter than 4")
    hundreds, number = value[2] & 0x07, value[3]  # the 21 bits before the class are reserved
    if not 3 <= hundreds <= 6 or number > 99:
        raise WireError(f"STUN ERROR-CODE of class {hundreds}, number {number}")
    return hundreds * 100 + number, value[4:].decode(errors="replace")


@functools.lru_cache(MAX_REMEMBERED_HOSTS)
def _parse_host(host: str) -> tuple[int, bytes]:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        raise MisuseError(f"{host!r} is no literal IP address") from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return (_IPV4 if address.version == 4 else _IPV6), address.packed


def _xor(value: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ key for byte, key in zip(value, mask, strict=False))
