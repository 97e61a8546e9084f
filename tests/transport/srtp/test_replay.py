from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.srtp.replay import WINDOW_PACKETS, ReplayWindow


def _window(indices: Iterable[int]) -> ReplayWindow:
    window = ReplayWindow()
    for index in indices:
        window.add(index)
    return window


def test_window_at_first_takes_any_index() -> None:
    assert ReplayWindow().is_new(0)
    assert ReplayWindow().is_new(1 << 47)


def test_window_refuses_what_was_added() -> None:
    window = _window([7, 9])
    assert not window.is_new(7)
    assert not window.is_new(9)
    assert window.is_new(8)


@pytest.mark.parametrize(("behind", "is_new"), [(WINDOW_PACKETS - 1, True), (WINDOW_PACKETS, False)])
def test_window_ends_after_its_size(behind: int, is_new: bool) -> None:
    window = _window([5000])
    assert window.is_new(5000 - behind) is is_new


def test_window_after_a_leap_forgets_what_is_too_old_to_matter() -> None:
    window = _window([*range(100), 1_000_000])
    assert window.highest == 1_000_000
    assert window.is_new(1_000_000 - WINDOW_PACKETS + 1)
    assert not window.is_new(99)


def test_window_when_only_asked_does_not_change() -> None:
    window = _window([10])
    assert window.is_new(20)
    assert window.is_new(20)
    assert window.highest == 10


@given(st.lists(st.integers(0, 3 * WINDOW_PACKETS), max_size=200))
def test_window_agrees_with_a_set(indices: list[int]) -> None:
    window, seen = ReplayWindow(), set[int]()
    for index in indices:
        expected = index not in seen and index > max(seen, default=-1) - WINDOW_PACKETS
        assert window.is_new(index) is expected
        if expected:
            window.add(index)
            seen.add(index)
