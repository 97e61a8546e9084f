"""A part of a rendition: one movie fragment and its media data (ISO/IEC 14496-12 section 8.8, a CMAF chunk)."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.errors import MisuseError
from gateway.hls.boxes import BOX_HEADER_BYTES, box, full_box

TRACK_ID = 1  # each rendition is a file of one track

_DEFAULT_BASE_IS_MOOF = 0x020000
_DATA_OFFSET_PRESENT = 0x000001
_SAMPLE_DURATION_PRESENT = 0x000100
_SAMPLE_SIZE_PRESENT = 0x000200
_SAMPLE_FLAGS_PRESENT = 0x000400
_TRUN_FLAGS = _DATA_OFFSET_PRESENT | _SAMPLE_DURATION_PRESENT | _SAMPLE_SIZE_PRESENT | _SAMPLE_FLAGS_PRESENT

# sample_depends_on: 2 on no other, 1 on others; the lowest bit of the upper half is sample_is_non_sync_sample
_SYNC_FLAGS = 0x02000000
_NON_SYNC_FLAGS = 0x01010000

_ENTRY_WORDS = 3
_ENTRY_BYTES = 4 * _ENTRY_WORDS
_U32 = struct.Struct(">I")
_TFDT_VERSION = 1
_TIME = struct.Struct(">Q")
_TFHD = full_box(b"tfhd", 0, _DEFAULT_BASE_IS_MOOF, _U32.pack(TRACK_ID))
_MFHD_BYTES = 16
_TFDT_BYTES = 20
_TRUN_HEADER_BYTES = 20
_FIXED_BYTES = 2 * BOX_HEADER_BYTES + _MFHD_BYTES + len(_TFHD) + _TFDT_BYTES + _TRUN_HEADER_BYTES  # moof and traf


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame as it lies in the file: an access unit in AVCC form, or an AAC frame without ADTS."""

    payload: bytes
    duration_ticks: int
    is_sync: bool


def fragment(sequence_number: int, base_time_ticks: int, samples: Sequence[Sample]) -> bytes:
    """A `moof` and its `mdat`: at least one sample, the first at `base_time_ticks` of the init section's timescale.

    Samples are shown in the order in which they are decoded: there are no composition offsets. `sequence_number` is of
    32 bits, the time of 64. Raises MisuseError without samples, or where a number does not fit.
    """
    if not samples:
        raise MisuseError("a fragment has no samples")
    try:
        moof = _moof(sequence_number, base_time_ticks, samples)
    except struct.error as error:
        raise MisuseError(
            f"a number of fragment {sequence_number} at {base_time_ticks} does not fit: {error}"
        ) from error
    return moof + box(b"mdat", *[sample.payload for sample in samples])


def avcc(nal_units: Iterable[bytes]) -> bytes:
    """An access unit as a sample: each NAL unit after its size in four bytes (ISO/IEC 14496-15 section 5.2.2)."""
    return b"".join([_U32.pack(len(nal_unit)) + nal_unit for nal_unit in nal_units])


def _moof(sequence_number: int, base_time_ticks: int, samples: Sequence[Sample]) -> bytes:
    data_offset = _FIXED_BYTES + _ENTRY_BYTES * len(samples) + BOX_HEADER_BYTES
    entries: list[int] = []
    for sample in samples:
        entries += (sample.duration_ticks, len(sample.payload), _SYNC_FLAGS if sample.is_sync else _NON_SYNC_FLAGS)
    run = struct.pack(f">II{len(entries)}I", len(samples), data_offset, *entries)
    return box(
        b"moof",
        full_box(b"mfhd", 0, 0, _U32.pack(sequence_number)),
        box(
            b"traf",
            _TFHD,
            full_box(b"tfdt", _TFDT_VERSION, 0, _TIME.pack(base_time_ticks)),
            full_box(b"trun", 0, _TRUN_FLAGS, run),
        ),
    )
