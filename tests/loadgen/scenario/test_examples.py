"""The ready scenarios, which are the manual."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgen.scenario.fields import Section
from loadgen.scenario.loading import load, ready_scenarios
from loadgen.scenario.schema import Scenario, json_schema

READY = ready_scenarios()


def _sections(section: Section) -> Iterator[Section]:
    yield section
    for name in type(section).model_fields:
        value = getattr(section, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Section):
                yield from _sections(part)


def _keys_used(scenario: Scenario) -> set[tuple[str, str]]:
    """(section, key) of everything that the file itself says."""
    return {
        (type(section).__name__, field.alias or name)
        for section in _sections(scenario)
        for name, field in type(section).model_fields.items()
        if name in section.model_fields_set
    }


def _is_explained(key: str, text: str) -> bool:
    """Whether a comment stands on the line of the key, or above it."""
    lines = text.splitlines()
    uses = [number for number, line in enumerate(lines) if re.search(rf"(^|[\s{{-]){key}:", line)]
    return any("#" in lines[number] or lines[max(number - 1, 0)].lstrip().startswith("#") for number in uses)


def test_ready_scenarios_are_those_that_are_promised() -> None:
    of_webrtc = {"smoke", "soak", "storm", "churn", "encoder-reconnect", "lossy", "rolling-restart"}
    assert {path.stem for path in READY} == of_webrtc | {"hls-smoke", "hls-mixed", "bets-smoke", "bets"}


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_ready_scenario_is_named_like_its_file_and_says_what_it_is_for(path: Path) -> None:
    scenario = load(path.stem)
    assert scenario.name == path.stem
    assert scenario.summary.endswith((".", "?"))
    assert scenario.thresholds
    assert scenario == load(path)


def test_ready_scenarios_use_every_key_of_the_schema() -> None:
    used = set().union(*(_keys_used(load(path)) for path in READY))
    # A clip to publish does not come with the project: this one stands in a comment.
    used.add(("FileSource", "file"))
    known = {
        (name, key)
        for name, section in [("Scenario", json_schema()), *json_schema()["$defs"].items()]
        for key in section["properties"]
    }
    assert known - used == set()


def test_ready_scenarios_explain_every_key_of_the_schema() -> None:
    schema = json_schema()
    keys = {key for section in (schema, *schema["$defs"].values()) for key in section["properties"]}
    texts = [path.read_text() for path in READY]
    assert {key for key in keys if not any(_is_explained(key, text) for text in texts)} == set()


@pytest.mark.parametrize(
    ("text", "is_explained"),
    [
        ("stay: 1s  # how long\n", True),
        ("# how long\nstay: 1s\n", True),
        ("  - {count: 1, stay: 1s}  # briefly\n", True),
        ("stay: 1s\n", False),
        ("# how long\nname: one\nstay: 1s\n", False),
        ("longstay: 1s  # how long\n", False),
    ],
)
def test_explanation_of_a_key_is_recognised(text: str, is_explained: bool) -> None:
    assert _is_explained("stay", text) == is_explained


def test_smoke_is_short_and_small() -> None:
    smoke = load("smoke")
    assert (smoke.duration_s, len(smoke.stream_names), sum(group.count for group in smoke.players)) == (20.0, 1, 20)


def test_storm_brings_500_within_five_seconds_to_200_who_watch() -> None:
    seated, storm = load("storm").players
    assert (seated.count, storm.count) == (200, 500)
    assert storm.arrival.model_dump() == {"at_s": 40.0, "ramp_s": 5.0}


def test_soak_can_be_cut_to_five_minutes() -> None:
    assert load("soak", {"duration": "5m"}).duration_s == 300.0
