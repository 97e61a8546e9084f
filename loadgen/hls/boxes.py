"""Boxes of ISO BMFF (ISO/IEC 14496-12 section 4.2), as far as a player needs them."""

import struct
from collections.abc import Iterator

from gateway.errors import WireError

_HEADER = struct.Struct(">I4s")
_LARGE_SIZE = struct.Struct(">Q")

Box = tuple[bytes, int, int]
"""(type, first byte of the contents, end of the box)."""


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Those that stand in a row. WireError for one that is cut off."""
    end = len(data) if end is None else end
    while start < end:
        if end - start < _HEADER.size:
            raise WireError("A box is cut off in its header.")
        size, kind = _HEADER.unpack_from(data, start)
        contents = start + _HEADER.size
        if size == 1 and end - contents >= _LARGE_SIZE.size:
            (size,) = _LARGE_SIZE.unpack_from(data, contents)
            contents += _LARGE_SIZE.size
        if size < contents - start or start + size > end:
            raise WireError(f"A box of type {kind!r} is cut off.")
        yield kind, contents, start + size
        start += size


def find(data: bytes, path: tuple[bytes, ...], start: int = 0, end: int | None = None) -> tuple[int, int]:
    """(first byte of the contents, end) of the first box at `path`. WireError when there is none."""
    end = len(data) if end is None else end
    for name in path:
        start, end = next(
            ((contents, box_end) for kind, contents, box_end in boxes(data, start, end) if kind == name), (-1, -1)
        )
        if start < 0:
            raise WireError(f"There is no box {name!r}.")
    return start, end


def unpacked(layout: struct.Struct, data: bytes, start: int, end: int) -> tuple[int, ...]:
    """Numbers at `start`. WireError when they do not fit before `end`."""
    if start + layout.size > end:
        raise WireError("A box is too short.")
    return layout.unpack_from(data, start)
