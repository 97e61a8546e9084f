"""JSON of a stranger: read, or refused with one sentence."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.signals.strict_json import MAX_DEPTH, MAX_FIELDS, parse_json

MAX_BYTES = 4096


REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", "no JSON"),
    "no JSON": ("{", "no JSON"),
    "more after it": ('{"type":"pong","id":1} {}', "no JSON"),
    "too many bytes": ('{"type":"pong","id":1' + " " * MAX_BYTES + "}", "at most 4096 bytes"),
    "too many bytes in fewer characters": ('{"type":"x","a":"' + "é" * (MAX_BYTES // 2) + '"}', "at most 4096 bytes"),
    "NaN": ('{"type":"bet","betId":"b","roundId":"r","amount":NaN}', "NaN is no number"),
    "Infinity": ('{"type":"bet","betId":"b","roundId":"r","amount":-Infinity}', "-Infinity is no number"),
    "a number beyond a double": ('{"type":"bet","betId":"b","roundId":"r","amount":1e999}', "too large"),
    "a number of many digits": ('{"type":"bet","betId":"b","roundId":"r","amount":' + "9" * 19 + "}", "too large"),
    "a number of too many digits for Python": ('{"type":"bet","a":' + "9" * 4000 + "}", "too large"),
    "a key twice": ('{"type":"bet","betId":"b","betId":"c","roundId":"r"}', "twice"),
    "a key twice further in": ('{"type":"bet","betId":"b","roundId":"r","x":{"a":1,"a":2}}', "twice"),
    "a key twice, once escaped": ('{"type":"bet","betId":"b","bet\\u0049d":"c","roundId":"r"}', "twice"),
    "half a surrogate pair": ('{"type":"bet","betId":"b","roundId":"r","x":"\\ud800"}', "surrogate"),
    "half a surrogate pair in a key": ('{"type":"bet","betId":"b","roundId":"r","\\udfff":1}', "surrogate"),
    "half a surrogate pair as it is": ('{"type":"bet","betId":"b","roundId":"r","x":"\ud800"}', "surrogate"),
    "nested deeper than Python goes": ("[" * 4000, "no JSON"),
    "a control character": ('{"type":"bet","betId":"b\n","roundId":"r"}', "no JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=REFUSED)
def test_text_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(WireError, match=sentence):
        parse_json(text, MAX_BYTES)


def nested(depth: int) -> Any:
    return 1 if depth == 0 else [nested(depth - 1)]


def test_value_is_nested_as_deep_as_is_said_and_no_deeper() -> None:
    assert parse_json(json.dumps(nested(MAX_DEPTH)), MAX_BYTES) == nested(MAX_DEPTH)
    with pytest.raises(WireError, match="nested at most 4 deep"):
        parse_json(json.dumps(nested(MAX_DEPTH + 1)), MAX_BYTES)


def test_value_has_as_many_values_as_are_said_and_no_more() -> None:
    most = [0] * (MAX_FIELDS - 1)  # and the list itself
    assert parse_json(json.dumps(most), MAX_BYTES) == most
    with pytest.raises(WireError, match="at most 64 values"):
        parse_json(json.dumps([*most, 0]), MAX_BYTES)


def test_text_of_exactly_the_most_bytes_is_read() -> None:
    assert parse_json("1".ljust(MAX_BYTES), MAX_BYTES) == 1
    with pytest.raises(WireError, match="at most 4096 bytes"):
        parse_json("1".ljust(MAX_BYTES + 1), MAX_BYTES)


@pytest.mark.parametrize("text", ["-" + "9" * 18, "9" * 18, "1.5e300", '"\\ud83c\\udfb0"', '"\U0001f3b0"'])
def test_value_at_the_edge_is_read(text: str) -> None:
    assert parse_json(text, MAX_BYTES) == json.loads(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.booleans())
def test_value_comes_out_as_it_went_in_or_is_refused(value: Any, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii)
    try:
        parsed = parse_json(text, MAX_BYTES)
    except WireError:
        return
    assert parsed == value
    assert json.dumps(parsed, allow_nan=False, ensure_ascii=False).encode()


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text(alphabet='{}[]",:\\u0123456789abcdefd-+.eE tnrlsNI ', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parsed = parse_json(text, MAX_BYTES)
    except WireError:
        return
    assert json.dumps(parsed, allow_nan=False, ensure_ascii=False).encode()
