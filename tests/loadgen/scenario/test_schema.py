"""A scenario as a whole."""

import json
import pickle
import re
from typing import Any

import pytest
from pydantic import ValidationError

from loadgen.scenario.fields import FROM_FILE
from loadgen.scenario.loading import load, ready_scenarios
from loadgen.scenario.schema import PlayersSpec, Scenario, StudiosSpec, json_schema

READY = [path.stem for path in ready_scenarios()]


def _scenario(**values: Any) -> Scenario:
    values = {"name": "one", "duration_s": 60.0, "studios": [StudiosSpec(streams=2)], **values}
    return Scenario.model_validate(values)


@pytest.mark.parametrize("name", READY)
def test_settings_say_the_scenario_again(name: str) -> None:
    scenario = load(name)
    said = json.loads(json.dumps(scenario.settings()))
    assert Scenario.model_validate(said, context=FROM_FILE, by_alias=True, by_name=False) == scenario


def test_settings_have_their_units() -> None:
    settings = load("lossy").settings()
    assert settings["duration"] == "1m"
    assert settings["late_after"] == "150ms"
    assert settings["players"][1]["impairment"] == {
        "share": "50%",
        "loss": "2%",
        "burst": 4.0,
        "jitter": "20ms",
        "reorder": "1%",
    }


def test_scenario_travels_to_another_process() -> None:
    scenario = load("churn")
    assert pickle.loads(pickle.dumps(scenario)) == scenario


def test_group_watches_all_streams_or_its_own() -> None:
    own = PlayersSpec(name="b", count=1, streams=("table-2",))
    scenario = _scenario(players=[PlayersSpec(name="a", count=1), own])
    assert scenario.stream_names == ("table-1", "table-2")
    assert [scenario.streams_of(group) for group in scenario.players] == [("table-1", "table-2"), ("table-2",)]


@pytest.mark.parametrize("threshold", ["join_p59 < 1s", "join_p95 < 1", "join_p95 ~ 1s", "", 5])
def test_threshold_that_cannot_be_judged_is_refused(threshold: object) -> None:
    with pytest.raises(ValidationError, match=r"thresholds\.0"):
        _scenario(thresholds=[threshold])


@pytest.mark.parametrize("duration_s", [0.5, 48 * 3600 + 1, float("inf")])
def test_run_is_bounded_in_time(duration_s: float) -> None:
    with pytest.raises(ValidationError, match="expected 1s to 48h"):
        _scenario(duration_s=duration_s)


def test_scenario_that_does_not_fit_together_is_refused_in_code_too() -> None:
    with pytest.raises(ValidationError, match="no studio publishes table-9"):
        _scenario(players=[PlayersSpec(name="a", count=1, streams=("table-9",))])


def test_json_schema_names_keys_and_units_as_a_file_does() -> None:
    schema = json_schema()
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["required"] == ["name", "duration"]
    stay = schema["properties"]["late_after"]
    assert (stay["type"], stay["default"]) == ("string", "150ms")
    assert re.search(stay["pattern"], "20ms")
    assert schema["$defs"]["StudiosSpec"]["properties"]["source"]["default"]["bitrate"] == "1500kbps"


def test_json_schema_describes_every_section() -> None:
    assert [name for name, section in json_schema()["$defs"].items() if not section.get("description")] == []
