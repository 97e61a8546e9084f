"""STUN messages against RFC 5769, Chromium, aioice, and garbage."""

import struct
import zlib
from contextlib import suppress

import aioice.stun
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MisuseError, WireError
from gateway.wire import stun
from tests.wire.vectors import read_vector

RFC_KEY = b"VOkJxbRl1RmTxUk/WvJxBt"
CHROMIUM_KEY = b"vector0password0vector00"
TRANSACTION_ID = b"transaction1"


def header(length_bytes: int, message_type: int = stun.BINDING_REQUEST, cookie: int = stun.MAGIC_COOKIE) -> bytes:
    return struct.pack("!HHI", message_type, length_bytes, cookie) + TRANSACTION_ID


def message_of(body: bytes) -> bytes:
    return header(len(body)) + body


def with_fingerprint(body: bytes) -> bytes:
    covered = header(len(body) + 8) + body
    return covered + struct.pack("!HHI", stun.FINGERPRINT, 4, zlib.crc32(covered) ^ 0x5354554E)


def test_request_of_rfc_5769_section_2_1() -> None:
    datagram = read_vector("rfc5769_request")
    message = stun.parse_message(datagram)
    assert message.message_type == stun.BINDING_REQUEST
    assert message.transaction_id.hex() == "b7e7a701bc34d686fa87dfae"
    assert message.attributes[stun.SOFTWARE] == b"STUN test client"
    assert message.attributes[stun.PRIORITY].hex() == "6e0001ff"
    assert message.attributes[stun.ICE_CONTROLLED].hex() == "932ff9b151263b36"
    assert message.attributes[stun.USERNAME] == b"evtj:h6vY"
    assert stun.verify_integrity(datagram, message, RFC_KEY)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("rfc5769_ipv4_response", ("192.0.2.1", 32853)),
        ("rfc5769_ipv6_response", ("2001:db8:1234:5678:11:2233:4455:6677", 32853)),
    ],
)
def test_response_of_rfc_5769_section_2_2_and_2_3(name: str, address: tuple[str, int]) -> None:
    datagram = read_vector(name)
    message = stun.parse_message(datagram)
    assert message.message_type == stun.BINDING_SUCCESS
    assert message.attributes[stun.SOFTWARE] == b"test vector"
    assert stun.verify_integrity(datagram, message, RFC_KEY)
    mapped = message.attributes[stun.XOR_MAPPED_ADDRESS]
    assert stun.parse_xor_address(mapped, message.transaction_id) == address
    assert stun.pack_xor_address(*address, message.transaction_id) == mapped


@pytest.mark.parametrize("name", ["chromium_binding_request", "chromium_binding_request_nominating"])
def test_chromium_request_is_written_as_it_was_read(name: str) -> None:
    datagram = read_vector(name)
    message = stun.parse_message(datagram)
    assert message.attributes[stun.USERNAME] == b"rail:PN2J"
    assert (stun.USE_CANDIDATE in message.attributes) == name.endswith("nominating")
    assert stun.verify_integrity(datagram, message, CHROMIUM_KEY)
    signed = {stun.MESSAGE_INTEGRITY, stun.FINGERPRINT}
    attributes = [item for item in message.attributes.items() if item[0] not in signed]
    assert stun.serialize_message(message.message_type, message.transaction_id, attributes, CHROMIUM_KEY) == datagram


def test_integrity_fails_with_another_key() -> None:
    datagram = read_vector("chromium_binding_request")
    assert not stun.verify_integrity(datagram, stun.parse_message(datagram), b"vector0password0vector01")


def test_integrity_fails_when_a_covered_byte_changed() -> None:
    signed = stun.serialize_message(1, TRANSACTION_ID, [(stun.USERNAME, b"rail:nest")], RFC_KEY)
    altered = signed[:-8].replace(b"nest", b"pest")
    altered = altered[:2] + (len(altered) - 20).to_bytes(2, "big") + altered[4:]
    assert not stun.verify_integrity(altered, stun.parse_message(altered), RFC_KEY)


def test_integrity_without_the_attribute_is_false() -> None:
    datagram = stun.serialize_message(stun.BINDING_REQUEST, TRANSACTION_ID, [(stun.USERNAME, b"a:b")], None)
    message = stun.parse_message(datagram)
    assert message.integrity_offset is None
    assert not stun.verify_integrity(datagram, message, b"")


@pytest.mark.parametrize("size_bytes", [0, 4, 24])
def test_integrity_of_another_size_is_false(size_bytes: int) -> None:
    datagram = message_of(struct.pack("!HH", stun.MESSAGE_INTEGRITY, size_bytes) + bytes(size_bytes))
    assert not stun.verify_integrity(datagram, stun.parse_message(datagram), b"key")


def test_message_without_fingerprint_is_read() -> None:
    assert stun.parse_message(header(0)).attributes == {}


def test_attributes_after_integrity_are_ignored_but_fingerprint() -> None:
    integrity = struct.pack("!HH", stun.MESSAGE_INTEGRITY, 20) + bytes(20)
    late = struct.pack("!HH", stun.USE_CANDIDATE, 0)
    message = stun.parse_message(with_fingerprint(integrity + late + integrity))
    assert set(message.attributes) == {stun.MESSAGE_INTEGRITY, stun.FINGERPRINT}
    assert message.integrity_offset == 20


def test_first_attribute_of_a_type_wins() -> None:
    twice = struct.pack("!HHI", stun.PRIORITY, 4, 1) + struct.pack("!HHI", stun.PRIORITY, 4, 2)
    assert stun.parse_message(message_of(twice)).attributes == {stun.PRIORITY: b"\x00\x00\x00\x01"}


def attribute(attribute_type: int, value: bytes) -> bytes:
    return struct.pack("!HH", attribute_type, len(value)) + value + bytes(-len(value) % 4)


BAD_MESSAGES = {
    "empty": b"",
    "short": header(0)[:-1],
    "wrong cookie": header(0, cookie=0x2112A443),
    "type with a top bit": header(0, message_type=0x4001),
    "length too small": header(0) + bytes(4),
    "length too large": header(8) + bytes(4),
    "length no multiple of 4": header(2) + bytes(2),
    "attribute past the end": message_of(struct.pack("!HH", stun.USERNAME, 5) + bytes(4)),
    "attribute far past the end": message_of(struct.pack("!HH", stun.USERNAME, 0xFFFF)),
    "fingerprint wrong": read_vector("rfc5769_request")[:-1] + b"\x00",
    "byte before the fingerprint changed": read_vector("rfc5769_request").replace(b"client", b"klient"),
    "fingerprint short": message_of(attribute(stun.FINGERPRINT, b"abc")),
    "fingerprint empty": message_of(attribute(stun.FINGERPRINT, b"")),
    "fingerprint not last": message_of(with_fingerprint(b"")[20:] + attribute(stun.PRIORITY, bytes(4))),
    "too many attributes": message_of(attribute(stun.SOFTWARE, b"") * (stun.MAX_ATTRIBUTES + 1)),
}


@pytest.mark.parametrize("datagram", BAD_MESSAGES.values(), ids=BAD_MESSAGES.keys())
def test_parse_message_refuses(datagram: bytes) -> None:
    with pytest.raises(WireError):
        stun.parse_message(datagram)


def test_parse_message_takes_as_many_attributes_as_are_allowed() -> None:
    body = b"".join(attribute(0x8100 + index, b"a") for index in range(stun.MAX_ATTRIBUTES))
    assert len(stun.parse_message(message_of(body)).attributes) == stun.MAX_ATTRIBUTES


attribute_lists = st.dictionaries(
    st.integers(0, 0xFFFF).filter(lambda code: code not in (stun.MESSAGE_INTEGRITY, stun.FINGERPRINT)),
    st.binary(max_size=40),
    max_size=10,
)


@given(
    message_type=st.integers(0, 0x3FFF),
    transaction_id=st.binary(min_size=12, max_size=12),
    attributes=attribute_lists,
    key=st.none() | st.binary(min_size=1, max_size=32),
)
def test_message_survives_the_round_trip(
    message_type: int, transaction_id: bytes, attributes: dict[int, bytes], key: bytes | None
) -> None:
    datagram = stun.serialize_message(message_type, transaction_id, list(attributes.items()), key)
    message = stun.parse_message(datagram)
    assert (message.message_type, message.transaction_id) == (message_type, transaction_id)
    assert message.attributes.pop(stun.FINGERPRINT) == datagram[-4:]
    if key is not None:
        assert stun.verify_integrity(datagram, message, key)
        del message.attributes[stun.MESSAGE_INTEGRITY]
    assert message.attributes == attributes


def test_aioice_reads_what_is_written() -> None:
    mapped = stun.pack_xor_address("192.0.2.7", 40000, TRANSACTION_ID)
    datagram = stun.serialize_message(
        stun.BINDING_SUCCESS, TRANSACTION_ID, [(stun.XOR_MAPPED_ADDRESS, mapped)], CHROMIUM_KEY
    )
    message = aioice.stun.parse_message(datagram)
    assert message.check_message_integrity(CHROMIUM_KEY)
    assert message.message_class == aioice.stun.Class.RESPONSE
    assert message.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.7", 40000)


def test_what_aioice_writes_is_read() -> None:
    request = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST, TRANSACTION_ID)
    request.attributes["USERNAME"] = "rail:nest"
    request.attributes["PRIORITY"] = 5
    request.attributes["ICE-CONTROLLING"] = 6
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(CHROMIUM_KEY)
    datagram = bytes(request)
    message = stun.parse_message(datagram)
    assert message.attributes[stun.USERNAME] == b"rail:nest"
    assert message.attributes[stun.USE_CANDIDATE] == b""
    assert stun.verify_integrity(datagram, message, CHROMIUM_KEY)


@pytest.mark.parametrize("transaction_id", [b"", bytes(11), bytes(16)])
def test_serialize_message_refuses_a_transaction_id(transaction_id: bytes) -> None:
    with pytest.raises(MisuseError):
        stun.serialize_message(stun.BINDING_REQUEST, transaction_id, [], None)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda body: message_of(body[: len(body) & ~3])))
def test_parse_message_of_garbage_raises_nothing_else(datagram: bytes) -> None:
    with suppress(WireError):
        message = stun.parse_message(datagram)
        stun.verify_integrity(datagram, message, RFC_KEY)


@given(index=st.integers(0, 96 - 8 - 1), difference=st.integers(1, 255))
def test_damaged_request_is_refused_or_not_authentic(index: int, difference: int) -> None:
    damaged = bytearray(read_vector("chromium_binding_request"))
    damaged[index] ^= difference
    with suppress(WireError):
        message = stun.parse_message(bytes(damaged))
        assert not stun.verify_integrity(bytes(damaged), message, CHROMIUM_KEY)
