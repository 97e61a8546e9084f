"""Frames that fit together, and frames that do not."""

import pytest

from loadgen.players.wholeness import h264_is_whole

SPS, SLICE = b"\x67\x42", b"\x41\x9a"
START, MIDDLE, END = b"\x7c\x81x", b"\x7c\x01x", b"\x7c\x41x"
OTHER_MIDDLE = b"\x7c\x05x"


@pytest.mark.parametrize(
    "payloads",
    [
        [],
        [SLICE],
        [SPS, SLICE],
        [START, END],
        [SPS, START, MIDDLE, MIDDLE, END],
        [START, END, START, MIDDLE, END],
    ],
)
def test_frame_that_fits_together_is_whole(payloads: list[bytes]) -> None:
    assert h264_is_whole(payloads)


@pytest.mark.parametrize(
    "payloads",
    [
        [START],
        [END],
        [MIDDLE],
        [START, MIDDLE],
        [START, SLICE, END],
        [START, START, END],
        [START, OTHER_MIDDLE, END],
        [START, END, END],
        [b""],
        [b"\x7c"],
    ],
)
def test_frame_that_does_not_fit_together_is_not_whole(payloads: list[bytes]) -> None:
    assert not h264_is_whole(payloads)
