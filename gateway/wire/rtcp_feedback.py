"""RTCP feedback: generic NACK and PLI (RFC 4585 section 6), FIR (RFC 5104 section 4.3.1).

Each `parse_*` takes the body after the 4-byte RTCP header; each `pack_*` returns it. Transport-wide feedback is in
`twcc`.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.errors import WireError
from gateway.wire.serial import delta16

MAX_NACK_ENTRIES = 372
"""What fits into an Ethernet frame. An entry asks for up to 17 packets, so a NACK is work for the one who gets it."""

_SSRCS_BYTES = 8
_NACK_ENTRY_BYTES = 4
_FIR_ENTRY_BYTES = 8

_SSRCS = struct.Struct("!II")
_NACK_ENTRY = struct.Struct("!HH")
_FIR_ENTRY = struct.Struct("!IBxxx")


@dataclass(frozen=True, slots=True)
class GenericNack:
    """Packets that the receiver of `media_ssrc` misses, in the order of the wire."""

    sender_ssrc: int
    media_ssrc: int
    sequence_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PictureLossIndication:
    """The receiver of `media_ssrc` needs a keyframe."""

    sender_ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """A keyframe is asked of every SSRC in `entries`; the same number again is the same request."""

    sender_ssrc: int
    entries: tuple[tuple[int, int], ...]
    """`(ssrc, sequence_number)`, the latter 8 bits."""


def parse_ssrcs(body: bytes) -> tuple[int, int]:
    """`(sender_ssrc, media_ssrc)`, with which every feedback packet starts."""
    if len(body) < _SSRCS_BYTES:
        raise WireError("RTCP feedback is short")
    sender_ssrc, media_ssrc = _SSRCS.unpack_from(body)
    return sender_ssrc, media_ssrc


def parse_generic_nack(body: bytes) -> GenericNack:
    sender_ssrc, media_ssrc = parse_ssrcs(body)
    entries_bytes = len(body) - _SSRCS_BYTES
    if entries_bytes == 0 or entries_bytes % _NACK_ENTRY_BYTES:
        raise WireError(f"RTCP NACK has {entries_bytes} bytes of entries")
    if entries_bytes > MAX_NACK_ENTRIES * _NACK_ENTRY_BYTES:
        raise WireError(f"RTCP NACK has more than {MAX_NACK_ENTRIES} entries")
    return GenericNack(sender_ssrc, media_ssrc, tuple(_expand_nack_entries(body[_SSRCS_BYTES:])))


def _expand_nack_entries(entries: bytes) -> Iterator[int]:
    for packet_id, bitmask in _NACK_ENTRY.iter_unpack(entries):
        yield packet_id
        for bit in range(16):
            if bitmask >> bit & 1:
                yield (packet_id + bit + 1) & 0xFFFF


def pack_generic_nack(packet: GenericNack) -> bytes:
    """Neighbours share an entry, so numbers in ascending serial order make the shortest packet."""
    body = _SSRCS.pack(packet.sender_ssrc, packet.media_ssrc)
    return body + b"".join(_NACK_ENTRY.pack(*entry) for entry in _nack_entries(packet.sequence_numbers))


def _nack_entries(sequence_numbers: tuple[int, ...]) -> list[tuple[int, int]]:
    """`(packet_id, bitmask of the 16 that follow it)`."""
    entries: list[tuple[int, int]] = []
    for sequence_number in sequence_numbers:
        if entries:
            packet_id, bitmask = entries[-1]
            distance = delta16(sequence_number, packet_id)
            if 1 <= distance <= 16:
                entries[-1] = packet_id, bitmask | 1 << distance - 1
                continue
        entries.append((sequence_number, 0))
    return entries


def parse_picture_loss_indication(body: bytes) -> PictureLossIndication:
    if len(body) > _SSRCS_BYTES:
        raise WireError("RTCP PLI has an entry")
    return PictureLossIndication(*parse_ssrcs(body))


def pack_picture_loss_indication(packet: PictureLossIndication) -> bytes:
    return _SSRCS.pack(packet.sender_ssrc, packet.media_ssrc)


def parse_full_intra_request(body: bytes) -> FullIntraRequest:
    sender_ssrc, _ = parse_ssrcs(body)
    entries_bytes = len(body) - _SSRCS_BYTES
    if entries_bytes == 0 or entries_bytes % _FIR_ENTRY_BYTES:
        raise WireError(f"RTCP FIR has {entries_bytes} bytes of entries")
    return FullIntraRequest(sender_ssrc, tuple(_FIR_ENTRY.iter_unpack(body[_SSRCS_BYTES:])))


def pack_full_intra_request(packet: FullIntraRequest) -> bytes:
    """The media SSRC of the header is unused, and 0 (RFC 5104 section 4.3.1.2)."""
    return _SSRCS.pack(packet.sender_ssrc, 0) + b"".join(_FIR_ENTRY.pack(*entry) for entry in packet.entries)
