"""AV1 aggregation headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.av1 import is_keyframe


@pytest.mark.parametrize(
    ("payload", "keyframe"),
    [
        (b"\x08\x0a", True),
        (b"\x18\x0a", True),
        (b"\x0f\x0a", True),
        (b"\x68\x0a", True),
        (b"\x88\x0a", False),
        (b"\x10\x0a", False),
        (b"\x00\x0a", False),
        (b"\x08", False),
        (b"", False),
    ],
)
def test_is_keyframe_of_a_payload(payload: bytes, keyframe: bool) -> None:
    assert is_keyframe(payload) is keyframe


@given(st.binary(max_size=4))
def test_is_keyframe_of_garbage_does_not_raise(payload: bytes) -> None:
    assert is_keyframe(payload) in (True, False)
