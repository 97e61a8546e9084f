"""RTP header extensions: the element forms of RFC 8285, their URIs, and the values that the gateway reads or writes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors import MisuseError, WireError

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
VIDEO_ORIENTATION = "urn:3gpp:video-orientation"
TRANSPORT_SEQUENCE_NUMBER = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
ABS_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
COLOR_SPACE = "http://www.webrtc.org/experiments/rtp-hdrext/color-space"

ONE_BYTE_PROFILE = 0xBEDE
TWO_BYTE_PROFILE = 0x1000
_TWO_BYTE_PROFILE_MASK = 0xFFF0  # the low 4 bits are "appbits"

_PLAYOUT_DELAY_UNIT_MS = 10
_PLAYOUT_DELAY_MAX_MS = 0xFFF * _PLAYOUT_DELAY_UNIT_MS


def parse_extensions(profile: int, body: bytes) -> dict[int, bytes]:
    """Element id -> value, for the one-byte and the two-byte form; other profiles hold no elements for us.

    Raises WireError when an element runs past the end.
    """
    if profile == ONE_BYTE_PROFILE:
        return _parse_one_byte(body)
    if profile & _TWO_BYTE_PROFILE_MASK == TWO_BYTE_PROFILE:
        return _parse_two_byte(body)
    return {}


def _parse_one_byte(body: bytes) -> dict[int, bytes]:
    elements: dict[int, bytes] = {}
    offset, size_bytes = 0, len(body)
    while offset < size_bytes:
        head = body[offset]
        offset += 1
        if head == 0:
            continue
        if head >= 0xF0 or head < 0x10:
            break  # id 15, and id 0 with a length, end the block (RFC 8285 section 4.2)
        end = offset + (head & 0x0F) + 1
        if end > size_bytes:
            raise WireError("one-byte header extension element is past the end")
        elements[head >> 4] = body[offset:end]
        offset = end
    return elements


def _parse_two_byte(body: bytes) -> dict[int, bytes]:
    elements: dict[int, bytes] = {}
    offset, size_bytes = 0, len(body)
    while offset < size_bytes:
        element_id = body[offset]
        if element_id == 0:
            offset += 1
            continue
        start = offset + 2
        if start > size_bytes or start + body[offset + 1] > size_bytes:
            raise WireError("two-byte header extension element is past the end")
        offset = start + body[offset + 1]
        elements[element_id] = body[start:offset]
    return elements


def serialize_extensions(elements: Sequence[tuple[int, bytes]]) -> bytes:
    """The whole block, profile and length words included, padded to 32 bits; empty without elements.

    The one-byte form is used where every id and length allows it. Raises MisuseError for an id outside 1..255 or a
    value longer than 255 bytes.
    """
    if not elements:
        return b""
    if all(1 <= element_id <= 14 and 1 <= len(value) <= 16 for element_id, value in elements):
        profile = ONE_BYTE_PROFILE
        body = b"".join(bytes((element_id << 4 | len(value) - 1,)) + value for element_id, value in elements)
    else:
        profile = TWO_BYTE_PROFILE
        body = b"".join(_pack_two_byte(element_id, value) for element_id, value in elements)
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", profile, len(body) // 4) + body


def _pack_two_byte(element_id: int, value: bytes) -> bytes:
    if not 1 <= element_id <= 255:
        raise MisuseError(f"header extension id {element_id} is outside 1..255")
    if len(value) > 255:
        raise MisuseError(f"header extension value of {len(value)} bytes is longer than 255")
    return bytes((element_id, len(value))) + value


def pack_playout_delay(min_ms: int, max_ms: int) -> bytes:
    """The playout-delay value: two 12-bit counts of 10 ms; what is finer is rounded down.

    Raises MisuseError unless 0 <= min_ms <= max_ms <= 40950.
    """
    if not 0 <= min_ms <= max_ms <= _PLAYOUT_DELAY_MAX_MS:
        raise MisuseError(f"playout delay {min_ms}..{max_ms} ms is outside 0..{_PLAYOUT_DELAY_MAX_MS}")
    return (min_ms // _PLAYOUT_DELAY_UNIT_MS << 12 | max_ms // _PLAYOUT_DELAY_UNIT_MS).to_bytes(3, "big")


def parse_playout_delay(value: bytes) -> tuple[int, int]:
    """`(min_ms, max_ms)`. Raises WireError unless the value is 3 bytes."""
    if len(value) != 3:
        raise WireError(f"playout-delay is {len(value)} bytes, not 3")
    bits = int.from_bytes(value, "big")
    return (bits >> 12) * _PLAYOUT_DELAY_UNIT_MS, (bits & 0xFFF) * _PLAYOUT_DELAY_UNIT_MS


@dataclass(frozen=True, slots=True)
class AbsCaptureTime:
    """When a frame was captured, by the capturer's clock (abs-capture-time)."""

    ntp_timestamp: int
    """UQ32.32 seconds since 1900."""
    clock_offset: int | None = None
    """Q32.32 seconds to add to reach the clock of the sender that last passed it on; None when it is not known."""

    def serialize(self) -> bytes:
        """8 bytes, 16 with the offset."""
        if self.clock_offset is None:
            return struct.pack("!Q", self.ntp_timestamp)
        return struct.pack("!Qq", self.ntp_timestamp, self.clock_offset)


def parse_abs_capture_time(value: bytes) -> AbsCaptureTime:
    """Raises WireError unless the value is 8 or 16 bytes."""
    if len(value) == 8:
        return AbsCaptureTime(int.from_bytes(value, "big"))
    if len(value) == 16:
        return AbsCaptureTime(*struct.unpack("!Qq", value))
    raise WireError(f"abs-capture-time is {len(value)} bytes, neither 8 nor 16")
