"""The verdict in words: the first thing on the page, and the last in the terminal."""

from dataclasses import dataclass

from loadgen.report import wording
from loadgen.result import Outcome, RunResult, ThresholdResult


@dataclass(frozen=True, slots=True)
class Headline:
    """A few words, and what they mean in this run."""

    words: str
    sentence: str


def headline(result: RunResult) -> Headline:
    """What came out of the run."""
    return Headline(_WORDS[result.outcome], _SENTENCES[result.outcome](result))


def _passed(result: RunResult) -> str:
    if not result.thresholds:
        return "The run ended as planned; it had no threshold to meet."
    if len(result.thresholds) == 1:
        return f"Its one threshold was met: {_measured(result.thresholds[0])}."
    return f"All thresholds were met: {len(result.thresholds)} of {len(result.thresholds)}."


def _missed(result: RunResult) -> str:
    missed = [threshold for threshold in result.thresholds if not threshold.is_met]
    which = "; ".join(map(_measured, missed))
    of_all = f"{len(missed)} of {wording.plural(len(result.thresholds), 'threshold')}"
    return f"{of_all} {'was' if len(missed) == 1 else 'were'} missed: {which}."


def _measured(threshold: ThresholdResult) -> str:
    return f"{threshold.text} ({threshold.measured_text})"


def _overloaded(_: RunResult) -> str:
    return (
        "The load generator could not keep up with what it received: these figures say as much of it as of the "
        "gateway. Run it on more cores, or with fewer viewers."
    )


def _failed(_: RunResult) -> str:
    return "The run could not be carried out, so nothing was judged."


def _interrupted(result: RunResult) -> str:
    return f"It was ended by hand after {wording.long_time(result.seconds)}; the figures are of that time."


_WORDS = {
    Outcome.PASSED: "Passed",
    Outcome.MISSED: "Threshold missed",
    Outcome.OVERLOADED: "Generator overloaded: no verdict",
    Outcome.FAILED: "Could not run",
    Outcome.INTERRUPTED: "Interrupted: no verdict",
}

_SENTENCES = {
    Outcome.PASSED: _passed,
    Outcome.MISSED: _missed,
    Outcome.OVERLOADED: _overloaded,
    Outcome.FAILED: _failed,
    Outcome.INTERRUPTED: _interrupted,
}
