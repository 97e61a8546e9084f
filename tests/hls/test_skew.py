"""When a sample more or less is due: for drift and lasting offsets, never for jitter."""

import random

from gateway.hls.skew import Skew

PACKET = 960


def slewed(offsets: list[int]) -> int:
    """Observe offsets that the slewing itself does not change; return the sum of what was asked for."""
    skew = Skew()
    return sum(skew.observe(offset, PACKET) for offset in offsets)


def test_jitter_of_5_ms_is_left_alone() -> None:
    jitter = random.Random(1)
    skew = Skew()
    assert not any(skew.observe(jitter.randint(-240, 240), PACKET) for _ in range(15_000))


def test_offset_of_4_ms_is_slewed_towards_the_position_and_then_left_alone() -> None:
    for offset in (192, -192):
        skew = Skew()
        left = offset
        steps = []
        for _ in range(1000):
            steps.append(skew.observe(left, PACKET))
            left -= steps[-1]
        assert 85 <= abs(left) <= 97  # it stops where the dead band begins and does not overshoot
        assert left * offset > 0
        assert not any(steps[-500:])


def test_slewing_is_one_sample_in_1024_at_most() -> None:
    packets = 2000
    assert 0.4 * packets < slewed([500] * packets) <= packets * PACKET / 1024


def test_short_packets_are_slewed_no_faster() -> None:
    skew = Skew()
    packets = 8000
    assert sum(skew.observe(500, 120) for _ in range(packets)) <= packets * 120 / 1024


def test_forget_ends_the_slewing() -> None:
    skew = Skew()
    assert sum(skew.observe(500, PACKET) for _ in range(100)) > 0
    skew.forget()
    assert not any(skew.observe(0, PACKET) for _ in range(100))
