"""Runbooks: one a page for each alert, and all that they name is there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config import Settings
from gateway.http import api, operations, qos, rounds
from gateway.http import drain as draining
from tests.observability.checks import check_buckets, check_names, check_values
from tests.observability.commands import check_debug, check_kubectl, check_ours
from tests.observability.expressions import selectors
from tests.observability.known import labels_of_watch
from tests.observability.rules import ROOT, alerts, labels, promtool
from tests.observability.runbook import Runbook, anchors

DIRECTORY = ROOT / "docs" / "runbooks"

HEADINGS = ["What it means", "Look here", "Do this", "Roll back so", "Wake"]
MAX_LINES = 80
"""A page."""
MAX_COLUMNS = 145
"""Of what is not a table or an expression: nobody scrolls sideways at night."""

ROUTES = [*api.ROUTES, *draining.ROUTES, *operations.ROUTES, *qos.ROUTES, *rounds.ROUTES]

RUNBOOKS = {path.stem: Runbook.read(path) for path in sorted(DIRECTORY.iterdir())}
EACH = pytest.mark.parametrize("name", RUNBOOKS)


def test_each_alert_has_its_runbook_and_each_runbook_its_alert() -> None:
    assert set(RUNBOOKS) == set(alerts())
    assert {book.path.suffix for book in RUNBOOKS.values()} == {".md"}


@pytest.mark.parametrize("name", alerts())
def test_alert_names_its_runbook(name: str) -> None:
    assert alerts()[name]["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{name}.md")


@EACH
def test_runbook_is_a_page_with_its_five_parts(name: str) -> None:
    book = RUNBOOKS[name]
    assert book.lines[0] == f"# {name}"
    assert book.headings == HEADINGS
    assert len(book.lines) <= MAX_LINES
    bare = re.sub(r"^```.*?^```$", "", book.text, flags=re.MULTILINE | re.DOTALL)
    assert [line for line in bare.splitlines() if len(line) > MAX_COLUMNS] == []


@EACH
def test_runbook_begins_with_its_severity(name: str) -> None:
    severity = alerts()[name]["labels"]["severity"]
    assert RUNBOOKS[name].lines[2].startswith(f"{severity.capitalize()}. ")


def test_no_two_runbooks_say_the_same_of_what_it_means() -> None:
    """A sentence that fits every alert helps with none."""
    said = [line for book in RUNBOOKS.values() for line in book.sections["What it means"].splitlines() if line]
    assert sorted(line for line in set(said) if said.count(line) > 1) == []


def _expressions() -> Iterator[tuple[str, str]]:
    for name, book in RUNBOOKS.items():
        yield from ((name, expression) for expression in book.expressions)
        # A metric within a sentence, with its labels.
        yield from ((name, span) for span in book.spans if re.match(r"(railbird|instance)[:_]", span))


EXPRESSIONS = list(_expressions())


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS)
def test_expression_asks_for_what_there_is(name: str, expression: str) -> None:
    assert list(selectors(expression)) or "up{" in expression
    check_names(expression, labels() | labels_of_watch())
    check_values(expression)
    check_buckets(expression)


@pytest.mark.promtool
def test_every_expression_is_promql(tmp_path: Path) -> None:
    rules = [{"record": f"number_{number}", "expr": text} for number, (_, text) in enumerate(EXPRESSIONS)]
    written = tmp_path / "rules.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    promtool("check", "rules", str(written))


def test_metrics_that_runbooks_name_anywhere_are_there() -> None:
    known = set(labels() | labels_of_watch())
    for name, book in RUNBOOKS.items():
        assert set(re.findall(r"(?<![\w:])railbird_\w+", book.text)) <= known, name


def _settings(model: Any, prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        if hasattr(field.annotation, "model_fields"):
            yield from _settings(field.annotation, f"{prefix}{name}.")


@EACH
def test_settings_are_in_the_manual(name: str) -> None:
    manual = yaml.safe_load((ROOT / "railbird.example.yml").read_text(encoding="utf-8"))
    known = set(_settings(Settings))
    for span in RUNBOOKS[name].spans:
        word = span.split(":")[0]
        if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", word) and word.split(".")[0] in manual:
            assert word in known, word
        for variable in re.findall(r"\bRAILBIRD_[A-Z_]+", span):
            assert variable.removeprefix("RAILBIRD_").replace("__", ".").lower() in known, variable


@cache
def _events() -> set[str]:
    """What is logged anywhere: the first argument of each call."""
    sources = [*(ROOT / "gateway").rglob("*.py"), *(ROOT / "node_tuner").rglob("*.py")]
    call = re.compile(r"\b(?:log|tell|say)\.?(?:info|warning|error|exception)?\(\s*f?\"([^\"]+)\"")
    return {event for path in sources for event in call.findall(path.read_text(encoding="utf-8"))}


@EACH
def test_lines_of_the_log_are_written_by_the_code(name: str) -> None:
    # An event with a value in it, as `bet {outcome.value}`; and the audit's, whose name is a constant.
    patterns = [re.sub(r"\\\{.*?\\\}", r"\\w+", re.escape(event)) for event in _events()]
    for event in RUNBOOKS[name].events:
        assert event == "audit" or any(re.fullmatch(pattern, event) for pattern in patterns), event


@EACH
def test_links_lead_somewhere(name: str) -> None:
    book = RUNBOOKS[name]
    for link in book.links:
        file, _, anchor = link.partition("#")
        target = book.path.parent / file if file else book.path
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@EACH
def test_paths_of_the_gateway_are_served(name: str) -> None:
    served = [re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(route.path)) for route in ROUTES]
    asked = re.findall(r"(?:\$EDGE|(?<=`))(/(?:api|livez|readyz|metrics)[^\s`)]*)", RUNBOOKS[name].text)
    for path in asked:
        assert any(re.fullmatch(pattern, path) for pattern in served), path


@EACH
def test_commands_name_what_there_is(name: str) -> None:
    for command in RUNBOOKS[name].commands:
        check_kubectl(command)
        check_debug(command)
        check_ours(command)


FRAGMENTS = ("node: ", "buffers: ", "dscp: ")


@EACH
def test_lines_of_readyz_are_as_the_code_writes_them(name: str) -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in (*(ROOT / "gateway" / "node").glob("*.py"), *(ROOT / "gateway" / "hub").glob("*.py"))
    )
    for span in RUNBOOKS[name].spans:
        fragment = next((each for each in FRAGMENTS if span.startswith(each)), None)
        if fragment is None:
            continue
        assert fragment in sources
        # What is left without values: file, knob, state.
        said = re.sub(r"/run/railbird/node\.json|…|net\.\S+: \w+", "", span.removeprefix(fragment)).strip(" :")
        assert said in sources, span
