"""H.264 in RTP (RFC 6184): where a keyframe starts, and which profiles are the same."""

import enum
import re

from gateway.errors import WireError
from gateway.wire.h264_depacketizer import FU_A, FU_START, IDR, NAL_TYPE_MASK, SPS, STAP_A

_KEYFRAME_NAL_TYPES = frozenset((IDR, SPS))

_SIX_HEX_DIGITS = re.compile("[0-9a-fA-F]{6}")


def is_keyframe(payload: bytes) -> bool:
    """Whether this RTP payload starts an IDR slice or holds an SPS: alone, aggregated or as the first fragment."""
    if not payload:
        return False
    nal_type = payload[0] & NAL_TYPE_MASK
    if nal_type == STAP_A:
        return _aggregates_keyframe(payload)
    if nal_type == FU_A:
        return len(payload) > 1 and payload[1] >= FU_START and payload[1] & NAL_TYPE_MASK in _KEYFRAME_NAL_TYPES
    return nal_type in _KEYFRAME_NAL_TYPES


def _aggregates_keyframe(payload: bytes) -> bool:
    offset = 1
    while offset + 2 < len(payload):
        if payload[offset + 2] & NAL_TYPE_MASK in _KEYFRAME_NAL_TYPES:
            return True
        offset += 2 + (payload[offset] << 8 | payload[offset + 1])
    return False


class H264Profile(enum.Enum):
    """The profiles of RFC 6184 table 5; constrained high is H.264's own (A.2.4.2) and what browsers offer as 640c."""

    CONSTRAINED_BASELINE = "constrained-baseline"
    BASELINE = "baseline"
    MAIN = "main"
    EXTENDED = "extended"
    CONSTRAINED_HIGH = "constrained-high"
    HIGH = "high"
    HIGH_10 = "high-10"
    HIGH_422 = "high-422"
    HIGH_444_PREDICTIVE = "high-444-predictive"
    HIGH_10_INTRA = "high-10-intra"
    HIGH_422_INTRA = "high-422-intra"
    HIGH_444_INTRA = "high-444-intra"
    CAVLC_444_INTRA = "cavlc-444-intra"


_PROFILES = (
    # profile_idc, profile_iop with x for any bit
    (0x42, "x1xx0000", H264Profile.CONSTRAINED_BASELINE),
    (0x4D, "1xxx0000", H264Profile.CONSTRAINED_BASELINE),
    (0x58, "11xx0000", H264Profile.CONSTRAINED_BASELINE),
    (0x42, "x0xx0000", H264Profile.BASELINE),
    (0x58, "10xx0000", H264Profile.BASELINE),
    (0x4D, "0x0x0000", H264Profile.MAIN),
    (0x58, "00xx0000", H264Profile.EXTENDED),
    (0x64, "00000000", H264Profile.HIGH),
    (0x64, "00001100", H264Profile.CONSTRAINED_HIGH),
    (0x6E, "00000000", H264Profile.HIGH_10),
    (0x7A, "00000000", H264Profile.HIGH_422),
    (0xF4, "00000000", H264Profile.HIGH_444_PREDICTIVE),
    (0x6E, "00010000", H264Profile.HIGH_10_INTRA),
    (0x7A, "00010000", H264Profile.HIGH_422_INTRA),
    (0xF4, "00010000", H264Profile.HIGH_444_INTRA),
    (0x2C, "00010000", H264Profile.CAVLC_444_INTRA),
)


def profile_class(profile_level_id: str) -> H264Profile:
    """The profile of an SDP `profile-level-id`, which several values may name (RFC 6184 section 8.1).

    Raises WireError unless it is six hexadecimal digits of a known profile.
    """
    if not _SIX_HEX_DIGITS.fullmatch(profile_level_id):
        raise WireError(f"profile-level-id {profile_level_id[:40]!r} is not six hexadecimal digits")
    profile_idc, profile_iop, _level_idc = bytes.fromhex(profile_level_id)
    bits = f"{profile_iop:08b}"
    for idc, pattern, profile in _PROFILES:
        if idc == profile_idc and _matches(bits, pattern):
            return profile
    raise WireError(f"profile-level-id {profile_level_id} is of no known profile")


def _matches(bits: str, pattern: str) -> bool:
    return all(expected in ("x", bit) for bit, expected in zip(bits, pattern, strict=True))
