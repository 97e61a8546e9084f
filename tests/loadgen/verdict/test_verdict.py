"""Met, missed and not measured."""

from loadgen.figures import MediaCounts
from loadgen.result import ThresholdResult
from loadgen.verdict.thresholds import parse_threshold
from loadgen.verdict.verdict import judge
from tests.loadgen.verdict.runs import a_result


def judged(*texts: str, lost: int = 1) -> list[ThresholdResult]:
    result = a_result()
    result.totals.media["a"] = MediaCounts(packets=200 - lost, lost=lost)
    return judge(map(parse_threshold, texts), result)


def test_threshold_that_is_met_tells_what_was_measured() -> None:
    assert judged("loss < 1%") == [ThresholdResult("loss < 1%", 0.005, "0.5 %", is_met=True)]


def test_threshold_that_is_missed_tells_what_was_measured() -> None:
    assert judged("loss < 1%", lost=3) == [ThresholdResult("loss < 1%", 0.015, "1.5 %", is_met=False)]


def test_bound_itself_is_on_the_operators_side() -> None:
    assert [each.is_met for each in judged("loss < 0.5%", "loss <= 0.5%", "loss == 0.5%")] == [False, True, True]


def test_what_was_not_measured_is_not_met() -> None:
    (missed,) = judged("delay_p99 > 0ms")
    assert missed == ThresholdResult(
        "delay_p99 > 0ms", None, "not measured: no sampled player saw a stamp", is_met=False
    )


def test_results_stand_in_the_order_of_the_thresholds() -> None:
    texts = ("loss < 1%", "freezes == 0", "residual_loss < 1%")
    assert tuple(each.text for each in judged(*texts)) == texts
