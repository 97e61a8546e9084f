"""VP9 payload descriptors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.vp9 import is_keyframe


@pytest.mark.parametrize(
    ("payload", "keyframe"),
    [
        ("08 aa", True),
        ("0c aa", True),
        ("09 02 aa", True),
        ("88 11 aa", True),
        ("88 8011 aa", True),
        ("a8 8011 00 00 aa", True),
        ("a8 8011 e0 00 aa", True),
        ("9a 8011 aa", True),
        ("48 aa", False),
        ("00 aa", False),
        ("84 11 aa", False),
        ("c8 8011 aa", False),
        ("a8 8011 02 00 aa", False),
        ("28 03 00 aa", False),
        ("", False),
        ("08", False),
        ("88 11", False),
        ("88 8011", False),
        ("a8 8011", False),
    ],
)
def test_is_keyframe_of_a_payload(payload: str, keyframe: bool) -> None:
    assert is_keyframe(bytes.fromhex(payload)) is keyframe


@given(st.binary(max_size=10))
def test_is_keyframe_of_garbage_does_not_raise(payload: bytes) -> None:
    assert is_keyframe(payload) in (True, False)
