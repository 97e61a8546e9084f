"""Addresses and error codes in STUN attributes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MisuseError, WireError
from gateway.wire.stun_values import pack_error_code, pack_xor_address, parse_error_code, parse_xor_address

TRANSACTION_ID = b"transaction1"

hosts = st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str).filter(lambda host: not host.startswith("::ffff"))


@given(host=hosts, port=st.integers(0, 0xFFFF), transaction_id=st.binary(min_size=12, max_size=12))
def test_address_survives_the_round_trip(host: str, port: int, transaction_id: bytes) -> None:
    value = pack_xor_address(host, port, transaction_id)
    assert parse_xor_address(value, transaction_id) == (host, port)
    assert pack_xor_address(*parse_xor_address(value, transaction_id), transaction_id) == value


def test_v4_mapped_address_is_packed_as_ipv4() -> None:
    value = pack_xor_address("::ffff:192.0.2.1", 32853, TRANSACTION_ID)
    assert value.hex() == "0001a147e112a643"
    assert parse_xor_address(value, TRANSACTION_ID) == ("192.0.2.1", 32853)


def test_zone_of_an_address_is_dropped() -> None:
    value = pack_xor_address("fe80::1%eth0", 5, TRANSACTION_ID)
    assert parse_xor_address(value, TRANSACTION_ID) == ("fe80::1", 5)


@pytest.mark.parametrize("host", ["", "localhost", "1.2.3", "1.2.3.4.5", "fe80:::1", "table.example"])
def test_pack_xor_address_refuses_a_name(host: str) -> None:
    with pytest.raises(MisuseError):
        pack_xor_address(host, 1, TRANSACTION_ID)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x00\x01\x00",
        b"\x00\x00" + bytes(6),
        b"\x00\x03" + bytes(6),
        b"\x00\x01" + bytes(5),
        b"\x00\x01" + bytes(7),
        b"\x00\x01" + bytes(18),
        b"\x00\x02" + bytes(6),
        b"\x00\x02" + bytes(17),
        b"\x00\x02" + bytes(19),
    ],
)
def test_parse_xor_address_refuses(value: bytes) -> None:
    with pytest.raises(WireError):
        parse_xor_address(value, TRANSACTION_ID)


@pytest.mark.parametrize(
    ("code", "reason", "value"),
    [
        (487, "Role Conflict", b"\x00\x00\x04\x57Role Conflict"),
        (400, "", b"\x00\x00\x04\x00"),
        (699, "ü", b"\x00\x00\x06\x63\xc3\xbc"),
    ],
)
def test_error_code_survives_the_round_trip(code: int, reason: str, value: bytes) -> None:
    assert pack_error_code(code, reason) == value
    assert parse_error_code(value) == (code, reason)


@pytest.mark.parametrize("code", [0, 299, 700])
def test_pack_error_code_refuses(code: int) -> None:
    with pytest.raises(MisuseError):
        pack_error_code(code, "")


@pytest.mark.parametrize("value", [b"", b"\x00\x00\x04", b"\x00\x00\x02\x00", b"\x00\x00\x07\x00", b"\x00\x00\x04\x64"])
def test_parse_error_code_refuses(value: bytes) -> None:
    with pytest.raises(WireError):
        parse_error_code(value)


@given(st.binary(max_size=30))
def test_parsers_of_garbage_raise_nothing_else(value: bytes) -> None:
    with suppress(WireError):
        parse_xor_address(value, TRANSACTION_ID)
    with suppress(WireError):
        parse_error_code(value)
