"""Each rule holds for the stream made by hand, and notices when that stream breaks it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

from tests.hls_conformance import rules
from tests.hls_conformance.breaks import BREAKS
from tests.hls_conformance.hand_made import ended_stream, made_stream
from tests.hls_conformance.recording import Stream
from tests.hls_conformance.rules import Rule, broken

ABOUT_AN_END = {
    "timing.the_end_is_told",
    "timing.what_is_gone_is_not_found",
    "timing.the_end_is_final",
    "timing.media_stay_after_the_end",
    "blocking.directives_are_ignored_after_the_end",
}
NOT_KEPT = {"timing.absent_media_are_gaps", "profile.target_duration_is_six_seconds"}
"""The stream made by hand has no gaps, and a target duration of 2 s: that they notice is what a strict xfail shows."""


def _rules() -> dict[str, Rule]:
    """All rules by `module.name`."""
    found: dict[str, Rule] = {}
    for module_info in pkgutil.iter_modules(rules.__path__):
        module = importlib.import_module(f"{rules.__name__}.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            takes = list(inspect.signature(function).parameters)
            if function.__module__ == module.__name__ and takes == ["stream"] and not name.startswith("_"):
                found[f"{module_info.name}.{name}"] = function
    return found


RULES = _rules()


def _fresh(rule: str) -> Stream:
    return ended_stream() if rule in ABOUT_AN_END else made_stream()


@pytest.mark.parametrize("rule", sorted(RULES.keys() - NOT_KEPT))
def test_rule_holds_for_the_stream_made_by_hand(rule: str) -> None:
    assert broken(RULES[rule], _fresh(rule)) == []


@pytest.mark.parametrize(("rule", "number"), [(rule, n) for rule, ways in BREAKS.items() for n in range(len(ways))])
def test_rule_notices_a_break(rule: str, number: int) -> None:
    stream = _fresh(rule)
    BREAKS[rule][number](stream)
    assert list(RULES[rule](stream)) != []


def test_every_rule_is_seen_to_fail() -> None:
    assert RULES.keys() - BREAKS.keys() == NOT_KEPT


def test_every_rule_has_its_test() -> None:
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))
    assert [rule for rule in RULES if f"{rule}, " not in texts and f"{rule})" not in texts] == []
