import itertools
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hls.segmenter import PART_LEAST_SHARE, PART_TARGET_SLACK, SEGMENT_LEAST_SHARE, Durations, PartClock

VIDEO_HZ = 90_000
TARGET = round(0.2 * PART_TARGET_SLACK * VIDEO_HZ)


def durations() -> Durations:
    return Durations.of(VIDEO_HZ, 0.2 * PART_TARGET_SLACK, 2.0, 2)


def parts_of(frames: list[int]) -> list[list[int]]:
    """The frames as the writers put them into parts; the last one is open."""
    clock = PartClock(durations())
    parts: list[list[int]] = [[]]
    for frame in frames:
        if clock.must_close_before(frame):
            clock.on_part()
            parts.append([])
        parts[-1].append(frame)
        if clock.add(frame):
            clock.on_part()
            parts.append([])
    return [part for part in parts[:-1] if part]


def jittered(fps: Fraction, seconds: int, jitter_ticks: int, seed: int) -> list[int]:
    chance = random.Random(seed)
    times = [
        round(number * VIDEO_HZ / fps) + chance.randint(-jitter_ticks, jitter_ticks)
        for number in range(seconds * int(fps))
    ]
    return [after - before for before, after in itertools.pairwise(times)]


def test_durations_of_a_track() -> None:
    assert PART_LEAST_SHARE == 0.85, "section 4.4.4.9"
    assert durations() == Durations(16_066, TARGET, round(SEGMENT_LEAST_SHARE * 2 * VIDEO_HZ), round(2.45 * VIDEO_HZ))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("fps", "jitter_ms"),
    [
        (Fraction(30), 2.0),
        (Fraction(25), 3.0),
        (Fraction(24), 0.7),
        (Fraction(50), 2.0),
        (Fraction(60), 2.0),
        (Fraction(30_000, 1001), 2.0),
        (Fraction(15), 3.0),
        (Fraction(20), 3.0),
    ],
)
def test_parts_of_steady_frames_are_near_the_target(fps: Fraction, jitter_ms: float, seed: int) -> None:
    parts = parts_of(jittered(fps, 60, int(jitter_ms * 90), seed))
    sums = [sum(part) for part in parts]
    assert max(sums) <= TARGET
    assert min(sums) >= PART_LEAST_SHARE * TARGET
    assert {len(part) for part in parts} == {round(fps / 5)}


@settings(deadline=None)
@given(st.lists(st.integers(1, 30_000), max_size=200))
def test_no_part_is_over_the_target_but_by_one_frame(frames: list[int]) -> None:
    parts = parts_of(frames)
    flat = [frame for part in parts for frame in part]
    assert flat == frames[: len(flat)]
    for part in parts:
        assert sum(part) <= TARGET or len(part) == 1


@settings(deadline=None)
@given(st.lists(st.integers(1000, 6000), min_size=30, max_size=200))
def test_part_ends_only_when_another_frame_would_not_fit(frames: list[int]) -> None:
    parts = parts_of(frames)
    following = iter(frames)
    for part in parts:
        for _ in part:
            next(following)
        # Either the next frame is known not to fit, or one like the last would not have.
        remaining = frames[sum(len(each) for each in parts[: parts.index(part) + 1]) :]
        beyond = max(part[-1], remaining[0] if remaining else part[-1])
        assert sum(part) + beyond > TARGET


def test_segment_ends_at_a_keyframe_that_is_not_too_early() -> None:
    clock = PartClock(durations())
    clock.add(135_000 - 1)
    assert not clock.may_end_segment(45_000)
    clock.add(1)
    assert clock.may_end_segment(45_000)
    clock.on_segment()
    assert not clock.may_end_segment(45_000)
    assert clock.segment_ticks == 0


def test_segment_ends_at_an_early_keyframe_when_the_next_will_come_too_late() -> None:
    clock = PartClock(durations())
    clock.add(108_000)
    assert not clock.may_end_segment(108_000)
    assert clock.may_end_segment(113_000)
    clock.on_segment()
    clock.add(60_000)
    assert not clock.may_end_segment(200_000), "half of the least at least"


def test_segment_never_rounds_up_over_the_target_duration() -> None:
    clock = PartClock(durations())
    clock.add(217_500)
    assert not clock.must_end_segment(3000)
    assert clock.must_end_segment(3001)


def test_segment_without_a_sample_takes_one_of_any_length() -> None:
    clock = PartClock(durations())
    assert not clock.must_end_segment(10 * VIDEO_HZ)


def test_part_clock_begins_anew_with_each_part() -> None:
    clock = PartClock(durations())
    assert not clock.must_close_before(10 * TARGET), "an empty part takes any frame"
    assert not clock.add(6000)
    assert clock.must_close_before(TARGET - 5999)
    assert not clock.must_close_before(TARGET - 6000)
    clock.on_part()
    assert not clock.must_close_before(TARGET)
    assert clock.segment_ticks == 6000
