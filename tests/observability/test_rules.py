"""Alerts and the dashboard: good rules, that fire when they should, of metrics and labels that the gateway has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config import DrainSettings, Settings
from gateway.quality.counters import NETWORK_CAUSES
from gateway.rounds.causes import AbortCause
from qos.terms import TERMS
from tests.observability.checks import check_buckets, check_names, check_values
from tests.observability.expressions import selectors
from tests.observability.rules import OBSERVABILITY, ROOT, RULES, RULES_TEST, alerts, labels, promtool, rules

DASHBOARD = OBSERVABILITY / "railbird-dashboard.json"


def _dashboard() -> Any:
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def _expressions() -> Iterator[tuple[str, str]]:
    """(where, PromQL) of everything."""
    for rule in rules():
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


@pytest.mark.promtool
def test_rules_arerules() -> None:
    promtool("check", "rules", RULES.name)


@pytest.mark.promtool
def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", RULES_TEST.name)


@pytest.mark.promtool
def test_every_expression_is_promql(tmp_path: Path) -> None:
    """The dashboard's as well, once Grafana has put its own variables in."""
    texts = [re.sub(r"\$__(rate_interval|range)", "5m", text) for _, text in EXPRESSIONS]
    rules = [{"record": f"number_{number}", "expr": text} for number, text in enumerate(texts)]
    written = tmp_path / "rules.yml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    promtool("check", "rules", str(written))


@EACH
def test_expression_names_only_metrics_and_labels_that_there_are(expression: str) -> None:
    assert list(selectors(expression)), "it asks for nothing of ours"
    check_names(expression, labels())


@EACH
def test_expression_asks_only_for_values_that_there_are(expression: str) -> None:
    check_values(expression)


@EACH
def test_expression_asks_only_for_buckets_that_there_are(expression: str) -> None:
    check_buckets(expression)


def _overlays() -> Iterator[dict[str, str]]:
    """The RAILBIRD_* variables of each region."""
    for path in sorted((ROOT / "daemonset" / "overlays").glob("*/kustomization.yaml")):
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        literals = (pair for made in written.get("configMapGenerator", ()) for pair in made.get("literals", ()))
        yield dict(pair.partition("=")[::2] for pair in literals)


def _minutes(alert: dict[str, Any]) -> int:
    """What it waits for."""
    found = re.fullmatch(r"(\d+)m", alert["for"])
    assert found is not None
    return int(found[1])


def test_drain_is_overdue_only_after_the_longest_that_settings_allow() -> None:
    base = yaml.safe_load((ROOT / "daemonset" / "base" / "railbird.yml").read_text(encoding="utf-8"))
    minutes = _minutes(alerts()["RailbirdDrainOverdue"])
    for drain, shutdown_s in (
        (Settings().drain, Settings().timeouts.shutdown_s),
        (DrainSettings(**base["drain"]), base["timeouts"]["shutdown_s"]),
    ):
        assert minutes * 60 > drain.longest_s + shutdown_s
    longer = re.compile(r"RAILBIRD_DRAIN__\w+_S\Z")
    assert not any(longer.match(name) for overlay in _overlays() for name in overlay), "then look at `for` as well"


def test_gateways_are_looked_for_under_the_name_that_their_scrapes_have() -> None:
    monitor = yaml.safe_load((ROOT / "daemonset" / "base" / "gateway-podmonitor.yaml").read_text(encoding="utf-8"))
    asked = {
        found
        for name in ("RailbirdGatewaysNotReady", "RailbirdGatewayStaysDown")
        for found in re.findall(r'up\{job=~"([^"]+)",endpoint!="([^"]+)"\}', alerts()[name]["expr"])
    }
    ((job, endpoint),) = asked
    # As the Prometheus operator names the job of a PodMonitor.
    assert re.fullmatch(job, f"railbird/{monitor['metadata']['name']}")
    assert [each["port"] for each in monitor["spec"]["podMetricsEndpoints"]] == ["http"]
    patch = ROOT / "daemonset" / "components" / "watch" / "gateway-podmonitor-patch.yaml"
    assert [each["value"]["port"] for each in yaml.safe_load(patch.read_text(encoding="utf-8"))] == [endpoint]


def test_gateway_stays_down_only_after_its_turn_in_a_roll_out_and_after_the_page() -> None:
    pod = yaml.safe_load((ROOT / "daemonset" / "base" / "gateway-daemonset.yaml").read_text(encoding="utf-8"))["spec"]
    turn_s = pod["template"]["spec"]["terminationGracePeriodSeconds"] + pod["minReadySeconds"]
    page, ticket = alerts()["RailbirdGatewaysNotReady"], alerts()["RailbirdGatewayStaysDown"]
    assert _minutes(ticket) > _minutes(page)
    assert _minutes(ticket) * 60 > 2 * turn_s
    (silenced_by,) = re.findall(r'ALERTS\{alertname="(\w+)"', ticket["expr"])
    names = list(alerts())
    # By a rule before it: else both would be there for one evaluation.
    assert names.index(silenced_by) < names.index("RailbirdGatewayStaysDown")


def test_rules_count_the_same_aborts_against_the_network_as_the_score() -> None:
    excluded = {
        value
        for rule in rules()
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
    drops = [alert["expr"] for name, alert in alerts().items() if name.startswith("RailbirdFramesDropped")]
    budgets = {float(budget) for expression in drops for budget in re.findall(r"\* ([\d.]+)", expression)}
    assert budgets == {begins_at["frames_dropped"]}


@pytest.mark.parametrize("name", alerts())
def test_alert_says_what_is_wrong_and_how_urgent_it_is(name: str) -> None:
    alert = alerts()[name]
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"].keys() >= {"summary", "description"}


@pytest.mark.parametrize("name", alerts())
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
