"""A report for people."""

from io import StringIO

import pytest
from rich.console import Console

from node_tuner.contract import Value
from node_tuner.report.finding import Finding, Section
from node_tuner.report.table import show, told


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (False, "no"),
        (None, "unknown"),
        (0, "0"),
        ("6.18", "6.18"),
        ({"rx": 256, "adaptive_rx": False}, "rx 256, adaptive_rx no"),
        ({}, "none"),
        (["a", "b"], "a, b"),
    ],
)
def test_told_is_for_people(value: Value, words: str) -> None:
    assert told(value) == words


@pytest.mark.parametrize("has_markup", [True, False])
def test_show_takes_names_as_they_are(has_markup: bool) -> None:
    out = StringIO()
    console = Console(file=out, width=160, markup=has_markup)
    show(
        [Section("interface [red]", [Finding("driver", "[bold]x", r"a \[fixed] note"), Finding("speed", None)])],
        console,
    )
    text = out.getvalue()
    for words in ("interface [red]", "[bold]x", r"a \[fixed] note", "unknown"):
        assert words in text
