"""VP9 in RTP (RFC 9628 section 4.2): the payload descriptor, as far as a keyframe shows in it."""

_HAS_PICTURE_ID = 0x80
_INTER_PICTURE = 0x40
_HAS_LAYERS = 0x20
_START_OF_FRAME = 0x08
_LONG_PICTURE_ID = 0x80
_SPATIAL_LAYER_MASK = 0x0E


def is_keyframe(payload: bytes) -> bool:
    """Whether this RTP payload starts the lowest spatial layer of a picture that needs none before it."""
    if not payload or payload[0] & (_INTER_PICTURE | _START_OF_FRAME) != _START_OF_FRAME:
        return False
    offset = 1
    if payload[0] & _HAS_PICTURE_ID:
        offset += 2 if len(payload) > 1 and payload[1] & _LONG_PICTURE_ID else 1
    if offset >= len(payload):
        return False
    return not payload[0] & _HAS_LAYERS or payload[offset] & _SPATIAL_LAYER_MASK == 0
