"""The least fMP4 that keeps the rules of section 3, for the stream made by hand."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from tests.hls_conformance.boxes import SAMPLE_IS_NON_SYNC, TFHD_DEFAULT_BASE_IS_MOOF

SAMPLES_A_PART: Final = 6
IDR: Final = b"\0\0\0\2\x65\0"
"""A NAL unit of type 5, with its length before it (ISO 14496-15)."""
SLICE: Final = b"\0\0\0\2\x41\0"
_TRUN_FLAGS: Final = 0x1 | 0x100 | 0x200 | 0x400


@dataclass(frozen=True)
class Format:
    timescale: int
    sample_entry: bytes
    handler: bytes


VIDEO: Final = Format(90_000, b"avc1", b"vide")
AUDIO: Final = Format(48_000, b"mp4a", b"soun")


def box(kind: bytes, *payload: bytes) -> bytes:
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *payload: bytes, flags: int = 0, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)


def init_section(kept: Format) -> bytes:
    empty = bytes(4)
    stsd = full(b"stsd", struct.pack(">I", 1), box(kept.sample_entry, bytes(8)))
    tables = stsd, full(b"stts", empty), full(b"stsc", empty), full(b"stsz", bytes(8)), full(b"stco", empty)
    dref = full(b"dref", struct.pack(">I", 1), full(b"url ", flags=1))
    minf = box(b"minf", box(b"dinf", dref), box(b"stbl", *tables))
    mdhd = full(b"mdhd", bytes(8), struct.pack(">II", kept.timescale, 0), bytes(4))
    mdia = box(b"mdia", mdhd, full(b"hdlr", bytes(4), kept.handler, bytes(13)), minf)
    tkhd = full(b"tkhd", bytes(8), struct.pack(">I", 1), bytes(68))
    trex = full(b"trex", struct.pack(">5I", 1, 1, 0, 0, 0))
    moov = box(b"moov", full(b"mvhd", bytes(96)), box(b"trak", tkhd, mdia), box(b"mvex", trex))
    return box(b"ftyp", b"iso6", bytes(4), b"iso6cmfc") + moov


def part(kept: Format, start_s: float, duration_s: float, first: bytes = IDR) -> bytes:
    """A moof and an mdat of six samples, the first of them `first`; those of sound are all sync samples."""
    ticks = round(duration_s * kept.timescale) // SAMPLES_A_PART
    payloads = [first, *[SLICE] * (SAMPLES_A_PART - 1)]
    rows = b""
    for payload in payloads:
        is_sync = payload == IDR or kept.handler == b"soun"
        rows += struct.pack(">III", ticks, len(payload), 0 if is_sync else SAMPLE_IS_NON_SYNC)
    tfhd = full(b"tfhd", struct.pack(">I", 1), flags=TFHD_DEFAULT_BASE_IS_MOOF)
    tfdt = full(b"tfdt", struct.pack(">Q", round(start_s * kept.timescale)), version=1)

    def moof(data_offset: int) -> bytes:
        trun = full(b"trun", struct.pack(">Ii", len(payloads), data_offset), rows, flags=_TRUN_FLAGS)
        return box(b"moof", full(b"mfhd", bytes(4)), box(b"traf", tfhd, tfdt, trun))

    return moof(len(moof(0)) + 8) + box(b"mdat", *payloads)
