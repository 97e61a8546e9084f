import pytest

from gateway.wire.header_extensions import (
    ABS_CAPTURE_TIME,
    MID,
    ONE_BYTE_PROFILE,
    TRANSPORT_SEQUENCE_NUMBER,
    parse_extensions,
)
from loadgen.studios.extension_block import ExtensionBlock

ALL = {MID: 9, TRANSPORT_SEQUENCE_NUMBER: 4, ABS_CAPTURE_TIME: 13}
TWO_BYTE = {MID: 20, TRANSPORT_SEQUENCE_NUMBER: 4, ABS_CAPTURE_TIME: 13}


def parsed(block: bytes) -> dict[int, bytes]:
    assert int.from_bytes(block[2:4], "big") * 4 + 4 == len(block)
    return parse_extensions(int.from_bytes(block[:2], "big"), block[4:])


@pytest.mark.parametrize("extensions", [ALL, TWO_BYTE])
@pytest.mark.parametrize("number", [0, 1, 0x1234, 0xFFFF])
def test_block_holds_what_was_agreed_on(extensions: dict[str, int], number: int) -> None:
    block = ExtensionBlock(extensions, "0")
    number_bytes = number.to_bytes(2, "big")
    assert parsed(block.serialize(number)) == {extensions[MID]: b"0", 4: number_bytes}
    assert parsed(block.serialize(number, 1 << 63)) == {
        extensions[MID]: b"0",
        4: number_bytes,
        13: (1 << 63).to_bytes(8, "big"),
    }


def test_block_without_number_or_anything() -> None:
    assert parsed(ExtensionBlock({MID: 9}, "video").serialize(7, 1 << 63)) == {9: b"video"}
    assert ExtensionBlock({}, "0").serialize(7, 1 << 63) == b""


def test_usual_block_is_12_bytes() -> None:
    block = ExtensionBlock(ALL, "0").serialize(7)
    assert len(block) == 12
    assert int.from_bytes(block[:2], "big") == ONE_BYTE_PROFILE
