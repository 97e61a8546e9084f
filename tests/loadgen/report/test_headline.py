import pytest

from loadgen.report.headline import headline
from loadgen.result import Outcome
from tests.loadgen.results import MadeUpRun


@pytest.mark.parametrize(
    ("outcome", "words", "sentence"),
    [
        (Outcome.PASSED, "Passed", "All thresholds were met: 2 of 2."),
        (Outcome.OVERLOADED, "Generator overloaded: no verdict", "could not keep up"),
        (Outcome.FAILED, "Could not run", "nothing was judged"),
        (Outcome.INTERRUPTED, "Interrupted: no verdict", "after 10 s"),
    ],
)
def test_headline_says_the_outcome(outcome: Outcome, words: str, sentence: str) -> None:
    said = headline(MadeUpRun(outcome, seconds=10, viewers=10).result())
    assert said.words == words
    assert sentence in said.sentence


def test_missed_thresholds_are_named_with_what_was_measured() -> None:
    said = headline(MadeUpRun(Outcome.MISSED, seconds=10, viewers=10).result())
    assert said.words == "Threshold missed"
    assert said.sentence == (
        "2 of 3 thresholds were missed: residual_loss < 0.01% (0.07 %); gateway_rss_slope < 1%/h (not measured)."
    )


def test_run_without_thresholds_does_not_claim_to_have_met_any() -> None:
    result = MadeUpRun(seconds=10, viewers=10).result()
    result.thresholds.clear()
    assert "no threshold" in headline(result).sentence
