"""RTCP sender and receiver reports, source description and goodbye (RFC 3550 section 6).

Each `parse_*` takes the header's 5-bit count and the body after the 4-byte header; each `pack_*` returns the same pair.
"""

import struct
from dataclasses import dataclass

from gateway.errors import MisuseError, WireError

_SSRC_BYTES = 4
_REPORT_BYTES = 24
_SENDER_INFO_BYTES = 24
_SDES_END = 0
_SDES_CNAME = 1

_unpack_ssrc = struct.Struct("!I").unpack_from
_REPORT = struct.Struct("!IIIIII")
_SENDER_INFO = struct.Struct("!IQIII")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one source (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Since the last report, in 1/256."""
    packets_lost: int
    """Since the start, signed 24 bits: duplicates make it negative."""
    highest_sequence_number: int
    """Extended: the low 16 bits are the sequence number, the high 16 the cycles."""
    jitter_rtp_ticks: int
    last_sr: int
    """Middle 32 bits of the NTP timestamp of the last sender report, 0 when none came."""
    delay_since_last_sr: int
    """In 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """RFC 3550 section 6.4.1."""

    ssrc: int
    ntp_timestamp: int
    """UQ32.32 seconds since 1900."""
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RFC 3550 section 6.4.2."""

    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """RFC 3550 section 6.5. Of each chunk only CNAME is kept, "" where there is none."""

    chunks: tuple[tuple[int, str], ...]
    """`(ssrc, cname)`."""


@dataclass(frozen=True, slots=True)
class Bye:
    """RFC 3550 section 6.6."""

    ssrcs: tuple[int, ...]
    reason: str = ""


def parse_sender_report(count: int, body: bytes) -> SenderReport:
    if len(body) < _SENDER_INFO_BYTES:
        raise WireError("RTCP sender report is short")
    ssrc, ntp_timestamp, rtp_timestamp, packet_count, octet_count = _SENDER_INFO.unpack_from(body)
    reports = _parse_reports(count, body, _SENDER_INFO_BYTES)
    return SenderReport(ssrc, ntp_timestamp, rtp_timestamp, packet_count, octet_count, reports)


def pack_sender_report(packet: SenderReport) -> tuple[int, bytes]:
    info = _SENDER_INFO.pack(
        packet.ssrc, packet.ntp_timestamp, packet.rtp_timestamp, packet.packet_count, packet.octet_count
    )
    return len(packet.reports), info + b"".join(map(_pack_report, packet.reports))


def parse_receiver_report(count: int, body: bytes) -> ReceiverReport:
    if len(body) < _SSRC_BYTES:
        raise WireError("RTCP receiver report is short")
    return ReceiverReport(_unpack_ssrc(body)[0], _parse_reports(count, body, _SSRC_BYTES))


def pack_receiver_report(packet: ReceiverReport) -> tuple[int, bytes]:
    return len(packet.reports), packet.ssrc.to_bytes(4, "big") + b"".join(map(_pack_report, packet.reports))


def _parse_reports(count: int, body: bytes, offset: int) -> tuple[ReportBlock, ...]:
    """What follows the last block is a profile's extension, and ignored."""
    end = offset + count * _REPORT_BYTES
    if end > len(body):
        raise WireError(f"RTCP report has fewer than its {count} blocks")
    return tuple(_parse_report(body, start) for start in range(offset, end, _REPORT_BYTES))


def _parse_report(body: bytes, offset: int) -> ReportBlock:
    ssrc, loss, highest, jitter, last_sr, delay = _REPORT.unpack_from(body, offset)
    packets_lost = ((loss + 0x80_0000) & 0xFF_FFFF) - 0x80_0000
    return ReportBlock(ssrc, loss >> 24, packets_lost, highest, jitter, last_sr, delay)


def _pack_report(report: ReportBlock) -> bytes:
    return _REPORT.pack(
        report.ssrc,
        report.fraction_lost << 24 | report.packets_lost & 0xFF_FFFF,
        report.highest_sequence_number,
        report.jitter_rtp_ticks,
        report.last_sr,
        report.delay_since_last_sr,
    )


def parse_source_description(count: int, body: bytes) -> SourceDescription:
    chunks = []
    offset = 0
    for _ in range(count):
        if offset + _SSRC_BYTES > len(body):
            raise WireError(f"RTCP source description has fewer than its {count} chunks")
        (ssrc,) = _unpack_ssrc(body, offset)
        cname, offset = _parse_items(body, offset + _SSRC_BYTES)
        chunks.append((ssrc, cname))
    if offset != len(body):
        raise WireError(f"RTCP source description has more than its {count} chunks")
    return SourceDescription(tuple(chunks))


def _parse_items(body: bytes, offset: int) -> tuple[str, int]:
    """The CNAME of one chunk, and where the next chunk starts: at the 32-bit boundary after the null item."""
    cname = ""
    while offset < len(body):
        item_type = body[offset]
        if item_type == _SDES_END:
            return cname, _checked_end(body, (offset + 4) & ~3)
        text, offset = _parse_text(body, offset + 1)
        if item_type == _SDES_CNAME:
            cname = text
    raise WireError("RTCP source description chunk does not end")


def _checked_end(body: bytes, end: int) -> int:
    if end > len(body):
        raise WireError("RTCP source description chunk is not padded to 32 bits")
    return end


def _parse_text(body: bytes, offset: int) -> tuple[str, int]:
    """The text behind the length byte at `offset`, and the offset after it. What is not UTF-8 is replaced."""
    end = offset + 1 + body[offset] if offset < len(body) else offset + 1
    if end > len(body):
        raise WireError("RTCP text is past the end")
    return body[offset + 1 : end].decode(errors="replace"), end


def _pack_text(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) > 255:
        raise MisuseError(f"RTCP text of {len(encoded)} bytes is longer than 255")
    return bytes((len(encoded),)) + encoded


def pack_source_description(packet: SourceDescription) -> tuple[int, bytes]:
    return len(packet.chunks), b"".join(_pack_chunk(ssrc, cname) for ssrc, cname in packet.chunks)


def _pack_chunk(ssrc: int, cname: str) -> bytes:
    chunk = ssrc.to_bytes(4, "big") + bytes((_SDES_CNAME,)) + _pack_text(cname)
    return chunk + bytes(4 - len(chunk) % 4)  # at least the null item that ends the chunk


def parse_bye(count: int, body: bytes) -> Bye:
    end = count * _SSRC_BYTES
    if end > len(body):
        raise WireError(f"RTCP goodbye has fewer than its {count} SSRCs")
    reason = _parse_text(body, end)[0] if end < len(body) else ""
    return Bye(struct.unpack_from(f"!{count}I", body), reason)


def pack_bye(packet: Bye) -> tuple[int, bytes]:
    body = struct.pack(f"!{len(packet.ssrcs)}I", *packet.ssrcs)
    if packet.reason:
        body += _pack_text(packet.reason)
    return len(packet.ssrcs), body + bytes(-len(body) % 4)
