"""RTP headers against captured packets, against aiortc, and against garbage."""

from contextlib import suppress

import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.rtp import (
    RtpHeader,
    pack_header,
    pack_rtx_payload,
    parse_header,
    strip_padding,
    unpack_rtx_payload,
)
from tests.wire.vectors import read_vector

uint16 = st.integers(0, 0xFFFF)
uint32 = st.integers(0, 0xFFFF_FFFF)
extension_blocks = st.tuples(uint16, st.integers(0, 8)).flatmap(
    lambda block: st.binary(min_size=4 * block[1], max_size=4 * block[1]).map(
        lambda body: block[0].to_bytes(2, "big") + block[1].to_bytes(2, "big") + body
    )
)


def test_parse_header_of_a_video_packet() -> None:
    datagram = read_vector("chromium_rtp_vp8_keyframe_start")
    assert parse_header(datagram) == RtpHeader(
        payload_type=96,
        marker=False,
        sequence_number=5431,
        timestamp=804890541,
        ssrc=2541009271,
        has_padding=False,
        extension_profile=0xBEDE,
        extension=bytes.fromhex("22a23c0c90300000"),
        length_bytes=24,
    )


def test_parse_header_of_a_padding_probe() -> None:
    header = parse_header(read_vector("chromium_rtp_padding_start"))
    assert (header.payload_type, header.has_padding, header.length_bytes) == (97, True, 24)


def test_parse_header_skips_csrcs() -> None:
    csrcs = bytes(range(12))
    header = parse_header(b"\x93\xe0" + pack_header(0, False, 7, 8, 9)[2:] + csrcs + b"\x00\x05\x00\x01abcdpayload")
    assert header.marker
    assert (header.extension_profile, header.extension, header.length_bytes) == (5, b"abcd", 32)


@given(
    payload_type=st.integers(0, 127),
    marker=st.booleans(),
    sequence_number=uint16,
    timestamp=uint32,
    ssrc=uint32,
    block=st.just(b"") | extension_blocks,
    has_padding=st.booleans(),
    payload=st.binary(max_size=20),
)
def test_header_survives_the_round_trip(
    payload_type: int,
    marker: bool,
    sequence_number: int,
    timestamp: int,
    ssrc: int,
    block: bytes,
    has_padding: bool,
    payload: bytes,
) -> None:
    packed = pack_header(payload_type, marker, sequence_number, timestamp, ssrc, block, has_padding)
    profile = int.from_bytes(block[:2], "big")
    assert parse_header(packed + payload) == RtpHeader(
        payload_type, marker, sequence_number, timestamp, ssrc, has_padding, profile, block[4:], len(packed)
    )


@given(sequence_number=uint16, timestamp=uint32, ssrc=uint32, marker=st.booleans(), payload=st.binary(max_size=50))
def test_header_is_what_aiortc_writes(
    sequence_number: int, timestamp: int, ssrc: int, marker: bool, payload: bytes
) -> None:
    theirs = RtpPacket(
        payload_type=111, marker=int(marker), sequence_number=sequence_number, timestamp=timestamp, ssrc=ssrc
    )
    theirs.payload = payload
    assert pack_header(111, marker, sequence_number, timestamp, ssrc) + payload == theirs.serialize()


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        bytes(11),
        b"\x80" + bytes(10),
        b"\x00" + bytes(11),
        b"\x40" + bytes(20),
        b"\xc0" + bytes(20),
        b"\x81" + bytes(11),
        b"\x8f" + bytes(70),
        b"\x90" + bytes(11),
        b"\x90" + bytes(14),
        b"\x90" + bytes(11) + b"\xbe\xde\x00\x01" + bytes(3),
        b"\x90" + bytes(11) + b"\xbe\xde\xff\xff" + bytes(1000),
    ],
    ids=[
        "empty",
        "short",
        "short of one byte",
        "version 0",
        "version 1",
        "version 3",
        "csrc past the end",
        "csrcs past the end",
        "no extension",
        "extension header cut",
        "extension cut",
        "extension past the end",
    ],
)
def test_parse_header_refuses(datagram: bytes) -> None:
    with pytest.raises(WireError):
        parse_header(datagram)


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda tail: b"\x95" + tail))
def test_parse_header_of_garbage_raises_nothing_else(datagram: bytes) -> None:
    with suppress(WireError):
        assert parse_header(datagram).length_bytes <= len(datagram)


@pytest.mark.parametrize(
    ("payload", "stripped"),
    [(b"frame\x01", b"frame"), (b"frame\x00\x00\x03", b"frame"), (bytes(254) + b"\xff", b"")],
)
def test_strip_padding_takes_the_counted_bytes(payload: bytes, stripped: bytes) -> None:
    assert strip_padding(payload) == stripped


@pytest.mark.parametrize("payload", [b"", b"\x00", b"frame\x00", b"\x02", b"frame\xff"])
def test_strip_padding_refuses(payload: bytes) -> None:
    with pytest.raises(WireError):
        strip_padding(payload)


@given(sequence_number=uint16, payload=st.binary(max_size=50))
def test_rtx_payload_survives_the_round_trip(sequence_number: int, payload: bytes) -> None:
    packed = pack_rtx_payload(sequence_number, payload)
    assert packed[2:] == payload
    assert unpack_rtx_payload(packed) == (sequence_number, payload)


@pytest.mark.parametrize("payload", [b"", b"\x01"])
def test_unpack_rtx_payload_refuses(payload: bytes) -> None:
    with pytest.raises(WireError):
        unpack_rtx_payload(payload)
