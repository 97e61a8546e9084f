"""docs/aborts.md names everything that a reader of an abort can meet."""

import re
from pathlib import Path

import pytest

from gateway.config import AbortSettings
from gateway.metrics import FAMILIES
from gateway.rounds.causes import AbortCause
from tests.watchdog.figures import WELL

TEXT = (Path(__file__).parents[2] / "docs" / "aborts.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([A-Za-z_]+)`", TEXT))


def test_every_cause_is_explained() -> None:
    assert {cause.value for cause in AbortCause} <= NAMED


def test_every_figure_of_the_evidence_is_explained() -> None:
    assert set(WELL.as_json()) <= NAMED


def test_every_setting_is_explained() -> None:
    assert set(AbortSettings.model_fields) <= NAMED


@pytest.mark.parametrize("metric", sorted(set(re.findall(r"`(railbird_[a-z_]+)", TEXT))))
def test_metrics_that_are_named_exist(metric: str) -> None:
    assert metric in FAMILIES or metric == "railbird_event_loop_lag_seconds"
