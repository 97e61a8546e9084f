"""An IP packet as captured: its marks, and whether its checksums are right."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import Enum

_EXTENSION_HEADERS = {socket.IPPROTO_HOPOPTS, socket.IPPROTO_ROUTING, socket.IPPROTO_DSTOPTS}
_CHECKSUM_AT = {socket.IPPROTO_UDP: 6, socket.IPPROTO_TCP: 16}


class Checksum(Enum):
    """Of UDP or TCP."""

    RIGHT = "right"
    PARTIAL = "partial"
    """The pseudo-header's alone, rightly: the network card is to add the rest."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Packet:
    """UDP or TCP. `checksum` and the ports are of the first fragment; a later one has port 0, and a fragment None."""

    version: int
    protocol: int
    dscp: int
    ecn: int
    length_bytes: int
    """Of the whole packet."""
    is_header_right: bool
    """IPv4's header checksum; IPv6 has none."""
    fragment_offset_bytes: int
    is_fragment: bool
    source_port: int
    port: int
    checksum: Checksum | None
    payload: bytes
    raw: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Packet | None:
        """None for what is neither UDP nor TCP."""
        return _ipv4(raw) if raw[0] >> 4 == 4 else _ipv6(raw)


def _ipv4(raw: bytes) -> Packet | None:
    tos, length, fragment, protocol = struct.unpack_from("!xBH2xHxB", raw)
    header = raw[: (raw[0] & 0xF) * 4]
    more, offset = bool(fragment & 0x2000), (fragment & 0x1FFF) * 8
    pseudo = raw[12:20]
    return _packet(4, protocol, tos, length, _sum(header) == 0xFFFF, more, offset, pseudo, len(header), raw)


def _ipv6(raw: bytes) -> Packet | None:
    word, payload_bytes, protocol = struct.unpack_from("!IHB", raw)
    at, length = 40, 40 + payload_bytes
    more, offset = False, 0
    while protocol in _EXTENSION_HEADERS or protocol == socket.IPPROTO_FRAGMENT:
        if protocol == socket.IPPROTO_FRAGMENT:
            (field,) = struct.unpack_from("!H", raw, at + 2)
            more, offset = bool(field & 1), field & 0xFFF8
            protocol, at = raw[at], at + 8
        else:
            protocol, at = raw[at], at + 8 + raw[at + 1] * 8
    return _packet(6, protocol, word >> 20 & 0xFF, length, True, more, offset, raw[8:40], at, raw)


def _packet(
    version: int,
    protocol: int,
    tos: int,
    length: int,
    is_header_right: bool,
    more: bool,
    offset: int,
    addresses: bytes,
    at: int,
    raw: bytes,
) -> Packet | None:
    if protocol not in _CHECKSUM_AT:
        return None
    segment = raw[at:length]
    is_fragment = more or offset > 0
    source_port, port = (0, 0) if offset else struct.unpack_from("!HH", segment)
    checksum = None if is_fragment else _checksum(protocol, addresses, segment)
    header_bytes = 0 if offset else 8 if protocol == socket.IPPROTO_UDP else (segment[12] >> 4) * 4
    return Packet(
        version,
        protocol,
        tos >> 2,
        tos & 3,
        length,
        is_header_right,
        offset,
        is_fragment,
        source_port,
        port,
        checksum,
        segment[header_bytes:],
        raw,
    )


def _checksum(protocol: int, addresses: bytes, segment: bytes) -> Checksum:
    pseudo = addresses + struct.pack("!II", len(segment), protocol)
    if _sum(pseudo + segment) == 0xFFFF:
        return Checksum.RIGHT
    (field,) = struct.unpack_from("!H", segment, _CHECKSUM_AT[protocol])
    return Checksum.PARTIAL if field == _sum(pseudo) else Checksum.WRONG


def _sum(content: bytes) -> int:
    """RFC 1071: the ones' complement sum, not yet complemented."""
    padded = content + b"\0" * (len(content) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total
