"""Sliding windows: what is in them, what has left, and how much they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qos.measurement import Measurement
from qos.sketch import Sketch
from qos.windows import SPANS, Span, Window, Windows

MINUTE = SPANS[0]


def second(frames: int = 25) -> Measurement:
    """What a second measured."""
    return Measurement(window_ms=1000, ingest_frames=frames, rtt=Sketch([0.02]))


@pytest.mark.parametrize("span", SPANS, ids=lambda span: span.name)
def test_window_covers_its_span_and_no_more(span: Span) -> None:
    window = Window(span)
    for now_s in range(round(span.seconds * 1.5)):
        window.add(second(), float(now_s))
    assert span.seconds - span.bucket_s <= window.total.window_ms / 1000 <= span.seconds
    assert window.total.ingest_frames == window.total.window_ms / 1000 * 25 == window.total.rtt.count * 25


def test_window_forgets_what_is_too_old_even_after_a_pause() -> None:
    window = Window(MINUTE)
    window.add(second(1000), 0.0)
    window.add(second(1), 200.0)
    assert window.total == second(1)


@given(st.lists(st.tuples(st.floats(0.1, 400), st.integers(0, 100)), min_size=1, max_size=100))
def test_total_is_always_the_sum_of_the_recent(steps: list[tuple[float, int]]) -> None:
    window, now_s, seen = Window(MINUTE), 0.0, []
    for elapsed_s, frames in steps:
        now_s += elapsed_s
        window.add(second(frames), now_s)
        seen.append((now_s, frames))
        newest = sum(frames for at_s, frames in seen if now_s - at_s < MINUTE.seconds - MINUTE.bucket_s)
        oldest = sum(frames for at_s, frames in seen if now_s - at_s < MINUTE.seconds)
        assert newest <= window.total.ingest_frames <= oldest


def test_memory_of_an_hour_is_bounded() -> None:
    windows = Windows()
    for now_s in range(4000):
        windows.add(second(), float(now_s))
    assert {name: len(window) for name, window in windows.windows.items()} == {"1m": 12, "5m": 60, "1h": 60}
    assert windows.total("1h").rtt.count == windows.total("1h").window_ms / 1000
