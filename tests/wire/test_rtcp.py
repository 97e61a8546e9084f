"""RTCP compounds: framing, every kind of packet in one datagram, captured compounds, aiortc, and garbage."""

import struct
from contextlib import suppress

import aiortc.rtp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MisuseError, WireError
from gateway.wire.rtcp import (
    MAX_PACKETS_IN_COMPOUND,
    Bye,
    Dlrr,
    DlrrReport,
    ExtendedReport,
    FullIntraRequest,
    GenericNack,
    PictureLossIndication,
    ReceiverReferenceTime,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    TransportFeedback,
    UnknownBlock,
    UnknownPacket,
    parse_compound,
    serialize_compound,
)
from tests.wire.vectors import read_vector

EMPTY_RECEIVER_REPORT = bytes.fromhex("80c90001 00000001")

EVERY_KIND: list[RtcpPacket] = [
    SenderReport(1, 2**63 + 5, 3, 4, 5, (ReportBlock(6, 7, -8, 9, 10, 11, 12),)),
    ReceiverReport(13, (ReportBlock(14, 255, 15, 2**32 - 1, 16, 17, 18),)),
    SourceDescription(((19, "table"),)),
    GenericNack(20, 21, (65535, 0, 22)),
    TransportFeedback(23, 24, 65535, 255, -1, (25, None, -26)),
    PictureLossIndication(27, 28),
    FullIntraRequest(29, ((30, 31),)),
    ExtendedReport(32, (ReceiverReferenceTime(33), Dlrr((DlrrReport(34, 35, 36),)), UnknownBlock(37, 38, b"four"))),
    UnknownPacket(204, 31, b"APP "),
    Bye((39, 40), "closing time"),
]


def test_compound_of_every_kind_survives_the_round_trip() -> None:
    datagram = serialize_compound(EVERY_KIND)
    assert parse_compound(datagram) == EVERY_KIND
    assert serialize_compound(parse_compound(datagram)) == datagram


@pytest.mark.parametrize("name", ["chromium_sender_report_remb", "chromium_receiver_report_nack_xr"])
def test_chromium_compound_is_written_as_it_was_read(name: str) -> None:
    datagram = read_vector(name)
    assert serialize_compound(parse_compound(datagram)) == datagram


def test_chromium_sender_report_has_its_values() -> None:
    report, description, estimate = parse_compound(read_vector("chromium_sender_report_remb"))
    assert report == SenderReport(2541009271, 17198019018248640436, 805344501, 185, 141361)
    assert description == SourceDescription(((2541009271, "W8HRh6/d8ebwyRry"),))
    assert isinstance(estimate, UnknownPacket)
    assert (estimate.packet_type, estimate.count, estimate.body[8:12]) == (206, 15, b"REMB")


def test_chromium_receiver_report_has_its_values() -> None:
    report, nack, extended = parse_compound(read_vector("chromium_receiver_report_nack_xr"))
    assert report == ReceiverReport(
        2167791495,
        (
            ReportBlock(2674148418, 0, 0, 3314, 0, 2740231359, 585),
            ReportBlock(1577277549, 36, 1, 32581, 32, 2740231359, 585),
        ),
    )
    assert nack == GenericNack(2167791495, 1577277549, (32582,))
    assert extended == ExtendedReport(2167791495, (ReceiverReferenceTime(17198019185990009815),))


def test_padding_of_a_multiple_of_4_is_taken_off() -> None:
    padded = bytes.fromhex("a0c90002 00000001 00000004")
    assert parse_compound(padded) == [ReceiverReport(1)]


def test_padding_of_one_byte_is_taken_off() -> None:
    assert parse_compound(bytes.fromhex("a1cc0001 61626301")) == [UnknownPacket(204, 1, b"abc")]


def test_packet_without_a_body_ends_a_compound() -> None:
    assert parse_compound(EMPTY_RECEIVER_REPORT + bytes.fromhex("80cb0000")) == [ReceiverReport(1), Bye(())]


def test_padding_of_chromium_is_taken_off_in_the_middle_of_a_compound() -> None:
    feedback = read_vector("chromium_transport_feedback_lost")
    first, second = parse_compound(feedback + EMPTY_RECEIVER_REPORT)
    assert isinstance(first, TransportFeedback)
    assert second == ReceiverReport(1)


BAD_COMPOUNDS = {
    "empty": b"",
    "header cut": b"\x80\xc9\x00",
    "version 0": b"\x00" + EMPTY_RECEIVER_REPORT[1:],
    "version 1": b"\x40" + EMPTY_RECEIVER_REPORT[1:],
    "version 3": b"\xc0" + EMPTY_RECEIVER_REPORT[1:],
    "body cut": EMPTY_RECEIVER_REPORT[:-1],
    "second header cut": EMPTY_RECEIVER_REPORT + b"\x80\xc9",
    "second body cut": EMPTY_RECEIVER_REPORT * 2 + b"\x80\xc9\x00\x01",
    "second version wrong": EMPTY_RECEIVER_REPORT + b"\x00" + EMPTY_RECEIVER_REPORT[1:],
    "padding of nothing": bytes.fromhex("a0c90000"),
    "padding of 0": bytes.fromhex("a0c90002 00000001 00000000"),
    "padding larger than the body": bytes.fromhex("a0c90002 00000001 00000009"),
    "padding into the packet": bytes.fromhex("a0c90002 00000001 00000005"),
    "too many packets": EMPTY_RECEIVER_REPORT * (MAX_PACKETS_IN_COMPOUND + 1),
}


@pytest.mark.parametrize("datagram", BAD_COMPOUNDS.values(), ids=BAD_COMPOUNDS.keys())
def test_parse_compound_refuses(datagram: bytes) -> None:
    with pytest.raises(WireError):
        parse_compound(datagram)


def test_parse_compound_takes_as_many_packets_as_are_allowed() -> None:
    assert len(parse_compound(EMPTY_RECEIVER_REPORT * MAX_PACKETS_IN_COMPOUND)) == MAX_PACKETS_IN_COMPOUND


def test_every_truncation_of_a_compound_is_refused_or_ends_at_a_packet() -> None:
    whole = serialize_compound(EVERY_KIND)
    ends = {len(serialize_compound(EVERY_KIND[:count])) for count in range(1, len(EVERY_KIND))}
    for size_bytes in range(len(whole)):
        if size_bytes in ends:
            parse_compound(whole[:size_bytes])
            continue
        with pytest.raises(WireError):
            parse_compound(whole[:size_bytes])


@pytest.mark.parametrize(
    "packet",
    [
        UnknownPacket(204, 32, b""),
        UnknownPacket(204, 0, b"abc"),
        ReceiverReport(1, (ReportBlock(1, 2, 3, 4, 5, 6, 7),) * 32),
        SourceDescription(((1, "x" * 256),)),
        Bye((1,), "x" * 256),
        ExtendedReport(1, (UnknownBlock(1, 2, b"abc"),)),
    ],
)
def test_serialize_compound_refuses(packet: RtcpPacket) -> None:
    with pytest.raises(MisuseError):
        serialize_compound([packet])


def test_aiortc_reads_what_is_written() -> None:
    compound = serialize_compound([*EVERY_KIND[:2], GenericNack(20, 21, (5, 6, 22)), PictureLossIndication(27, 28)])
    sender, receiver, nack, loss = aiortc.rtp.RtcpPacket.parse(compound)
    assert isinstance(sender, aiortc.rtp.RtcpSrPacket)
    assert (sender.sender_info.packet_count, sender.reports[0].packets_lost) == (4, -8)
    assert isinstance(receiver, aiortc.rtp.RtcpRrPacket)
    assert receiver.reports[0].highest_sequence == 2**32 - 1
    assert isinstance(nack, aiortc.rtp.RtcpRtpfbPacket)
    assert nack.lost == [5, 6, 22]
    assert isinstance(loss, aiortc.rtp.RtcpPsfbPacket)
    assert (loss.fmt, loss.media_ssrc) == (1, 28)


uint5 = st.integers(0, 31)
packet_types = st.sampled_from((200, 201, 202, 203, 205, 206, 207)) | st.integers(192, 223)


@st.composite
def framed_garbage(draw: st.DrawFn) -> bytes:
    """A packet whose header is right and whose body is anything."""
    body = draw(st.binary(max_size=64))
    body = body[: len(body) & ~3]
    first = draw(st.sampled_from((0x80, 0xA0))) | draw(uint5 | st.sampled_from((1, 4, 15)))
    return struct.pack("!BBH", first, draw(packet_types), len(body) // 4) + body


@given(st.binary(max_size=100) | st.lists(framed_garbage(), min_size=1, max_size=4).map(b"".join))
def test_parse_compound_of_garbage_raises_nothing_else(datagram: bytes) -> None:
    with suppress(WireError):
        parse_compound(datagram)


@given(framed_garbage())
def test_whatever_parses_is_written_and_parses_to_the_same(datagram: bytes) -> None:
    with suppress(WireError):
        packets = parse_compound(datagram)
        if not any(isinstance(packet, UnknownPacket) and len(packet.body) % 4 for packet in packets):
            assert parse_compound(serialize_compound(packets)) == packets
