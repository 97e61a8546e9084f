"""The table of codecs."""

import pytest

from gateway.wire.codecs import KEYFRAME_TESTS

KEYFRAMES = {
    "video/h264": b"\x65slice",
    "video/vp8": b"\x10\x90",
    "video/vp9": b"\x08\xaa",
    "video/av1": b"\x08\x0a",
}


@pytest.mark.parametrize("media_type", KEYFRAME_TESTS)
def test_every_codec_knows_its_own_keyframe(media_type: str) -> None:
    assert KEYFRAME_TESTS[media_type](KEYFRAMES[media_type])
    assert not KEYFRAME_TESTS[media_type](b"")


def test_every_video_codec_is_in_the_table() -> None:
    assert set(KEYFRAME_TESTS) == set(KEYFRAMES)
