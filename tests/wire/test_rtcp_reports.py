"""Sender and receiver reports, source description, goodbye."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.rtcp_reports import (
    Bye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    pack_bye,
    pack_receiver_report,
    pack_sender_report,
    pack_source_description,
    parse_bye,
    parse_receiver_report,
    parse_sender_report,
    parse_source_description,
)

uint32 = st.integers(0, 2**32 - 1)
blocks = st.builds(
    ReportBlock, uint32, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), uint32, uint32, uint32, uint32
)
block_tuples = st.lists(blocks, max_size=31).map(tuple)
texts = st.text(st.characters(codec="utf-8"), max_size=60)


@given(st.builds(SenderReport, uint32, st.integers(0, 2**64 - 1), uint32, uint32, uint32, block_tuples))
def test_sender_report_survives_the_round_trip(report: SenderReport) -> None:
    assert parse_sender_report(*pack_sender_report(report)) == report


@given(st.builds(ReceiverReport, uint32, block_tuples))
def test_receiver_report_survives_the_round_trip(report: ReceiverReport) -> None:
    assert parse_receiver_report(*pack_receiver_report(report)) == report


def test_packets_lost_is_signed() -> None:
    body = struct.pack("!IIIIIII", 1, 2, 0x80FFFFFF, 0, 0, 0, 0)
    (block,) = parse_receiver_report(1, body).reports
    assert (block.fraction_lost, block.packets_lost) == (0x80, -1)


def test_extension_of_a_profile_is_ignored() -> None:
    count, body = pack_receiver_report(ReceiverReport(1, (ReportBlock(2, 3, 4, 5, 6, 7, 8),)))
    assert parse_receiver_report(count, body + b"more") == ReceiverReport(1, (ReportBlock(2, 3, 4, 5, 6, 7, 8),))


@pytest.mark.parametrize(("count", "size_bytes"), [(0, 0), (0, 20), (1, 24), (1, 44), (31, 24 + 30 * 24)])
def test_parse_sender_report_refuses(count: int, size_bytes: int) -> None:
    with pytest.raises(WireError):
        parse_sender_report(count, bytes(size_bytes))


@pytest.mark.parametrize(("count", "size_bytes"), [(0, 0), (0, 3), (1, 4), (1, 24), (2, 28)])
def test_parse_receiver_report_refuses(count: int, size_bytes: int) -> None:
    with pytest.raises(WireError):
        parse_receiver_report(count, bytes(size_bytes))


@given(st.lists(st.tuples(uint32, texts), max_size=31).map(tuple).map(SourceDescription))
def test_source_description_survives_the_round_trip(description: SourceDescription) -> None:
    count, body = pack_source_description(description)
    assert len(body) % 4 == 0
    assert parse_source_description(count, body) == description


def test_source_description_keeps_cname_among_other_items() -> None:
    body = bytes.fromhex("00000007") + b"\x02\x02ab" + b"\x01\x05table" + b"\x06\x01x" + b"\x00" * 2
    assert parse_source_description(1, body) == SourceDescription(((7, "table"),))


def test_source_description_without_cname_is_empty() -> None:
    assert parse_source_description(1, bytes(8)) == SourceDescription(((0, ""),))


def test_source_description_that_is_not_utf8_is_kept() -> None:
    body = bytes(4) + b"\x01\x01\xff\x00"
    assert parse_source_description(1, body) == SourceDescription(((0, "�"),))


@pytest.mark.parametrize(
    ("count", "body"),
    [
        (1, b""),
        (1, bytes(3)),
        (1, bytes(4)),
        (1, bytes(4) + b"\x01"),
        (1, bytes(4) + b"\x01\x07abcd\x00\x00"),
        (1, bytes(4) + b"\x01\x02ab"),
        (1, bytes(4) + b"\x01\x01a\x00\x00"),
        (1, bytes(4) + b"\x00\x00\x00"),
        (2, bytes(8)),
        (1, bytes(16)),
        (0, bytes(8)),
    ],
    ids=[
        "no chunk",
        "SSRC cut",
        "no end",
        "no length",
        "text past the end",
        "text without an end",
        "more than padding",
        "padding cut",
        "fewer chunks than counted",
        "more chunks than counted",
        "chunks counted as none",
    ],
)
def test_parse_source_description_refuses(count: int, body: bytes) -> None:
    with pytest.raises(WireError):
        parse_source_description(count, body)


@given(st.builds(Bye, st.lists(uint32, max_size=31).map(tuple), texts))
def test_bye_survives_the_round_trip(bye: Bye) -> None:
    count, body = pack_bye(bye)
    assert len(body) % 4 == 0
    assert parse_bye(count, body) == bye


def test_bye_with_the_longest_reason_survives_the_round_trip() -> None:
    bye = Bye((1,), "x" * 255)
    assert parse_bye(*pack_bye(bye)) == bye


@pytest.mark.parametrize(("count", "body"), [(1, b""), (2, bytes(4)), (1, bytes(4) + b"\x04abc"), (0, b"\xffabc")])
def test_parse_bye_refuses(count: int, body: bytes) -> None:
    with pytest.raises(WireError):
        parse_bye(count, body)
