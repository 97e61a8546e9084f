"""Bits and exponential Golomb numbers, against a writer of characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.bit_reader import BitReader
from tests.wire.bit_writer import golomb, rbsp, signed_golomb


@pytest.mark.parametrize(
    ("bits", "number"),
    [("1", 0), ("010", 1), ("011", 2), ("00100", 3), ("00111", 6), ("0001000", 7), ("0" * 31 + "1" * 32, 2**32 - 2)],
)
def test_golomb_of_table_9_2(bits: str, number: int) -> None:
    assert BitReader(rbsp(bits)).golomb() == number


@pytest.mark.parametrize(("number", "signed"), [(0, 0), (1, 1), (2, -1), (3, 2), (4, -2), (5, 3), (6, -3)])
def test_signed_golomb_of_table_9_3(number: int, signed: int) -> None:
    assert BitReader(rbsp(golomb(number))).signed_golomb() == signed


@given(st.lists(st.integers(0, 2**32 - 2)), st.lists(st.integers(-(2**31) + 1, 2**31 - 1)), st.integers(0, 2**20 - 1))
def test_numbers_one_after_another(numbers: list[int], signed: list[int], last: int) -> None:
    written = "".join([*map(golomb, numbers), *map(signed_golomb, signed), f"{last:020b}"])
    bits = BitReader(rbsp(written))
    assert [bits.golomb() for _ in numbers] == numbers
    assert [bits.signed_golomb() for _ in signed] == signed
    assert bits.unsigned(20) == last
    with pytest.raises(WireError):
        bits.flag()


@pytest.mark.parametrize("payload", [b"", b"\0", bytes(9)])
def test_payload_without_an_end(payload: bytes) -> None:
    with pytest.raises(WireError):
        BitReader(payload)


@pytest.mark.parametrize("bits", ["", "0", "00", "001", "0010", "0" * 31 + "1" * 31], ids=len)
def test_golomb_cut_short(bits: str) -> None:
    with pytest.raises(WireError):
        BitReader(rbsp(bits)).golomb()


def test_golomb_of_more_than_32_bits() -> None:
    with pytest.raises(WireError, match="32 bits"):
        BitReader(rbsp("0" * 32 + "1" * 40)).golomb()


def test_golomb_above_its_maximum() -> None:
    assert BitReader(rbsp(golomb(16))).golomb(16) == 16
    with pytest.raises(WireError, match="at most 16"):
        BitReader(rbsp(golomb(17))).golomb(16)


def test_end_of_a_payload_is_its_last_one() -> None:
    bits = BitReader(b"\xa5\x80\x00")
    assert bits.unsigned(8) == 0xA5
    with pytest.raises(WireError):
        bits.flag()
