"""What the draft says of fMP4 (section 3.1.2), read from the bytes: boxes as ISO 14496-12 has them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_CONTAINERS: Final = {"moov", "trak", "mdia", "minf", "stbl", "dinf", "mvex", "moof", "traf", "edts"}
_FULL_BOX_BYTES: Final = 4

TFHD_BASE_DATA_OFFSET: Final = 0x1
TFHD_DEFAULT_BASE_IS_MOOF: Final = 0x20000
_TFHD_FIELDS: Final = ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4))
_TRUN_DATA_OFFSET, _TRUN_FIRST_FLAGS = 0x1, 0x4
_TRUN_SAMPLE: Final = (0x100, 0x200, 0x400, 0x800)
SAMPLE_IS_NON_SYNC: Final = 0x10000


@dataclass
class Box:
    type: str
    payload: bytes
    offset: int
    """Of the payload, in the bytes that were read."""
    children: list[Box] = field(default_factory=list)

    def all(self, *path: str) -> list[Box]:
        """Boxes at that path of types below this one."""
        if not path:
            return [self]
        return [found for child in self.children if child.type == path[0] for found in child.all(*path[1:])]

    def one(self, *path: str) -> Box:
        found = self.all(*path)
        assert len(found) == 1, f"{len(found)} boxes at {'/'.join((self.type, *path))}"
        return found[0]

    @property
    def version(self) -> int:
        return self.payload[0]

    @property
    def flags(self) -> int:
        return int.from_bytes(self.payload[1:4], "big")


def read_boxes(data: bytes) -> Box:
    """A nameless box whose children are the boxes of the file. AssertionError where sizes do not add up."""
    return Box("", data, 0, list(_boxes(data, 0)))


def _boxes(data: bytes, base: int) -> Iterator[Box]:
    position = 0
    while position < len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        header = 8
        if size == 1:
            size, header = struct.unpack_from(">Q", data, position + 8)[0], 16
        assert header <= size <= len(data) - position, f"a box {kind!r} of {size} bytes in {len(data) - position}"
        payload = data[position + header : position + size]
        box = Box(kind.decode("latin-1"), payload, base + position + header)
        if box.type in _CONTAINERS:
            box.children = list(_boxes(payload, box.offset))
        yield box
        position += size


@dataclass(frozen=True)
class Sample:
    decode_ticks: int
    duration_ticks: int
    is_sync: bool
    payload: bytes


@dataclass(frozen=True)
class Track:
    """Of an init section."""

    track_id: int
    timescale: int
    handler: str
    sample_entry: str
    default_duration_ticks: int
    default_size_bytes: int
    default_flags: int


def read_track(init: bytes) -> Track:
    """The one track of an init section."""
    moov = read_boxes(init).one("moov")
    tkhd, mdhd = moov.one("trak", "tkhd"), moov.one("trak", "mdia", "mdhd")
    track_id = struct.unpack_from(">I", tkhd.payload, 20 if tkhd.version == 1 else 12)[0]
    timescale = struct.unpack_from(">I", mdhd.payload, 20 if mdhd.version == 1 else 12)[0]
    handler = moov.one("trak", "mdia", "hdlr").payload[8:12].decode("latin-1")
    entry = moov.one("trak", "mdia", "minf", "stbl", "stsd").payload[12:16].decode("latin-1")
    _, _, duration, size, flags = struct.unpack_from(">5I", moov.one("mvex", "trex").payload, 4)
    return Track(track_id, timescale, handler, entry, duration, size, flags)


def read_samples(fragments: bytes, track: Track) -> list[Sample]:
    """The samples of a part or of a segment, in order. AssertionError where their bytes are not in its own mdat."""
    samples: list[Sample] = []
    moof_start = 0
    position = 0
    for box in read_boxes(fragments).children:
        start = position
        position = box.offset + len(box.payload)
        if box.type == "moof":
            moof_start = start
            for traf in box.all("traf"):
                samples += _traf_samples(traf, fragments, moof_start, track)
    return samples


def _traf_samples(traf: Box, data: bytes, moof_start: int, track: Track) -> Iterator[Sample]:
    tfdt = traf.one("tfdt")
    ticks = int.from_bytes(tfdt.payload[4 : 12 if tfdt.version == 1 else 8], "big")
    defaults = _defaults(traf.one("tfhd"), track)
    for trun in traf.all("trun"):
        for duration, payload, flags in _run(trun, data, moof_start, defaults):
            yield Sample(ticks, duration, not flags & SAMPLE_IS_NON_SYNC, payload)
            ticks += duration


def _defaults(tfhd: Box, track: Track) -> tuple[int, int, int]:
    """Duration, size and flags of a sample of which its run does not say them."""
    values = {0x8: track.default_duration_ticks, 0x10: track.default_size_bytes, 0x20: track.default_flags}
    position = 8
    for flag, length in _TFHD_FIELDS:
        if tfhd.flags & flag:
            values[flag] = int.from_bytes(tfhd.payload[position : position + length], "big")
            position += length
    return values[0x8], values[0x10], values[0x20]


def _run(trun: Box, data: bytes, moof_start: int, defaults: tuple[int, int, int]) -> Iterator[tuple[int, bytes, int]]:
    count, position = int.from_bytes(trun.payload[4:8], "big"), 8
    assert trun.flags & _TRUN_DATA_OFFSET, "a trun without a data offset"
    at = moof_start + int.from_bytes(trun.payload[position : position + 4], "big", signed=True)
    position += 4
    first_flags: int | None = None
    if trun.flags & _TRUN_FIRST_FLAGS:
        first_flags = int.from_bytes(trun.payload[position : position + 4], "big")
        position += 4
    for number in range(count):
        values = [*defaults, 0]
        for column, flag in enumerate(_TRUN_SAMPLE):
            if trun.flags & flag:
                values[column] = int.from_bytes(trun.payload[position : position + 4], "big")
                position += 4
        if number == 0 and first_flags is not None:
            values[2] = first_flags
        assert at + values[1] <= len(data), "a sample beyond the end of the file"
        yield values[0], data[at : at + values[1]], values[2]
        at += values[1]
