"""Whether the payloads of a frame fit together: what sampled players check beyond that every packet came.

A server that cuts frames in the wrong place, mixes two, or sends a fragment under another number delivers packets
without a gap that no decoder can use.
"""

from collections.abc import Iterable

from gateway.wire.h264_depacketizer import FU_A

_NAL_TYPE_MASK = 0x1F
_START, _END = 0x80, 0x40


def h264_is_whole(payloads: Iterable[bytes]) -> bool:
    """Of a frame's RTP payloads in order (RFC 6184 section 5.8): each fragmented NAL unit has its first and its last
    fragment, all of one type, and nothing between them that is not its own."""
    open_type: int | None = None
    for payload in payloads:
        if not payload:
            return False
        if payload[0] & _NAL_TYPE_MASK != FU_A:
            if open_type is not None:
                return False
            continue
        if len(payload) < 2:
            return False
        flags, nal_type = payload[1], payload[1] & _NAL_TYPE_MASK
        if bool(flags & _START) is (open_type is not None) or (open_type is not None and nal_type != open_type):
            return False
        open_type = None if flags & _END else nal_type
    return open_type is None
