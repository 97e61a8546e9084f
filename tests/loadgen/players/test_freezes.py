from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.players.freezes import MIN_DELAYS, PAUSE_S, WINDOW_DELAYS, FreezeRule

FRAME_S = 0.03125
"""32 frames a second: sums of it are exact."""


def rule_after(delays_s: Iterable[float]) -> FreezeRule:
    """A rule that has seen one frame more than delays, the last of them at the sum of the delays."""
    rule = FreezeRule()
    render_s = 0.0
    rule.on_frame(render_s)
    for delay_s in delays_s:
        render_s += delay_s
        rule.on_frame(render_s)
    return rule


def least_freeze_s(earlier: int, frame_s: float) -> float:
    """The least delay that is a freeze after so many of `frame_s`: it is in its own average."""
    count = min(earlier + 1, WINDOW_DELAYS)
    others_s = (count - 1) * frame_s
    return max(3 * others_s / (count - 3), (others_s + count * 0.150) / (count - 1))


def test_frames_in_step_are_no_freeze() -> None:
    rule = rule_after([FRAME_S] * 1000)
    assert (rule.freezes, rule.frozen_s, rule.longest_gap_s) == (0, 0.0, FRAME_S)


def test_freeze_of_two_seconds_counts_in_its_whole_length() -> None:
    rule = rule_after([FRAME_S] * 90)
    assert rule.on_frame(90 * FRAME_S + 2.0) == 2.0
    assert (rule.freezes, rule.frozen_s, rule.longest_gap_s) == (1, 2.0, 2.0)


@pytest.mark.parametrize("earlier", [4, 10, WINDOW_DELAYS - 1, WINDOW_DELAYS, 200])
@pytest.mark.parametrize("frame_s", [FRAME_S, 0.25])
@pytest.mark.parametrize(("more_s", "freezes"), [(-1e-6, 0), (1e-6, 1)])
def test_freeze_begins_at_the_larger_of_the_two_bounds(
    earlier: int, frame_s: float, more_s: float, freezes: int
) -> None:
    assert rule_after([*[frame_s] * earlier, least_freeze_s(earlier, frame_s) + more_s]).freezes == freezes


def test_bounds_are_those_of_libwebrtc() -> None:
    assert least_freeze_s(200, FRAME_S) == pytest.approx(FRAME_S + 0.150 * 30 / 29)
    assert least_freeze_s(200, 0.25) == pytest.approx(3 * 0.25 * 29 / 27)


@pytest.mark.parametrize(("earlier", "freezes"), [(3, 0), (4, 1)])
def test_first_delays_are_no_freeze_until_there_are_five(earlier: int, freezes: int) -> None:
    assert rule_after([*[FRAME_S] * earlier, 2.0]).freezes == freezes


def test_freeze_raises_the_average_for_a_window() -> None:
    in_the_window = [*[FRAME_S] * 60, 4.0, *[FRAME_S] * (WINDOW_DELAYS - 2), 0.25]
    behind_it = [*[FRAME_S] * 60, 4.0, *[FRAME_S] * (WINDOW_DELAYS - 1), 0.25]
    assert rule_after(in_the_window).freezes == 1
    assert rule_after(behind_it).freezes == 2


def test_pause_is_frozen_and_stays_out_of_the_average() -> None:
    rule = rule_after([*[FRAME_S] * 60, 30.0, FRAME_S, 0.25])
    assert (rule.freezes, rule.frozen_s) == (2, 30.25)


def test_pause_counts_before_there_are_five_delays() -> None:
    assert rule_after([PAUSE_S + 0.1]).freezes == 1
    assert rule_after([PAUSE_S]).freezes == 0


def test_clock_that_steps_back_leaves_the_average_alone() -> None:
    rule = rule_after([*[FRAME_S] * 60, -3600.0, *[FRAME_S] * 5])
    assert (rule.freezes, rule.longest_gap_s) == (0, FRAME_S)
    assert rule.pending(62 * FRAME_S - 3600.0 + 1.0) > 0.9


def test_pending_is_the_freeze_that_a_frame_would_end() -> None:
    delays_s = [FRAME_S] * 60
    rule = rule_after(delays_s)
    last_s = sum(delays_s)
    assert rule.pending(last_s + 0.1) == 0.0
    assert rule.pending(last_s + 1.5) == 1.5
    assert (rule.freezes, rule.frozen_s) == (0, 0.0)


def test_pending_without_any_frame_is_nothing() -> None:
    assert FreezeRule().pending(1000.0) == 0.0


@given(st.lists(st.integers(0, 6000), min_size=1, max_size=150))
def test_freezes_agree_with_the_rule_written_out(delays_ms: list[int]) -> None:
    renders_ms = [sum(delays_ms[:count]) for count in range(len(delays_ms) + 1)]
    rule, written_out = FreezeRule(), 0
    kept_ms: list[int] = []
    rule.on_frame(0.0)
    for before_ms, render_ms in pairwise(renders_ms):
        delay_ms = render_ms - before_ms
        pending_s = rule.pending(render_ms / 1000)
        frozen_s = rule.on_frame(render_ms / 1000)
        assert pending_s == pytest.approx(frozen_s)
        kept_ms += [delay_ms] if delay_ms <= 5000 else []
        window_ms = kept_ms[-WINDOW_DELAYS:]
        average_ms = sum(window_ms) / len(window_ms) if window_ms else 0.0
        above_ms = delay_ms - max(3 * average_ms, average_ms + 150)
        if abs(above_ms) < 1e-6 or delay_ms == 5000:
            return  # On an edge itself binary fractions of seconds decide.
        is_freeze = delay_ms > 5000 or (len(window_ms) >= MIN_DELAYS and above_ms >= 0)
        assert (frozen_s > 0) == is_freeze
        written_out += is_freeze
    assert rule.freezes == written_out
