import struct

import pytest

from gateway.errors import WireError
from loadgen.hls.boxes import boxes, find, unpacked
from tests.loadgen.hls.media import box

LARGE = struct.pack(">I4sQ", 1, b"free", 20) + b"body"
CUT_OFF = [
    b"\0",
    box(b"free")[:7],
    box(b"free", b"12")[:-1],
    b"\0\0\0\x07free",
    b"\0\0\0\0free",
    LARGE[:-1],
    LARGE[:12],
]


def test_boxes_stand_in_a_row_whatever_the_size_of_their_size() -> None:
    assert [(kind, end - start) for kind, start, end in boxes(LARGE + box(b"skip"))] == [(b"free", 4), (b"skip", 0)]


def test_box_is_found_by_its_path() -> None:
    data = box(b"x___") + box(b"a___", box(b"c___"), box(b"b___", b"inner"))
    start, end = find(data, (b"a___", b"b___"))
    assert data[start:end] == b"inner"
    with pytest.raises(WireError, match="no box"):
        find(data, (b"a___", b"x___"))


@pytest.mark.parametrize("data", CUT_OFF)
def test_box_that_is_cut_off_is_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="cut off"):
        list(boxes(data))


def test_numbers_have_to_fit_in_their_box() -> None:
    assert unpacked(struct.Struct(">H"), b"\0\1\2", 1, 3) == (258,)
    with pytest.raises(WireError, match="too short"):
        unpacked(struct.Struct(">H"), b"\0\1\2", 2, 3)
