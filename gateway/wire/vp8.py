"""VP8 in RTP (RFC 7741): the payload descriptor, and what a keyframe says of itself (RFC 6386 section 9.1)."""

_EXTENDED = 0x80
_START_OF_PARTITION = 0x10
_PARTITION_MASK = 0x07

_HAS_PICTURE_ID = 0x80
_HAS_TL0PICIDX = 0x40
_HAS_TID_OR_KEYIDX = 0x30
_LONG_PICTURE_ID = 0x80

_INTER_FRAME = 0x01
_FRAME_TAG_BYTES = 3
_KEYFRAME_HEADER_BYTES = 10
_START_CODE = b"\x9d\x01\x2a"
_SIZE_MASK = 0x3FFF  # the two bits above it are the scale


def is_keyframe(payload: bytes) -> bool:
    """Whether this RTP payload is the start of the first partition of a keyframe."""
    return _keyframe_offset(payload) is not None


def frame_size(payload: bytes) -> tuple[int, int] | None:
    """`(width, height)` in pixels where the payload starts a keyframe, else None."""
    offset = _keyframe_offset(payload)
    if offset is None or len(payload) < offset + _KEYFRAME_HEADER_BYTES:
        return None
    header = payload[offset + _FRAME_TAG_BYTES : offset + _KEYFRAME_HEADER_BYTES]
    if not header.startswith(_START_CODE):
        return None
    return int.from_bytes(header[3:5], "little") & _SIZE_MASK, int.from_bytes(header[5:7], "little") & _SIZE_MASK


def _keyframe_offset(payload: bytes) -> int | None:
    """Where the frame tag of a keyframe is (RFC 7741 section 4.2, 4.3), or None."""
    if not payload or payload[0] & (_START_OF_PARTITION | _PARTITION_MASK) != _START_OF_PARTITION:
        return None
    offset = 1
    if payload[0] & _EXTENDED:
        offset += _extension_bytes(payload)
    if offset >= len(payload) or payload[offset] & _INTER_FRAME:
        return None
    return offset


def _extension_bytes(payload: bytes) -> int:
    flags = payload[1] if len(payload) > 1 else 0
    size_bytes = 1
    if flags & _HAS_PICTURE_ID:
        size_bytes += 2 if len(payload) > 2 and payload[2] & _LONG_PICTURE_ID else 1
    if flags & _HAS_TL0PICIDX:
        size_bytes += 1
    if flags & _HAS_TID_OR_KEYIDX:
        size_bytes += 1
    return size_bytes
