"""What follows from a window, and how the targets are judged."""

from dataclasses import replace

from tests.bench.results import Baseline, Delay, Joins, Level, Results
from tests.bench.table import render, verdicts

DELAY = Delay.of(range(1_000_000, 101_000_000, 1_000_000))
LEVEL = Level(
    viewers=500,
    seconds=10.0,
    cpu_s=3.0,
    packets=1_000_000,
    sends=250_000,
    floor_us=2.0,
    memory_growth_bytes=50_000_000,
    delay=DELAY,
    lost=0,
    wrong=0,
    gateway_kernel_drops=0,
    load_kernel_drops=0,
    floor_kernel_drops=0,
    nacked=0,
    others_share=0.0,
)


def _results(*levels: Level, joins: Joins | None = None) -> Results:
    return Results({}, {}, Baseline(DELAY, 0.03, 1), list(levels), joins)


def test_delay_quantiles_of_a_hundred() -> None:
    assert (DELAY.p50_ms, DELAY.p99_ms, DELAY.max_ms, DELAY.packets) == (51.0, 100.0, 100.0, 100)


def test_level_follows_from_its_window() -> None:
    assert (LEVEL.cpu_us, LEVEL.ratio, LEVEL.packets_a_send, LEVEL.core_share) == (3.0, 1.5, 4.0, 0.3)
    assert (round(LEVEL.viewers_a_core), LEVEL.memory_bytes) == (1667, 100_000)


def test_level_remarks_what_makes_it_doubtful() -> None:
    assert LEVEL.remarks == []
    doubtful = replace(LEVEL, lost=1, gateway_kernel_drops=1, load_kernel_drops=1, floor_kernel_drops=1, others_share=1)
    assert len(doubtful.remarks) == 5


def test_verdicts_judge_every_target() -> None:
    levels = [replace(LEVEL, viewers=viewers) for viewers in (1, 50, 200, 500)]
    words = [line.partition(":")[0] for line in verdicts(_results(*levels, joins=Joins(200, 2.0, 9.0)))]
    assert words == ["met", "met", "met", "met", "met", "missed"]


def test_spread_leaves_the_single_viewer_out() -> None:
    few, many = replace(LEVEL, viewers=1, cpu_s=300.0), replace(LEVEL, viewers=50, cpu_s=3.6)
    spread = next(line for line in verdicts(_results(few, many, LEVEL)) if "spread" in line)
    assert spread.startswith("missed")
    assert "20.00 %" in spread


def test_render_has_a_row_a_level() -> None:
    rows = [line for line in render(_results(LEVEL, LEVEL)).splitlines() if line.startswith("| 500 ")]
    assert len(rows) == 2
