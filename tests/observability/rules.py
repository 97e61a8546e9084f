"""The rules, read; and promtool."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.observability.expressions import grouped_by
from tests.observability.known import labels_of_gateway

ROOT = Path(__file__).parent.parent.parent
OBSERVABILITY = ROOT / "daemonset" / "observability"
RULES, RULES_TEST = OBSERVABILITY / "railbird-rules.yml", OBSERVABILITY / "railbird-rules-test.yml"


def rules() -> list[dict[str, Any]]:
    """All of them, in order."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """By name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def labels() -> dict[str, set[str]]:
    """Name as it is scraped of a gateway, or recorded -> its labels."""
    recorded = {rule["record"]: grouped_by(rule["expr"]) - {"le"} for rule in rules() if "record" in rule}
    return labels_of_gateway() | recorded


def promtool(*arguments: str) -> None:
    """AssertionError with what it says, where it is not content."""
    done = subprocess.run(
        ["promtool", *arguments], cwd=OBSERVABILITY, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
