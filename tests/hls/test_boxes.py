"""Boxes and full boxes, by their bytes and through the tests' own reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hls.boxes import BOX_HEADER_BYTES, box, full_box
from tests.hls.box_reader import Box, read_boxes


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (box(b"free"), "00000008 66726565"),
        (box(b"free", b"\x01", b"", b"\x02\x03"), "0000000b 66726565 010203"),
        (full_box(b"stts", 0, 0), "0000000c 73747473 00000000"),
        (full_box(b"tfdt", 1, 0x020000, b"\xff"), "0000000d 74666474 01020000 ff"),
        (box(b"moov", box(b"free"), box(b"skip", b"\x05")), "00000019 6d6f6f76 0000000866726565 00000009736b697005"),
    ],
    ids=["empty", "contents one after another", "full and empty", "version and flags", "nested"],
)
def test_bytes_of_a_box(written: bytes, expected: str) -> None:
    assert written == bytes.fromhex(expected)


box_types = st.binary(min_size=4, max_size=4)


@given(st.lists(st.tuples(box_types, st.lists(st.binary(max_size=20), max_size=3)), max_size=5))
def test_boxes_read_back(boxes: list[tuple[bytes, list[bytes]]]) -> None:
    read = list(read_boxes(b"".join(box(box_type, *contents) for box_type, contents in boxes)))
    assert [(found.box_type, found.content) for found in read] == [
        (box_type, b"".join(contents)) for box_type, contents in boxes
    ]
    assert [found.offset for found in read] == [sum(earlier.size for earlier in read[:n]) for n in range(len(read))]


@given(box_types, st.integers(0, 255), st.integers(0, 0xFFFFFF), st.binary(max_size=20))
def test_full_box_reads_back(box_type: bytes, version: int, flags: int, content: bytes) -> None:
    (found,) = read_boxes(full_box(box_type, version, flags, content))
    assert found == Box(box_type, 0, bytes((version,)) + flags.to_bytes(3, "big") + content)
    assert found.version_and_flags == (version, flags)
    assert found.size == BOX_HEADER_BYTES + 4 + len(content)
