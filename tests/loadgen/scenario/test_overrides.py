"""Values that are changed for one run."""

import copy
from typing import Any

import pytest

from loadgen.errors import ScenarioError
from loadgen.scenario.overrides import override

VALUES: dict[str, Any] = {
    "duration": "20s",
    "source": None,
    "players": [{"name": "a", "count": 1}, {"name": "b", "arrival": {"ramp": "5s"}}],
}


@pytest.mark.parametrize(
    ("path", "text", "keys", "value"),
    [
        ("duration", "1m", ["duration"], "1m"),
        ("players.0.count", "1000", ["players", 0, "count"], 1000),
        ("players.1.arrival.ramp", "0s", ["players", 1, "arrival", "ramp"], "0s"),
        ("players.1.arrival", "{rate: 10/s}", ["players", 1, "arrival"], {"rate": "10/s"}),
        ("players.0.streams", "[a, b]", ["players", 0, "streams"], ["a", "b"]),
        ("players.0.stay", "null", ["players", 0, "stay"], None),
        ("source.file", "a.mp4", ["source", "file"], "a.mp4"),
        ("new.key", "true", ["new", "key"], True),
        ("players", "[]", ["players"], []),
    ],
)
def test_override_sets_the_value_at_its_path(path: str, text: str, keys: list[Any], value: object) -> None:
    found: Any = override(VALUES, path, text)
    for key in keys:
        found = found[key]
    assert found == value


def test_override_leaves_the_rest_and_the_original_as_they_are() -> None:
    values = copy.deepcopy(VALUES)
    changed = override(values, "players.0.count", "7")
    assert values == VALUES
    changed["players"][0]["count"] = 1
    assert changed == values


def test_override_of_what_an_anchor_shares_changes_one_place() -> None:
    shared = {"ramp": "5s"}
    changed = override({"a": shared, "b": shared}, "a.ramp", "1s")
    assert changed == {"a": {"ramp": "1s"}, "b": {"ramp": "5s"}}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("players.2.count", "there is no item 2, only 2"),
        ("players.-1.count", "there is no item -1"),
        ("players.b.count", "there is no item b"),
        ("duration.seconds", "nothing below it"),
    ],
)
def test_override_of_what_cannot_be_is_refused(path: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=f"^--set {path}: .*{said}"):
        override(VALUES, path, "1")


def test_override_by_no_yaml_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"^--set duration: the value is not YAML"):
        override(VALUES, "duration", "[")
