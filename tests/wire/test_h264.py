"""H.264: keyframes in every packetization, and profiles."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.h264 import H264Profile, is_keyframe, profile_class

SPS, PPS, IDR, SLICE, SEI = (bytes((0x60 | nal_type,)) + b"nal" for nal_type in (7, 8, 5, 1, 6))


def stap_a(*nal_units: bytes) -> bytes:
    return b"\x78" + b"".join(len(nal_unit).to_bytes(2, "big") + nal_unit for nal_unit in nal_units)


@pytest.mark.parametrize(
    ("payload", "keyframe"),
    [
        (IDR, True),
        (SPS, True),
        (PPS, False),
        (SLICE, False),
        (SEI, False),
        (stap_a(SPS, PPS), True),
        (stap_a(PPS, SEI, IDR), True),
        (stap_a(PPS, SEI), False),
        (stap_a(SLICE), False),
        (b"\x7c\x85slice", True),
        (b"\x7c\x05slice", False),
        (b"\x7c\x45slice", False),
        (b"\x7c\x81slice", False),
        (b"\x7c\x87sps", True),
        (b"", False),
        (b"\x7c", False),
        (b"\x78", False),
        (b"\x78\x00\x04", False),
        (b"\x78\x00\x00\x67", True),
        (b"\x78\xff\xff\x68\x67", False),
    ],
)
def test_is_keyframe_of_a_payload(payload: bytes, keyframe: bool) -> None:
    assert is_keyframe(payload) is keyframe


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda tail: b"\x78" + tail))
def test_is_keyframe_of_garbage_does_not_raise(payload: bytes) -> None:
    assert is_keyframe(payload) in (True, False)


@pytest.mark.parametrize(
    ("profile_level_id", "profile"),
    [
        ("42e01f", H264Profile.CONSTRAINED_BASELINE),
        ("42C01E", H264Profile.CONSTRAINED_BASELINE),
        ("42f00b", H264Profile.CONSTRAINED_BASELINE),
        ("4d8028", H264Profile.CONSTRAINED_BASELINE),
        ("58c01f", H264Profile.CONSTRAINED_BASELINE),
        ("42001f", H264Profile.BASELINE),
        ("42a01f", H264Profile.BASELINE),
        ("58801f", H264Profile.BASELINE),
        ("4d001f", H264Profile.MAIN),
        ("4d4028", H264Profile.MAIN),
        ("58001f", H264Profile.EXTENDED),
        ("64001f", H264Profile.HIGH),
        ("640032", H264Profile.HIGH),
        ("640c1f", H264Profile.CONSTRAINED_HIGH),
        ("6e0028", H264Profile.HIGH_10),
        ("6e1028", H264Profile.HIGH_10_INTRA),
        ("7a0028", H264Profile.HIGH_422),
        ("7a1028", H264Profile.HIGH_422_INTRA),
        ("f4001f", H264Profile.HIGH_444_PREDICTIVE),
        ("f41028", H264Profile.HIGH_444_INTRA),
        ("2c1028", H264Profile.CAVLC_444_INTRA),
    ],
)
def test_profile_class_of_rfc_6184_table_5(profile_level_id: str, profile: H264Profile) -> None:
    assert profile_class(profile_level_id) is profile


@pytest.mark.parametrize(
    "profile_level_id",
    [
        "",
        "42e0",
        "42e01",
        "42e01f00",
        "42e01g",
        "0x42e0",
        "42 e0 1f",
        "42e01f\n",
        "42é01f",
        "00e01f",
        "42e11f",
        "64101f",
    ],
)
def test_profile_class_refuses(profile_level_id: str) -> None:
    with pytest.raises(WireError):
        profile_class(profile_level_id)


@given(st.text(max_size=8) | st.text("0123456789abcdefABCDEF", min_size=6, max_size=6))
def test_profile_class_of_garbage_raises_nothing_else(profile_level_id: str) -> None:
    with suppress(WireError):
        profile_class(profile_level_id)
