"""What the gateway must know of each video codec that it passes through."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.wire import av1, h264, vp8, vp9

KEYFRAME_TESTS: Mapping[str, Callable[[bytes], bool]] = MappingProxyType(
    {
        "video/h264": h264.is_keyframe,
        "video/vp8": vp8.is_keyframe,
        "video/vp9": vp9.is_keyframe,
        "video/av1": av1.is_keyframe,
    }
)
"""Media type in lower case -> whether an RTP payload carries the start of a keyframe. None raises on garbage."""
