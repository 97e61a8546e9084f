"""RTCP extended reports (RFC 3611): the receiver's reference time and DLRR, its answer, give a viewer the RTT.

`parse_extended_report` takes the body after the 4-byte RTCP header; `pack_extended_report` returns it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.errors import MisuseError, WireError

_RECEIVER_REFERENCE_TIME = 4
_DLRR = 5

_SSRC_BYTES = 4
_BLOCK_HEADER = struct.Struct("!BBH")
_DLRR_REPORT = struct.Struct("!III")


@dataclass(frozen=True, slots=True)
class ReceiverReferenceTime:
    """RFC 3611 section 4.4."""

    ntp_timestamp: int
    """UQ32.32 seconds since 1900."""


@dataclass(frozen=True, slots=True)
class DlrrReport:
    """RFC 3611 section 4.5."""

    ssrc: int
    """The receiver whose reference time this answers."""
    last_rr: int
    """Middle 32 bits of that reference time."""
    delay_since_last_rr: int
    """In 1/65536 s."""


@dataclass(frozen=True, slots=True)
class Dlrr:
    """RFC 3611 section 4.5."""

    reports: tuple[DlrrReport, ...]


@dataclass(frozen=True, slots=True)
class UnknownBlock:
    """A block that the gateway has no use for, kept as it came."""

    block_type: int
    type_specific: int
    body: bytes


XrBlock = ReceiverReferenceTime | Dlrr | UnknownBlock


@dataclass(frozen=True, slots=True)
class ExtendedReport:
    """RFC 3611 section 2."""

    ssrc: int
    blocks: tuple[XrBlock, ...]


def parse_extended_report(body: bytes) -> ExtendedReport:
    if len(body) < _SSRC_BYTES:
        raise WireError("RTCP extended report is short")
    return ExtendedReport(int.from_bytes(body[:_SSRC_BYTES], "big"), tuple(_parse_blocks(body, _SSRC_BYTES)))


def _parse_blocks(body: bytes, offset: int) -> Iterator[XrBlock]:
    while offset < len(body):
        start = offset + _BLOCK_HEADER.size
        if start > len(body):
            raise WireError("RTCP extended report block is short")
        block_type, type_specific, words = _BLOCK_HEADER.unpack_from(body, offset)
        offset = start + 4 * words
        if offset > len(body):
            raise WireError("RTCP extended report block is past the end")
        yield _parse_block(block_type, type_specific, body[start:offset])


def _parse_block(block_type: int, type_specific: int, content: bytes) -> XrBlock:
    if block_type == _RECEIVER_REFERENCE_TIME:
        if len(content) != 8:
            raise WireError(f"RTCP receiver reference time is {len(content)} bytes, not 8")
        return ReceiverReferenceTime(int.from_bytes(content, "big"))
    if block_type == _DLRR:
        if len(content) % _DLRR_REPORT.size:
            raise WireError(f"RTCP DLRR is {len(content)} bytes, no multiple of 12")
        return Dlrr(tuple(DlrrReport(*report) for report in _DLRR_REPORT.iter_unpack(content)))
    return UnknownBlock(block_type, type_specific, content)


def pack_extended_report(packet: ExtendedReport) -> bytes:
    return packet.ssrc.to_bytes(4, "big") + b"".join(map(_pack_block, packet.blocks))


def _pack_block(block: XrBlock) -> bytes:
    block_type, type_specific, content = _block_content(block)
    if len(content) % 4:
        raise MisuseError(f"RTCP extended report block of {len(content)} bytes is no multiple of 4")
    return _BLOCK_HEADER.pack(block_type, type_specific, len(content) // 4) + content


def _block_content(block: XrBlock) -> tuple[int, int, bytes]:
    match block:
        case ReceiverReferenceTime(ntp_timestamp):
            return _RECEIVER_REFERENCE_TIME, 0, ntp_timestamp.to_bytes(8, "big")
        case Dlrr(reports):
            return _DLRR, 0, b"".join(_DLRR_REPORT.pack(r.ssrc, r.last_rr, r.delay_since_last_rr) for r in reports)
        case UnknownBlock(block_type, type_specific, body):
            return block_type, type_specific, body
