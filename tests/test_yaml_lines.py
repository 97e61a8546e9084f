"""The lines of settings in YAML text."""

import pytest

from gateway.yaml_lines import line_of

TEXT = """\
# a comment
name: one
limits:
  sessions: 5

  streams: {count: 2,
    names: [a, b]}
groups:
  - name: first
    stay: 1
  - stay: 2
    name: second
"5": five
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["name"], 2),
        (["limits"], 3),
        (["limits", "sessions"], 4),
        (["limits", "streams", "count"], 6),
        (["limits", "streams", "names"], 7),
        (["limits", "streams", "names", 1], 7),
        (["groups"], 8),
        (["groups", 0], 9),
        (["groups", 0, "stay"], 10),
        (["groups", 1], 11),
        (["groups", 1, "name"], 12),
        (["groups", "1", "name"], 12),
        (["5"], 13),
    ],
)
def test_line_of_a_setting_is_that_of_its_key_or_item(path: list[str | int], line: int) -> None:
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["limits", "missing"], 3),
        (["limits", "sessions", "deeper"], 4),
        (["groups", 2], 8),
        (["groups", -1], 8),
        (["groups", 1, "missing", "deeper"], 11),
        (["groups", "name"], 8),
    ],
)
def test_line_of_a_missing_setting_is_that_of_what_should_hold_it(path: list[str | int], line: int) -> None:
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize("path", [[], ["missing"], [0]])
def test_line_of_what_is_not_in_the_file_is_none(path: list[str | int]) -> None:
    assert line_of(TEXT, path) is None


@pytest.mark.parametrize("text", ["", "# nothing\n", "just text\n"])
def test_line_of_a_setting_in_a_file_without_settings_is_none(text: str) -> None:
    assert line_of(text, ["name"]) is None


def test_line_of_a_setting_under_an_alias_is_where_it_is_written() -> None:
    assert line_of("base: &base\n  count: 1\nother: *base\n", ["other", "count"]) == 2
