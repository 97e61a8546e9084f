"""Alerts and dashboard are applied as they were tested (tests/observability)."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.daemonset.pods import named
from tests.daemonset.rendering import DAEMONSET
from tests.daemonset.trees import EDGES, objects

pytestmark = pytest.mark.kubectl

TREE = pytest.mark.parametrize("tree", EDGES)
OBSERVABILITY = DAEMONSET / "observability"


@TREE
def test_rules_are_those_of_the_file(tree: str) -> None:
    spec = named(objects(tree), "PrometheusRule", "railbird")["spec"]
    assert spec == yaml.safe_load((OBSERVABILITY / "railbird-rules.yml").read_text(encoding="utf-8"))


@TREE
def test_dashboard_is_the_file(tree: str) -> None:
    config_map = named(objects(tree), "ConfigMap", "railbird-dashboard")
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    (text,) = config_map["data"].values()
    assert json.loads(text) == json.loads((OBSERVABILITY / "railbird-dashboard.json").read_text(encoding="utf-8"))


@TREE
def test_dashboard_fits_into_an_object(tree: str) -> None:
    """Of etcd: a request of 1.5 MiB; and of a ConfigMap: 1 MiB."""
    (text,) = named(objects(tree), "ConfigMap", "railbird-dashboard")["data"].values()
    assert len(text.encode()) < 1 << 20


@pytest.mark.promtool
@TREE
def test_promtool_takes_the_rules(tree: str, tmp_path: Path) -> None:
    written = tmp_path / "rules.yml"
    written.write_text(yaml.safe_dump(named(objects(tree), "PrometheusRule", "railbird")["spec"]))
    done = subprocess.run(
        ["promtool", "check", "rules", str(written)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
