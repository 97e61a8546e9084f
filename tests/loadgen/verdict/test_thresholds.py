"""Thresholds as people write them, and what they are told when they cannot be read."""

import pytest

from loadgen.errors import ScenarioError
from loadgen.verdict.metric import Need
from loadgen.verdict.thresholds import OPERATORS, needs, parse_threshold


@pytest.mark.parametrize(
    ("text", "name", "bound"),
    [
        ("join_p95 < 500ms", "join_p95", 0.5),
        ("freeze_ratio < 0.1%", "freeze_ratio", 0.001),
        ("loss<0.5%", "loss", 0.005),
        ("  gateway_rss_slope <= 36 %/h ", "gateway_rss_slope", 0.0001),
        ("closed_by_server == 0", "closed_by_server", 0.0),
        ("bitrate_p5 >= 1.4 Mbps", "bitrate_p5", 1.4e6),
        ("gateway_rss_max < 300MB", "gateway_rss_max", 3e8),
    ],
)
def test_threshold_is_read(text: str, name: str, bound: float) -> None:
    threshold = parse_threshold(text)
    assert (threshold.text, threshold.metric.name, threshold.bound) == (text.strip(), name, bound)


@pytest.mark.parametrize(
    ("symbol", "truths"),
    [
        ("<", [True, False, False]),
        ("<=", [True, True, False]),
        (">", [False, False, True]),
        (">=", [False, True, True]),
        ("==", [False, True, False]),
    ],
)
def test_operator_compares_the_measured_with_the_bound(symbol: str, truths: list[bool]) -> None:
    threshold = parse_threshold(f"freezes {symbol} 2")
    assert [threshold.is_met_by(measured, threshold.bound) for measured in (1, 2, 3)] == truths
    assert len(OPERATORS) == 5


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("joins_p95 < 500ms", r"'joins_p95'.*nothing that is measured. Is it join_p95\? There are join_p50, .*loss"),
        ("smoothness > 1", r"'smoothness'.*nothing that is measured. There are join_p50"),
        ("loss != 0%", r"'!='.*no operator; there are <, <=, >, >=, ==\."),
        ("loss = 0%", r"'='.*no operator"),
        ("join_p95 < 500", r"join_p95 is a duration \(seconds\): write the number with one of us, ms, s, m, h\."),
        ("join_p95 < 500msec", r"join_p95 is a duration"),
        ("loss < 5ms", r"loss is a share \(of 1\): write the number with one of %\."),
        ("freezes < 5%", r"freezes is a count: write a number without a unit\."),
        ("gateway_rss_slope < 1%", r"with one of %/min, %/h, %/day\."),
        ("", "cannot be read: .*'join_p95 < 500ms'"),
        ("join_p95 500ms", "cannot be read"),
        ("join_p95 < fast", "cannot be read"),
        ("join_p95 < -5ms", "cannot be read"),
        ("join_p95 < 5e2ms", "is a duration"),
        ("join_p95 < \u0665ms", "cannot be read"),
        ("join_p95 < 500ms and loss < 1%", "cannot be read"),
    ],
)
def test_threshold_that_means_nothing_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ScenarioError, match=sentence):
        parse_threshold(text)


@pytest.mark.parametrize(
    ("text", "need"),
    [
        ("loss < 1%", Need.NOTHING),
        ("gateway_cpu_p95 < 80%", Need.PROCESS),
        ("packets_missing < 0.1%", Need.COUNTERS),
    ],
)
def test_threshold_says_what_it_needs(text: str, need: Need) -> None:
    assert needs(parse_threshold(text)) is need
