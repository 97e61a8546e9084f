"""A threshold that nothing can measure is refused before the run."""

import pytest

from loadgen.errors import ScenarioError
from loadgen.verdict.sources import require_sources
from loadgen.verdict.thresholds import parse_threshold

TEXTS = ("loss < 1%", "gateway_cpu_p95 < 80%", "packets_missing < 0.1%")


@pytest.mark.parametrize(
    ("text", "has_process", "has_counters"),
    [(TEXTS[0], False, False), (TEXTS[1], True, False), (TEXTS[2], False, True)],
)
def test_threshold_with_its_source_is_taken(text: str, has_process: bool, has_counters: bool) -> None:
    require_sources([parse_threshold(text)], has_process=has_process, has_counters=has_counters)


@pytest.mark.parametrize(
    ("text", "has_process", "has_counters", "flags"),
    [
        (TEXTS[1], False, True, "give --gateway-metrics or --gateway-pid"),
        (TEXTS[2], True, False, "give --gateway-metrics"),
    ],
)
def test_threshold_without_its_source_is_refused_and_the_flag_is_named(
    text: str, has_process: bool, has_counters: bool, flags: str
) -> None:
    with pytest.raises(ScenarioError, match=rf"{text}.* needs .*: {flags}\."):
        require_sources(map(parse_threshold, (TEXTS[0], text)), has_process=has_process, has_counters=has_counters)
