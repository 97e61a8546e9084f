"""Medians and ratios of rounds, and what is said of them."""

import json
from dataclasses import replace

import pytest

from tests.bench.node.burst import LIMITS_BYTES, STALLS_S, TUNED_BYTES, Burst
from tests.bench.node.results import Cost, NodeResults, costs
from tests.bench.node.sending import LOADS, Window
from tests.bench.node.table import render, verdicts
from tests.bench.node.variants import BY_BPF, BYPASSED, TRACKED, UNTRACKED, VARIANTS

PRICES_NS = dict(zip((each.name for each in VARIANTS), (1000, 1200, 1400, 1120, 1340, 1100), strict=True))


def _round(slowness: float = 1.0) -> list[Window]:
    return [
        Window(load, name, 100, int(120_000 * slowness), int(100 * price * slowness), 6_000, 10_000 * (name == TRACKED))
        for load in LOADS
        for name, price in PRICES_NS.items()
    ]


@pytest.fixture
def results() -> NodeResults:
    bursts = [
        Burst(limit, 2 * limit, stall_s, 5_000, 5_000 if limit == TUNED_BYTES else 184)
        for limit in LIMITS_BYTES
        for stall_s in STALLS_S
    ]
    return NodeResults({}, {}, costs=list(costs([_round(), _round(2.0)], UNTRACKED)), bursts=bursts)


def test_costs_compare_within_a_round() -> None:
    """A machine that is half as fast in one of the rounds changes no ratio."""
    found = {(each.load, each.variant): each for each in costs([_round(), _round(2.0), _round(5.0)], UNTRACKED)}
    assert len(found) == len(LOADS) * len(VARIANTS)
    tracked = found[LOADS[0], TRACKED]
    assert tracked.ratio == pytest.approx(1.4)
    assert tracked.spread == pytest.approx(0.0)
    assert tracked.cpu_ns == 2800
    assert tracked.packets_a_second == pytest.approx(100 * 1e9 / 240_000)
    assert tracked.rounds == 3
    assert (tracked.tracked, found[LOADS[0], BYPASSED].tracked) == (10_000, 0)


def test_costs_tell_the_noise() -> None:
    rounds = [_round() for _ in range(4)]
    for turn, windows in enumerate(rounds):
        at = next(place for place, each in enumerate(windows) if each.variant == BY_BPF)
        windows[at] = replace(windows[at], cpu_ns=100 * (1000 + 100 * turn))
    found = next(each for each in costs(rounds, UNTRACKED) if each.variant == BY_BPF)
    assert found.ratio == pytest.approx(1.15)
    assert found.spread == pytest.approx(0.075)


def test_render_shows_each_variant_and_burst(results: NodeResults) -> None:
    text = render(results)
    for variant in VARIANTS:
        assert f"| {variant.name} |" in text
    assert "2,100 ns, 625 k/s: 1.40 ± 0.00 (1.45)" in text
    assert "| 212,992 | 425,984 | 100 ms | 5,000 | 4,816 | 96% |" in text
    assert "Other processes had up to 5%" not in text


def test_verdicts_are_met_by_good_figures(results: NodeResults) -> None:
    assert [each.partition(":")[0] for each in verdicts(results)] == ["met"] * 5


def test_verdicts_are_missed_by_bad_ones(results: NodeResults) -> None:
    def worse(cost: Cost) -> Cost:
        return replace(cost, ratio=2.0, tracked=1) if cost.variant in (BYPASSED, BY_BPF) else cost

    bad = replace(
        results,
        costs=[worse(each) for each in results.costs],
        bursts=[replace(each, received=each.sent - 1) for each in results.bursts],
    )
    assert [each.partition(":")[0] for each in verdicts(bad)] == ["missed"] * 5


def test_record_is_json_and_has_what_was_lost(results: NodeResults) -> None:
    record = json.loads(json.dumps(results.record()))
    assert [each["dropped"] for each in record["bursts"]] == [4816, 4816, 4816, 4816, 0, 0]
    assert record["costs"][0]["variant"] == UNTRACKED


def test_render_of_a_part_that_was_left_out_is_a_sentence() -> None:
    assert "it needs root" in render(NodeResults({}, {}, without=["The part is left out: it needs root."]))
