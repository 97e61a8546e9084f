"""Header extension elements in both forms of RFC 8285, and the values that have a type."""

from contextlib import suppress

import pytest
from aiortc.rtp import unpack_header_extensions
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MisuseError, WireError
from gateway.wire.header_extensions import (
    ONE_BYTE_PROFILE,
    TWO_BYTE_PROFILE,
    AbsCaptureTime,
    pack_playout_delay,
    parse_abs_capture_time,
    parse_extensions,
    parse_playout_delay,
    serialize_extensions,
)


def test_one_byte_form_of_rfc_8285_section_4_2() -> None:
    """The figure of the section: three elements, with padding between them."""
    body = bytes.fromhex("10aa 21bbbb 00 00 33cccccccc")
    assert parse_extensions(ONE_BYTE_PROFILE, body) == {1: b"\xaa", 2: b"\xbb\xbb", 3: b"\xcc\xcc\xcc\xcc"}


def test_two_byte_form_of_rfc_8285_section_4_3() -> None:
    """The figure of the section: an empty element, one of one byte, padding, one of four bytes."""
    body = bytes.fromhex("0100 0201bb 00 0304cccccccc 00")
    assert parse_extensions(0x1000, body) == {1: b"", 2: b"\xbb", 3: b"\xcc\xcc\xcc\xcc"}


def test_two_byte_form_with_appbits() -> None:
    assert parse_extensions(0x100F, b"\x01\x01a\x00") == {1: b"a"}


def test_elements_of_a_chromium_packet() -> None:
    assert parse_extensions(0xBEDE, bytes.fromhex("22a23c0c90300000")) == {2: b"\xa2\x3c\x0c", 9: b"0"}


@pytest.mark.parametrize(
    "terminator", [b"\xf0", b"\xff", b"\x03"], ids=["id 15", "id 15 with a length", "id 0 with a length"]
)
def test_one_byte_form_stops_at_a_terminator(terminator: bytes) -> None:
    assert parse_extensions(ONE_BYTE_PROFILE, b"\x10a" + terminator + b"\x20b") == {1: b"a"}


@pytest.mark.parametrize("profile", [0, 0x0FFF, 0x1010, 0xBEDD])
def test_other_profiles_hold_no_elements(profile: int) -> None:
    assert parse_extensions(profile, b"\x10abc") == {}


@pytest.mark.parametrize(
    ("profile", "body"),
    [
        (ONE_BYTE_PROFILE, b"\x10"),
        (ONE_BYTE_PROFILE, b"\x13abc"),
        (ONE_BYTE_PROFILE, b"\x10a\x2fbcdef"),
        (TWO_BYTE_PROFILE, b"\x01"),
        (TWO_BYTE_PROFILE, b"\x01\x01"),
        (TWO_BYTE_PROFILE, b"\x01\xffabc"),
        (TWO_BYTE_PROFILE, b"\x01\x01a\x02"),
    ],
)
def test_parse_extensions_refuses_an_element_past_the_end(profile: int, body: bytes) -> None:
    with pytest.raises(WireError):
        parse_extensions(profile, body)


one_byte_elements = st.dictionaries(st.integers(1, 14), st.binary(min_size=1, max_size=16), min_size=1)
any_elements = st.dictionaries(st.integers(1, 255), st.binary(max_size=255), min_size=1, max_size=6)


def split_block(block: bytes) -> tuple[int, bytes]:
    profile, words = int.from_bytes(block[:2], "big"), int.from_bytes(block[2:4], "big")
    assert len(block) == 4 + 4 * words
    return profile, block[4:]


@given(one_byte_elements)
def test_small_elements_survive_the_one_byte_form(elements: dict[int, bytes]) -> None:
    profile, body = split_block(serialize_extensions(list(elements.items())))
    assert profile == ONE_BYTE_PROFILE
    assert parse_extensions(profile, body) == elements


@given(any_elements)
def test_elements_survive_the_round_trip(elements: dict[int, bytes]) -> None:
    profile, body = split_block(serialize_extensions(list(elements.items())))
    assert parse_extensions(profile, body) == elements
    assert dict(unpack_header_extensions(profile, body)) == elements


@pytest.mark.parametrize(
    ("element", "profile"),
    [
        ((14, bytes(16)), ONE_BYTE_PROFILE),
        ((15, b"a"), TWO_BYTE_PROFILE),
        ((1, b""), TWO_BYTE_PROFILE),
        ((1, bytes(17)), TWO_BYTE_PROFILE),
    ],
)
def test_serialize_extensions_chooses_the_form(element: tuple[int, bytes], profile: int) -> None:
    assert split_block(serialize_extensions([(2, b"b"), element]))[0] == profile


def test_serialize_extensions_of_nothing() -> None:
    assert serialize_extensions([]) == b""


@pytest.mark.parametrize("element", [(0, b"a"), (256, b"a"), (-1, b"a"), (1, bytes(256))])
def test_serialize_extensions_refuses(element: tuple[int, bytes]) -> None:
    with pytest.raises(MisuseError):
        serialize_extensions([element])


@given(profile=st.sampled_from((ONE_BYTE_PROFILE, TWO_BYTE_PROFILE, 0x1003)), body=st.binary(max_size=80))
def test_parse_extensions_of_garbage_raises_nothing_else(profile: int, body: bytes) -> None:
    with suppress(WireError):
        parse_extensions(profile, body)


@pytest.mark.parametrize(
    ("min_ms", "max_ms", "value"),
    [
        (0, 0, b"\x00\x00\x00"),
        (10, 20, b"\x00\x10\x02"),
        (40950, 40950, b"\xff\xff\xff"),
        (0, 400, b"\x00\x00\x28"),
    ],
)
def test_playout_delay_counts_10_ms(min_ms: int, max_ms: int, value: bytes) -> None:
    assert pack_playout_delay(min_ms, max_ms) == value
    assert parse_playout_delay(value) == (min_ms, max_ms)


@pytest.mark.parametrize(("min_ms", "max_ms"), [(-10, 0), (20, 10), (0, 40960)])
def test_pack_playout_delay_refuses(min_ms: int, max_ms: int) -> None:
    with pytest.raises(MisuseError):
        pack_playout_delay(min_ms, max_ms)


@pytest.mark.parametrize("value", [b"", bytes(2), bytes(4)])
def test_parse_playout_delay_refuses(value: bytes) -> None:
    with pytest.raises(WireError):
        parse_playout_delay(value)


@given(st.integers(0, 2**64 - 1), st.none() | st.integers(-(2**63), 2**63 - 1))
def test_abs_capture_time_survives_the_round_trip(ntp_timestamp: int, clock_offset: int | None) -> None:
    value = AbsCaptureTime(ntp_timestamp, clock_offset)
    serialized = value.serialize()
    assert len(serialized) == (8 if clock_offset is None else 16)
    assert parse_abs_capture_time(serialized) == value


@pytest.mark.parametrize("value", [b"", bytes(7), bytes(9), bytes(15), bytes(17)])
def test_parse_abs_capture_time_refuses(value: bytes) -> None:
    with pytest.raises(WireError):
        parse_abs_capture_time(value)
