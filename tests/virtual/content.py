"""What the virtual studio shows: frames whose packets say which they are, so that a player can check what it got."""

import random
import struct
from dataclasses import dataclass, field

from gateway.wire.formats import TrackFormat
from gateway.wire.h264 import H264Profile

H264 = TrackFormat("video", "video/h264", 90_000, H264Profile.CONSTRAINED_BASELINE)
VP8 = TrackFormat("video", "video/vp8", 90_000)
OPUS = TrackFormat("audio", "audio/opus", 48_000)

FULL_PACKET_BYTES = 1100
KEYFRAME_PACKETS, DELTA_PACKETS = (14, 20), (2, 8)

_PREFIX_BYTES = 2
_PLACE = struct.Struct("!BIHH")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a packet belongs, as its payload says."""

    studio: int
    frame: int
    number: int
    count: int


@dataclass(slots=True)
class Frame:
    """A frame as the studio made it."""

    studio: int
    frame: int
    timestamp: int
    captured_s: float
    is_keyframe: bool
    payloads: list[bytes] = field(default_factory=list)


def place_of(payload: bytes) -> Place:
    """What a payload says of itself."""
    return Place(*_PLACE.unpack_from(payload, _PREFIX_BYTES))


def draw_payloads(mime: str, studio: int, frame: int, is_keyframe: bool, chance: random.Random) -> list[bytes]:
    """A frame's payloads: full packets and a shorter one, as encoders make them."""
    count = chance.randint(*(KEYFRAME_PACKETS if is_keyframe else DELTA_PACKETS))
    payloads = []
    for number in range(count):
        size_bytes = FULL_PACKET_BYTES if number < count - 1 else chance.randint(100, FULL_PACKET_BYTES)
        prefix = _PREFIXES[mime](number, is_keyframe)
        payload = prefix + _PLACE.pack(studio, frame, number, count)
        payloads.append(payload + chance.randbytes(size_bytes - len(payload)))
    return payloads


def draw_audio(studio: int, number: int, chance: random.Random) -> bytes:
    """One audio packet's payload."""
    return b"\0\0" + _PLACE.pack(studio, number, 0, 1) + chance.randbytes(chance.randint(60, 120))


def _h264_prefix(number: int, is_keyframe: bool) -> bytes:
    """SPS and PPS in packets of their own, then fragments of one slice (RFC 6184 section 5.8)."""
    if not is_keyframe:
        return b"\x5c\x81" if number == 0 else b"\x5c\x01"
    return {0: b"\x67\x42", 1: b"\x68\xce", 2: b"\x7c\x85"}.get(number, b"\x7c\x05")


def _vp8_prefix(number: int, is_keyframe: bool) -> bytes:
    """The payload descriptor, and in a frame's first packet its tag (RFC 7741 section 4.2)."""
    return (b"\x10" if number == 0 else b"\x00") + (b"\x00" if is_keyframe else b"\x01")


_PREFIXES = {"video/h264": _h264_prefix, "video/vp8": _vp8_prefix}
