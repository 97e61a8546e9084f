"""AV1 in RTP (RTP Payload Format For AV1, section 4.4): the aggregation header."""

_CONTINUES_FRAGMENT = 0x80
_NEW_CODED_VIDEO_SEQUENCE = 0x08


def is_keyframe(payload: bytes) -> bool:
    """Whether this RTP payload is the first of a coded video sequence, which starts with a keyframe."""
    return len(payload) > 1 and payload[0] & (_CONTINUES_FRAGMENT | _NEW_CODED_VIDEO_SEQUENCE) == (
        _NEW_CODED_VIDEO_SEQUENCE
    )
