"""Serial numbers, above all at the wrap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.serial import delta16, delta32, unwrap16, unwrap32


@pytest.mark.parametrize(
    ("newer", "older", "distance"),
    [
        (5, 3, 2),
        (3, 5, -2),
        (7, 7, 0),
        (0, 0xFFFF, 1),
        (0xFFFF, 0, -1),
        (10, 0xFFF0, 26),
        (0x7FFF, 0, 32767),
        (0x8000, 0, -32768),
        (0, 0x8000, -32768),
    ],
)
def test_delta16_at_the_wrap(newer: int, older: int, distance: int) -> None:
    assert delta16(newer, older) == distance


@pytest.mark.parametrize(
    ("newer", "older", "distance"),
    [
        (0, 0xFFFF_FFFF, 1),
        (0xFFFF_FFFF, 0, -1),
        (0x7FFF_FFFF, 0, 0x7FFF_FFFF),
        (0x8000_0000, 0, -0x8000_0000),
        (90_000, 0xFFFF_FFFF, 90_001),
    ],
)
def test_delta32_at_the_wrap(newer: int, older: int, distance: int) -> None:
    assert delta32(newer, older) == distance


@pytest.mark.parametrize(
    ("sequence_number", "near", "extended"),
    [
        (0, 0xFFFF, 0x1_0000),
        (0xFFFF, 0x1_0000, 0xFFFF),
        (2, 0x2_FFFE, 0x3_0002),
        (0xFFFE, 3, -2),
        (0x1234, 0x5_1200, 0x5_1234),
    ],
)
def test_unwrap16_across_a_cycle(sequence_number: int, near: int, extended: int) -> None:
    assert unwrap16(sequence_number, near) == extended


@pytest.mark.parametrize(
    ("timestamp", "near", "extended"),
    [(0, 0xFFFF_FFFF, 0x1_0000_0000), (0xFFFF_FFFF, 0x1_0000_0000, 0xFFFF_FFFF), (0xFFFF_FFFF, 0, -1)],
)
def test_unwrap32_across_a_cycle(timestamp: int, near: int, extended: int) -> None:
    assert unwrap32(timestamp, near) == extended


@given(near=st.integers(0, 2**48), offset=st.integers(-0x8000, 0x7FFF))
def test_unwrap16_returns_what_was_wrapped(near: int, offset: int) -> None:
    assert unwrap16((near + offset) & 0xFFFF, near) == near + offset


@given(near=st.integers(0, 2**48), offset=st.integers(-0x8000_0000, 0x7FFF_FFFF))
def test_unwrap32_returns_what_was_wrapped(near: int, offset: int) -> None:
    assert unwrap32((near + offset) & 0xFFFF_FFFF, near) == near + offset


@given(older=st.integers(0, 0xFFFF), distance=st.integers(-0x8000, 0x7FFF))
def test_delta16_undoes_an_addition(older: int, distance: int) -> None:
    assert delta16((older + distance) & 0xFFFF, older) == distance
