"""What a window cost, from readings."""

import os

from tests.bench.node.cost import CoreClock, Reading


def test_reading_leaves_out_what_others_had() -> None:
    before, after = Reading(1_000, 50, 10), Reading(11_000, 2_050, 510)
    assert after.cpu_ns_since(before) == 10_000 - 2_000 + 500
    assert after.others_ns_since(before) == 1_500


def test_core_clock_counts_what_this_process_spends() -> None:
    clock = CoreClock(min(os.sched_getaffinity(0)))
    before = clock.read()
    for _ in range(100_000):
        pass
    after = clock.read()
    assert 0 < after.cpu_ns_since(before) <= after.wall_ns - before.wall_ns + after.softirq_ns - before.softirq_ns


def test_core_clock_does_without_a_ksoftirqd_that_cannot_be_seen() -> None:
    assert CoreClock(999_999).read().softirq_ns == 0
