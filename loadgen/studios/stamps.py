"""The stamp that a studio puts into each frame: when it was sent, in an SEI message that decoders pass over.

SEI user_data_unregistered (ITU-T H.264 section D.1.7): a UUID of our own, then the time and the frame's number as
hexadecimal digits. Digits are never zero bytes, so that no emulation prevention is needed and the unit's size is fixed.
"""

import uuid
from collections.abc import Iterable
from typing import NamedTuple

from gateway.wire.h264_depacketizer import STAP_A

_UUID = uuid.UUID("8d1f6b52-3c7e-4e9a-b64d-71a25fc93e18")
_USER_DATA_UNREGISTERED = 5
_SEI_HEADER = 6
"""NAL type 6 and nal_ref_idc 0: no other picture needs it."""
_STOP_BIT = b"\x80"

_TIME_DIGITS = 16
_DIGITS = _TIME_DIGITS + 8
_BEGINNING = bytes((_SEI_HEADER, _USER_DATA_UNREGISTERED, len(_UUID.bytes) + _DIGITS)) + _UUID.bytes
_TIME_END = len(_BEGINNING) + _TIME_DIGITS
_END = len(_BEGINNING) + _DIGITS

STAMP_NAL_BYTES = _END + len(_STOP_BIT)

_TYPE_MASK = 0x1F


class Stamp(NamedTuple):
    """What a studio said of a frame."""

    unix_ns: int
    """When its first packet was sent, on the studio's clock."""
    frame_number: int
    """Since the studio went on air, modulo 2**32."""


def sei_nal(unix_ns: int, frame_number: int) -> bytes:
    """The NAL unit, to stand right before the frame's first slice."""
    return _BEGINNING + b"%016x%08x" % (unix_ns, frame_number & 0xFFFFFFFF) + _STOP_BIT


def find_stamp(payloads: Iterable[bytes]) -> Stamp | None:
    """The stamp in the RTP payloads of a frame: alone, or in a STAP-A (RFC 6184 section 5.7.1); None without one."""
    for payload in payloads:
        if payload.startswith(_BEGINNING):
            return _parse(payload, 0)
        if payload and payload[0] & _TYPE_MASK == STAP_A and (start := payload.find(_BEGINNING)) >= 0:
            return _parse(payload, start)
    return None


def _parse(payload: bytes, start: int) -> Stamp | None:
    if len(payload) < start + _END:
        return None
    time_end = start + _TIME_END
    try:
        return Stamp(int(payload[start + len(_BEGINNING) : time_end], 16), int(payload[time_end : start + _END], 16))
    except ValueError:
        return None
