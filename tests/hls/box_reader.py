"""Reads the boxes of an MP4 file, strictly: written from ISO/IEC 14496-12, not from what writes them."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

CONTAINERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"mvex", b"moof", b"traf"))
ENTRY_COUNT_OF = {b"stsd": 8, b"dref": 8}  # version, flags and a count stand in front of the boxes inside
HEADER_OF_SAMPLE_ENTRY = {b"avc1": 78, b"mp4a": 28}


@dataclass(frozen=True)
class Box:
    """`offset` is where its header is in the file; `content` what follows the header."""

    box_type: bytes
    offset: int
    content: bytes

    @property
    def size(self) -> int:
        return 8 + len(self.content)

    @property
    def version_and_flags(self) -> tuple[int, int]:
        return self.content[0], int.from_bytes(self.content[1:4], "big")

    def boxes(self) -> list["Box"]:
        skipped = (ENTRY_COUNT_OF | HEADER_OF_SAMPLE_ENTRY).get(self.box_type, 0)
        assert skipped or self.box_type in CONTAINERS, f"{self.box_type!r} holds no boxes"
        return list(read_boxes(self.content[skipped:], self.offset + 8 + skipped))

    def find(self, *path: bytes) -> "Box":
        """The only box at the path."""
        if not path:
            return self
        (found,) = (inner for inner in self.boxes() if inner.box_type == path[0])
        return found.find(*path[1:])


def read_boxes(content: bytes, offset: int = 0) -> Iterator[Box]:
    """Every box of `content`, which they fill without a rest."""
    position = 0
    while position < len(content):
        size, box_type = struct.unpack_from(">I4s", content, position)
        assert 8 <= size <= len(content) - position, f"{box_type!r} of {size} bytes in {len(content) - position}"
        yield Box(box_type, offset + position, content[position + 8 : position + size])
        position += size


class RunEntry(NamedTuple):
    """One sample of a `trun`, and its bytes."""

    duration_ticks: int
    flags: int
    payload: bytes


class Chunk(NamedTuple):
    """What a player reads of a `moof` and its `mdat`."""

    sequence_number: int
    track_id: int
    base_time_ticks: int
    entries: list[RunEntry]


def read_chunk(content: bytes) -> Chunk:
    """One `moof` and one `mdat` and nothing else, each sample found by the offset in the `trun`."""
    moof, mdat = read_boxes(content)
    assert (moof.box_type, mdat.box_type) == (b"moof", b"mdat")
    mfhd, traf = moof.boxes()
    tfhd, tfdt, trun = traf.boxes()
    assert [box.box_type for box in (mfhd, traf, tfhd, tfdt, trun)] == [b"mfhd", b"traf", b"tfhd", b"tfdt", b"trun"]
    assert tfhd.version_and_flags == (0, 0x020000), "default-base-is-moof, and no field but the track"
    assert tfdt.version_and_flags == (1, 0), "64 bits"
    assert trun.version_and_flags == (0, 0x000701), "data offset; each sample's duration, size and flags"
    return Chunk(
        int.from_bytes(mfhd.content[4:], "big"),
        int.from_bytes(tfhd.content[4:], "big"),
        struct.unpack(">4xQ", tfdt.content)[0],
        list(_entries(content, moof, mdat, trun)),
    )


def _entries(content: bytes, moof: Box, mdat: Box, trun: Box) -> Iterator[RunEntry]:
    count, data_offset = struct.unpack_from(">Ii", trun.content, 4)
    assert len(trun.content) == 12 + 12 * count
    position = moof.offset + data_offset
    assert position == mdat.offset + 8
    for duration_ticks, size, flags in struct.iter_unpack(">3I", trun.content[12:]):
        yield RunEntry(duration_ticks, flags, content[position : position + size])
        position += size
    assert position == mdat.offset + mdat.size
