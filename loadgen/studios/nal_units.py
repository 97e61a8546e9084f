"""H.264 NAL units (ITU-T H.264 section 7.4.1 and annex B): their types, and where they begin in a byte stream."""

import re

SLICE = 1
IDR = 5
SEI = 6
SPS = 7
PPS = 8
ACCESS_UNIT_DELIMITER = 9
END_OF_SEQUENCE = 10
END_OF_STREAM = 11

_START_CODE = re.compile(rb"\x00\x00\x01")
_TYPE_MASK = 0x1F
_REFERENCE_MASK = 0x60


def nal_type(nal: bytes) -> int:
    """The type of a NAL unit, or of an RTP payload (RFC 6184 section 5.2)."""
    return nal[0] & _TYPE_MASK


def nal_reference(nal: bytes) -> int:
    """nal_ref_idc, in place: how much the decoding of others depends on it."""
    return nal[0] & _REFERENCE_MASK


def is_coded_picture(nal: bytes) -> bool:
    """Whether the unit is a slice, or a part of one: what comes before the first of them describes the picture."""
    return SLICE <= nal_type(nal) <= IDR


def split_byte_stream(stream: bytes) -> tuple[bytes, ...]:
    """The NAL units of a byte stream with start codes (annex B), without them and without the zeros between."""
    starts = [match.end() for match in _START_CODE.finditer(stream)]
    if not starts:
        return ()
    ends = [start - 3 for start in starts[1:]] + [len(stream)]
    # A NAL unit does not end in a zero byte (section 7.4.1): what does is the next start code's, or padding.
    units = (stream[start:end].rstrip(b"\0") for start, end in zip(starts, ends, strict=True))
    return tuple(unit for unit in units if unit)
