"""VP8 payload descriptors of every length, and the size in a keyframe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.vp8 import frame_size, is_keyframe
from tests.wire.vectors import read_vector

KEYFRAME_640_480 = bytes.fromhex("904a00 9d012a 8002 e001 00")
INTER_FRAME = bytes.fromhex("914a00 000000 0000 0000 00")

START_DESCRIPTORS = {
    "bare": "10",
    "non-reference": "30",
    "extended with nothing": "9000",
    "extended with reserved bits": "900f",
    "short picture id": "908011",
    "long picture id": "90808011",
    "TL0PICIDX": "904011",
    "TID": "902011",
    "KEYIDX": "901011",
    "everything": "90f0801122c0",
}


@pytest.mark.parametrize("descriptor", START_DESCRIPTORS.values(), ids=START_DESCRIPTORS.keys())
def test_keyframe_behind_a_descriptor(descriptor: str) -> None:
    payload = bytes.fromhex(descriptor) + KEYFRAME_640_480
    assert is_keyframe(payload)
    assert frame_size(payload) == (640, 480)


@pytest.mark.parametrize("descriptor", START_DESCRIPTORS.values(), ids=START_DESCRIPTORS.keys())
def test_inter_frame_behind_a_descriptor(descriptor: str) -> None:
    payload = bytes.fromhex(descriptor) + INTER_FRAME
    assert not is_keyframe(payload)
    assert frame_size(payload) is None


@pytest.mark.parametrize("descriptor", ["00", "11", "17", "8000", "01"])
def test_payload_that_starts_no_frame_is_no_keyframe(descriptor: str) -> None:
    payload = bytes.fromhex(descriptor) + KEYFRAME_640_480
    assert not is_keyframe(payload)
    assert frame_size(payload) is None


def test_keyframe_of_chromium() -> None:
    assert is_keyframe(read_vector("chromium_rtp_vp8_keyframe_start")[24:])


def test_frame_size_leaves_the_scale_out() -> None:
    assert frame_size(b"\x10" + bytes.fromhex("904a00 9d012a 80c2 e041")) == (640, 480)


@pytest.mark.parametrize("frame", ["904a00 9d012b 8002 e001", "904a00 9d012a 8002 e0", "904a00"])
def test_frame_size_without_a_whole_header_is_none(frame: str) -> None:
    assert frame_size(b"\x10" + bytes.fromhex(frame)) is None


@pytest.mark.parametrize("descriptor", ["", *START_DESCRIPTORS.values()])
def test_truncated_descriptor_is_no_keyframe(descriptor: str) -> None:
    whole = bytes.fromhex(descriptor)
    for size_bytes in range(len(whole) + 1):
        assert frame_size(whole[:size_bytes]) is None
    assert not is_keyframe(whole)


@given(st.binary(max_size=30))
def test_garbage_does_not_raise(payload: bytes) -> None:
    assert is_keyframe(payload) or frame_size(payload) is None
