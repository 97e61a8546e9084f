"""YAML as profiles have it: what is read, what is refused, and the lines of both."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from node_tuner.profile.yaml_tree import MAX_DEPTH, Problem, parse

SCALARS = [
    ("5", 5),
    ("-5", -5),
    ("+5", 5),
    ("007", 7),
    ("0.5", 0.5),
    (".5", 0.5),
    ("1.5e3", 1500.0),
    ("true", True),
    ("false", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("text", "text"),
    ("two words", "two words"),
    ('"5"', "5"),
    ("'true'", "true"),
    ("off", "off"),
    ("no", "no"),
    ("True", "True"),
    ("0x10", "0x10"),
    ("0o7", "0o7"),
    ("12:30", "12:30"),
    ("1_000", "1_000"),
    ("2026-01-01", "2026-01-01"),
    ("1e3", "1e3"),
    (".inf", ".inf"),
    ("=", "="),
    ("1.9999999999999999999999", "1.9999999999999999999999"),
    ("123456789012345678901", "123456789012345678901"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalar_is_read_without_guessing(text: str, value: object) -> None:
    tree = parse(f"key: {text}\n")
    assert (tree.value, tree.problems) == ({"key": value}, [])
    assert type(tree.value["key"]) is type(value)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n"])
def test_empty_text_has_no_value(text: str) -> None:
    tree = parse(text)
    assert (tree.value, tree.problems) == (None, [])


def test_line_of_a_setting_is_where_its_key_is() -> None:
    tree = parse("a: 1\nb:\n  c:\n    - x\n    - d: 2\n\n      e: |\n        text\nf: {g: [1,\n  2]}\n")
    assert tree.value == {"a": 1, "b": {"c": ["x", {"d": 2, "e": "text\n"}]}, "f": {"g": [1, 2]}}
    assert tree.line(("a",)) == 1
    assert tree.line(("b", "c")) == 3
    assert tree.line(("b", "c", 0)) == 4
    assert tree.line(("b", "c", 1, "e")) == 7
    assert tree.line(("f", "g", 1)) == 10


def test_line_of_what_is_missing_is_that_of_its_section() -> None:
    tree = parse("a: 1\nb:\n  c: 2\n")
    assert tree.line(("b", "d")) == 2
    assert tree.line(("b", "c", "d", 5)) == 3
    assert tree.line(("z",)) == 1
    assert tree.line(()) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, "a: it is there twice, first in line 1")),
        ("a:\n  b: 1\n  'b': 2\n", (3, "b: it is there twice, first in line 2")),
        ("a: [\n", (2, "expected the node content, but found '<stream end>'")),
        ("a: b: c\n", (1, "mapping values are not allowed here")),
        ("a: 1\n\tb: 2\n", (2, "found character '\\t' that cannot start any token")),
        ("a: &x 1\n", (1, "anchors and aliases are not taken here")),
        ("a: 1\nb: *x\n", (2, "anchors and aliases are not taken here")),
        ("a: !!python/object:os.system x\n", (1, "tags are not taken here")),
        ("a: !!int 5\n", (1, "tags are not taken here")),
        ("a: 1\n? [b, c]\n: 2\n", (2, "a key is text")),
        ("a: 1\n---\nb: 2\n", (2, "but found another document")),
        ("a: 1\nb: \x07\n", (2, "it has a character that YAML does not allow")),
        ('a: 1\nb: "\\ud800"\n', (2, "it has a character that is none (a surrogate)")),
        ('a: 1\n"\\ud800": 1\n', (2, "a key is text")),
        ('a: "\\UFFFFFFFF"\n', (1, "it is not YAML: ")),
        ("%YAML " + "9" * 5000 + ".1\n---\na: 1\n", (1, "it is not YAML: ")),
        ("[" * 5000, (1, f"it has more than {MAX_DEPTH} mappings and lists in one another")),
        ("a:\n  " + "- " * 5000 + "1", (2, f"it has more than {MAX_DEPTH} mappings and lists in one another")),
    ],
)
def test_what_is_no_plain_yaml_is_a_problem_of_its_line(text: str, problem: Problem) -> None:
    (line, said) = parse(text).problems[0]
    assert line == problem[0]
    assert said.startswith(problem[1])


def test_every_key_that_comes_twice_is_a_problem() -> None:
    assert [line for line, _ in parse("a: 1\na: 2\nb: {c: 1, c: 2}\n").problems] == [2, 3]


def test_merge_key_is_a_key_like_others() -> None:
    assert parse("<<: {a: 1}\nb: 2\n").value == {"<<": {"a": 1}, "b": 2}


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.text(st.characters(codec="utf-8", max_codepoint=0xFFFF), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc: #", max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_json_is_read_as_what_it_says(value: Any) -> None:
    tree = parse(json.dumps({"key": value}))
    assert (tree.value, tree.problems) == ({"key": value}, [])


@given(st.text("ab:-?!&*[]{}|>'\"\\#%@`,\n\t \x00\x85\ud800~<=.0e", max_size=60))
@example("? ? ?\n: [")
@example('"\\')
@example("%TAG ! x")
@example("a: !<")
def test_any_text_is_read_or_a_problem(text: str) -> None:
    tree = parse(text)
    assert all(1 <= line <= text.count("\n") + text.count("\x85") + 2 and said for line, said in tree.problems)
