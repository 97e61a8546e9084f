"""Alerts and the dashboard: good rules, that fire when they should, of metrics and labels that the gateway has."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, Histogram

from gateway.bets.bet import BetState, Delivery
from gateway.config import Settings
from gateway.metrics import FAMILIES, Histograms
from gateway.node.result import KnobState
from gateway.node.verdict import NodeState
from gateway.quality.counters import NETWORK_CAUSES
from gateway.rounds.causes import AbortCause
from gateway.rounds.states import RoundState
from qos.measurement import LEGS
from qos.terms import TERMS
from qos.windows import SPANS
from tests.observability.expressions import grouped_by, selectors

ROOT = Path(__file__).parent.parent.parent
OBSERVABILITY = ROOT / "daemonset" / "observability"
RULES, RULES_TEST = OBSERVABILITY / "railbird-rules.yml", OBSERVABILITY / "railbird-rules-test.yml"
DASHBOARD = OBSERVABILITY / "railbird-dashboard.json"

OF_THE_CLIENT_LIBRARY = {"process_cpu_seconds_total": set[str](), "process_resident_memory_bytes": set[str]()}
OF_PROMETHEUS = {"instance", "job"}
"""Labels that a scrape adds."""

VALUES: dict[str, set[str]] = {
    "cause": {cause.value for cause in AbortCause},
    "outcome": {RoundState.SETTLED.value, RoundState.ABORTED.value} | {each.value for each in Delivery},
    "state": {each.value for states in (BetState, NodeState, KnobState) for each in states},
    "leg": set(LEGS),
    "window": {span.name for span in SPANS},
    "term": {term.name for term in TERMS},
}
"""What a label may be asked for, where it is one of a few."""


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in _rules() if "alert" in rule}


def _dashboard() -> Any:
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def _expressions() -> Iterator[tuple[str, str]]:
    """(where, PromQL) of everything."""
    for rule in _rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    dashboard = _dashboard()
    for panel in dashboard["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))
    yield from ((each["name"], each["expr"]) for each in dashboard["annotations"]["list"])
    queries = (each["query"]["query"] for each in dashboard["templating"]["list"] if each["type"] == "query")
    for query in queries:
        found = re.fullmatch(r"label_values\((?P<metric>[^,]+\S), (?P<label>\w+)\)", query)
        assert found is not None, query
        yield query, f"sum by ({found['label']}) ({found['metric']})"


EXPRESSIONS = list(_expressions())
EACH = pytest.mark.parametrize("expression", [text for _, text in EXPRESSIONS], ids=[where for where, _ in EXPRESSIONS])


def _histograms() -> dict[str, Histogram]:
    return {each._name: each for each in vars(Histograms(CollectorRegistry())).values()}


def _labels() -> dict[str, set[str]]:
    """Name as it is scraped -> its labels."""
    labels = {name: set(family.labels) for name, family in FAMILIES.items()} | OF_THE_CLIENT_LIBRARY
    for name, histogram in _histograms().items():
        of_all = set(histogram._labelnames)
        labels |= {f"{name}_bucket": of_all | {"le"}, f"{name}_count": of_all, f"{name}_sum": of_all}
    for rule in _rules():
        if "record" in rule:
            labels[rule["record"]] = grouped_by(rule["expr"]) - {"le"}
    return labels


def _promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=OBSERVABILITY, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.promtool
def test_rules_are_rules() -> None:
    _promtool("check", "rules", RULES.name)


@pytest.mark.promtool
def test_alerts_fire_when_they_should_and_only_then() -> None:
    _promtool("test", "rules", RULES_TEST.name)


@pytest.mark.promtool
def test_every_expression_is_promql(tmp_path: Path) -> None:
    """The dashboard's as well, once Grafana has put its own variables in."""
    texts = [re.sub(r"\$__(rate_interval|range)", "5m", text) for _, text in EXPRESSIONS]
    rules = [{"record": f"number_{number}", "expr": text} for number, text in enumerate(texts)]
    written = tmp_path / "rules.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    _promtool("check", "rules", str(written))


@EACH
def test_expression_names_only_metrics_and_labels_that_there_are(expression: str) -> None:
    known = _labels()
    found = list(selectors(expression))
    assert found, "it asks for nothing of ours"
    for selector in found:
        assert selector.name in known
        assert {label for label, _, _ in selector.matchers} <= known[selector.name] | OF_PROMETHEUS, selector.name
    of_all = set.union(*(known[selector.name] for selector in found))
    assert grouped_by(expression) <= of_all | OF_PROMETHEUS


@EACH
def test_expression_asks_only_for_values_that_there_are(expression: str) -> None:
    for selector in selectors(expression):
        for label, operator, value in selector.matchers:
            if label not in VALUES or value.startswith("$"):
                continue
            patterns = value.split("|") if operator in ("=~", "!~") else [re.escape(value)]
            for pattern in patterns:
                assert any(re.fullmatch(pattern, known) for known in VALUES[label]), f"{label} {pattern}"


@EACH
def test_expression_asks_only_for_buckets_that_there_are(expression: str) -> None:
    for selector in selectors(expression):
        for label, _, value in selector.matchers:
            if label == "le":
                bounds = _histograms()[selector.name.removesuffix("_bucket")]._upper_bounds
                assert value in {str(bound) for bound in bounds}


def test_drain_is_overdue_only_after_the_longest_that_settings_allow() -> None:
    settings = Settings()
    longest_s = settings.drain.longest_s + settings.timeouts.shutdown_s
    minutes = re.fullmatch(r"(\d+)m", _alerts()["RailbirdDrainOverdue"]["for"])
    assert minutes is not None
    assert int(minutes[1]) * 60 > longest_s


def test_rules_count_the_same_aborts_against_the_network_as_the_score() -> None:
    excluded = {
        value
        for rule in _rules()
        if rule.get("record", "").startswith("instance:railbird_rounds_aborted")
        for selector in selectors(rule["expr"])
        for _, operator, value in selector.matchers
        if operator == "!~"
    }
    (causes,) = excluded
    assert {cause.value for cause in AbortCause} - set(causes.split("|")) == {cause.value for cause in NETWORK_CAUSES}


def test_objectives_begin_where_the_score_begins_to_cost() -> None:
    begins_at = {term.name: term.begins_at for term in TERMS}
    assert begins_at["signal_rtt"] == 0.12
    drops = [alert["expr"] for name, alert in _alerts().items() if name.startswith("RailbirdFramesDropped")]
    budgets = {float(budget) for expression in drops for budget in re.findall(r"\* ([\d.]+)", expression)}
    assert budgets == {begins_at["frames_dropped"]}


@pytest.mark.parametrize("name", _alerts())
def test_alert_says_what_is_wrong_and_how_urgent_it_is(name: str) -> None:
    alert = _alerts()[name]
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"].keys() >= {"summary", "description"}


@pytest.mark.parametrize("name", _alerts())
def test_runbook_of_an_alert_is_there_if_it_names_one(name: str) -> None:
    named = _alerts()[name]["annotations"].get("runbook_url")
    if named is not None:
        assert named.endswith(f"docs/runbooks/{name}.md")
        assert (ROOT / "docs" / "runbooks" / f"{name}.md").is_file()


@pytest.mark.parametrize("name", _alerts())
def test_alert_is_shown_to_fire_and_not_to_fire(name: str) -> None:
    cases = [
        case
        for test in yaml.safe_load(RULES_TEST.read_text(encoding="utf-8"))["tests"]
        for case in test["alert_rule_test"]
        if case["alertname"] == name
    ]
    assert {bool(case["exp_alerts"]) for case in cases} == {True, False}


def test_panels_of_the_dashboard_do_not_overlap_and_say_what_they_are() -> None:
    panels = _dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["title"]


def test_dashboard_shows_what_the_mission_names() -> None:
    shown = {selector.name for _, text in EXPRESSIONS for selector in selectors(text)}
    assert shown >= {
        "railbird_bet_signal_rtt_seconds_bucket",
        "railbird_frames_dropped_total",
        "railbird_round_aborts_total",
        "railbird_rounds_total",
        "railbird_viewers",
        "railbird_media_rtt_seconds_bucket",
        "railbird_first_frame_seconds_bucket",
        "railbird_qos_score",
        "railbird_qos_points_lost",
        "railbird_qos_edge_score",
        "railbird_bets_upstream_waiting",
    }
    assert "heatmap" in {panel["type"] for panel in _dashboard()["panels"]}
