"""RTCP compound packets (RFC 3550 section 6.1, RFC 5506): the framing, and the table of what is inside.

The packets themselves are in `rtcp_reports`, `rtcp_feedback`, `rtcp_xr` and `twcc`, and all importable from here.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gateway.errors import MisuseError, WireError
from gateway.wire.rtcp_feedback import FullIntraRequest as FullIntraRequest
from gateway.wire.rtcp_feedback import GenericNack as GenericNack
from gateway.wire.rtcp_feedback import PictureLossIndication as PictureLossIndication
from gateway.wire.rtcp_feedback import (
    pack_full_intra_request,
    pack_generic_nack,
    pack_picture_loss_indication,
    parse_full_intra_request,
    parse_generic_nack,
    parse_picture_loss_indication,
)
from gateway.wire.rtcp_reports import Bye as Bye
from gateway.wire.rtcp_reports import ReceiverReport as ReceiverReport
from gateway.wire.rtcp_reports import ReportBlock as ReportBlock
from gateway.wire.rtcp_reports import SenderReport as SenderReport
from gateway.wire.rtcp_reports import SourceDescription as SourceDescription
from gateway.wire.rtcp_reports import (
    pack_bye,
    pack_receiver_report,
    pack_sender_report,
    pack_source_description,
    parse_bye,
    parse_receiver_report,
    parse_sender_report,
    parse_source_description,
)
from gateway.wire.rtcp_xr import Dlrr as Dlrr
from gateway.wire.rtcp_xr import DlrrReport as DlrrReport
from gateway.wire.rtcp_xr import ExtendedReport as ExtendedReport
from gateway.wire.rtcp_xr import ReceiverReferenceTime as ReceiverReferenceTime
from gateway.wire.rtcp_xr import UnknownBlock as UnknownBlock
from gateway.wire.rtcp_xr import pack_extended_report, parse_extended_report
from gateway.wire.twcc import TransportFeedback as TransportFeedback
from gateway.wire.twcc import pack_transport_feedback, parse_transport_feedback

MAX_PACKETS_IN_COMPOUND = 16
"""An SR, an SDES and feedback for every track are about ten; 1200 bytes of empty packets would be three hundred."""

_HEADER = struct.Struct("!BBH")
_VERSION_2 = 0x80
_PADDING = 0x20
_COUNT_MASK = 0x1F


@dataclass(frozen=True, slots=True)
class UnknownPacket:
    """A packet that the gateway has no use for (APP, REMB and so on), kept as it came, without its padding."""

    packet_type: int
    count: int
    """The header's 5 bits, which are `fmt` in feedback."""
    body: bytes


RtcpPacket = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Bye
    | GenericNack
    | TransportFeedback
    | PictureLossIndication
    | FullIntraRequest
    | ExtendedReport
    | UnknownPacket
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One row of the table: `parse` takes the header's count and the body, `pack` returns them."""

    packet_type: int
    fmt: int | None
    """The count that a feedback packet must have to be of this kind; None where the count counts."""
    packet: type
    parse: Callable[[int, bytes], RtcpPacket]
    pack: Callable[[Any], tuple[int, bytes]]


def _without_count(
    packet_type: int, fmt: int | None, packet: type, parse: Callable[[bytes], RtcpPacket], pack: Callable[[Any], bytes]
) -> _Kind:
    return _Kind(packet_type, fmt, packet, lambda _, body: parse(body), lambda value: (fmt or 0, pack(value)))


_KINDS = (
    _Kind(200, None, SenderReport, parse_sender_report, pack_sender_report),
    _Kind(201, None, ReceiverReport, parse_receiver_report, pack_receiver_report),
    _Kind(202, None, SourceDescription, parse_source_description, pack_source_description),
    _Kind(203, None, Bye, parse_bye, pack_bye),
    _without_count(205, 1, GenericNack, parse_generic_nack, pack_generic_nack),
    _without_count(205, 15, TransportFeedback, parse_transport_feedback, pack_transport_feedback),
    _without_count(206, 1, PictureLossIndication, parse_picture_loss_indication, pack_picture_loss_indication),
    _without_count(206, 4, FullIntraRequest, parse_full_intra_request, pack_full_intra_request),
    _without_count(207, None, ExtendedReport, parse_extended_report, pack_extended_report),
)
_BY_CODE = {(kind.packet_type, kind.fmt): kind for kind in _KINDS}
_BY_PACKET = {kind.packet: kind for kind in _KINDS}


def parse_compound(datagram: bytes) -> list[RtcpPacket]:
    """The packets of a decrypted RTCP datagram, at least one; reduced-size ones (RFC 5506) as well.

    Raises WireError for anything short, miscounted or past the end, another version, wrong padding, and more than
    MAX_PACKETS_IN_COMPOUND packets.
    """
    packets: list[RtcpPacket] = []
    offset = 0
    while offset < len(datagram) or not packets:
        if len(packets) == MAX_PACKETS_IN_COMPOUND:
            raise WireError(f"RTCP compound has more than {MAX_PACKETS_IN_COMPOUND} packets")
        packet, offset = _parse_packet(datagram, offset)
        packets.append(packet)
    return packets


def _parse_packet(datagram: bytes, offset: int) -> tuple[RtcpPacket, int]:
    """The packet at `offset`, and where the next one starts."""
    start = offset + _HEADER.size
    if start > len(datagram):
        raise WireError("RTCP header is short")
    first, packet_type, words = _HEADER.unpack_from(datagram, offset)
    if first & 0xC0 != _VERSION_2:
        raise WireError(f"RTCP version is {first >> 6}, not 2")
    end = start + 4 * words
    if end > len(datagram):
        raise WireError(f"RTCP packet of type {packet_type} is past the end")
    body = datagram[start:end]
    if first & _PADDING:
        body = _strip_padding(body)
    return _parse_body(packet_type, first & _COUNT_MASK, body), end


def _strip_padding(body: bytes) -> bytes:
    """RFC 3550 pads the last packet of a compound by a multiple of 4; libwebrtc pads any feedback by 1 to 3."""
    padding_bytes = body[-1] if body else 0
    if not 0 < padding_bytes <= len(body):
        raise WireError(f"RTCP padding of {padding_bytes} bytes in a body of {len(body)}")
    return body[:-padding_bytes]


def _parse_body(packet_type: int, count: int, body: bytes) -> RtcpPacket:
    kind = _BY_CODE.get((packet_type, None)) or _BY_CODE.get((packet_type, count))
    if kind is None:
        return UnknownPacket(packet_type, count, body)
    return kind.parse(count, body)


def serialize_compound(packets: Iterable[RtcpPacket]) -> bytes:
    """The datagram to encrypt. Raises MisuseError for what no RTCP packet can hold."""
    return b"".join(map(_serialize_packet, packets))


def _serialize_packet(packet: RtcpPacket) -> bytes:
    if isinstance(packet, UnknownPacket):
        packet_type, count, body = packet.packet_type, packet.count, packet.body
    else:
        kind = _BY_PACKET[type(packet)]
        packet_type, (count, body) = kind.packet_type, kind.pack(packet)
    if count > _COUNT_MASK or len(body) % 4:
        raise MisuseError(f"RTCP packet of type {packet_type} with a count of {count} and {len(body)} bytes")
    return _HEADER.pack(_VERSION_2 | count, packet_type, len(body) // 4) + body
