"""Reading the tuner's result: what is taken, and what is refused by its reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.node.result import (
    MAX_KNOBS,
    MAX_RESULT_BYTES,
    MAX_TOLD_CHARS,
    NodeResultError,
    Overall,
    parse_result,
)
from tests.node.results import RINGS, RMEM_MAX, WRITTEN_UNIX_S, result, written


def test_result_is_read() -> None:
    parsed = parse_result(written())
    assert (parsed.overall, parsed.profile.name, parsed.written_unix_s) == (Overall.TUNED, "media-edge", WRITTEN_UNIX_S)
    assert [knob.name for knob in parsed.knobs] == ["net.core.rmem_max", "nic.rings"]
    assert not parsed.is_failed


def test_what_the_same_schema_gets_later_is_passed_over() -> None:
    parse_result(written(RMEM_MAX | {"since": 3}, cluster="eu-1"))


@pytest.mark.parametrize("state", ["failed", "foreign", "skipped"])
def test_required_knob_that_is_not_as_wanted_fails_the_node_whatever_the_file_says(state: str) -> None:
    parsed = parse_result(written(RMEM_MAX | {"state": state}, RINGS))
    assert parsed.is_failed
    assert [knob.name for knob in parsed.failures] == ["net.core.rmem_max"]


def test_node_that_the_tuner_calls_failed_is_failed_without_a_knob_that_is() -> None:
    assert parse_result(written(overall="failed")).is_failed


@pytest.mark.parametrize(("state", "count"), [("failed", 1), ("skipped", 1), ("foreign", 1), ("not_needed", 0)])
def test_optional_knob_that_is_not_as_wanted_is_a_shortcoming(state: str, count: int) -> None:
    parsed = parse_result(written(RMEM_MAX, RINGS | {"state": state}))
    assert not parsed.is_failed
    assert len(parsed.shortcomings) == count


def _without(name: str) -> bytes:
    return json.dumps({key: value for key, value in result().items() if key != name}).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "EOF"),
        (b"\xff\xfe", "JSON"),
        (b"[]", "Input should be an object"),
        (written()[:-20], "JSON"),
        (b'{"a":' * 5000, "JSON"),
        (written(schema=2), "its schema is 2, and this gateway knows 1 alone"),
        (written(schema="1"), "schema: Input should be a valid integer"),
        (_without("schema"), "schema: Field required"),
        (_without("boot_id"), "boot_id: Field required"),
        (_without("namespace"), "namespace: Field required"),
        (_without("knobs"), "knobs: Field required"),
        (written(overall="fine"), "overall: Input should be"),
        (written(written_at="yesterday"), "written_at: "),
        (written(written_at="2026-11-21T17:00:00"), "written_at: Input should have timezone info"),
        (written(written_at=None), "written_at: "),
        (written(boot_id=None), "boot_id: "),
        (written(namespace=4026531840), "namespace: "),
        (written(profile="media-edge"), "profile: "),
        (written(RMEM_MAX | {"state": "perfect"}), "knobs.0.state: "),
        (written(RMEM_MAX | {"required": "yes"}), "knobs.0.required: "),
        (written(RMEM_MAX | {"name": ""}), "knobs.0.name: "),
        (written(RMEM_MAX | {"name": "two words"}), "knobs.0.name: "),
        (written(RMEM_MAX | {"name": "line\nbreak"}), "knobs.0.name: "),
        (written(RMEM_MAX | {"name": "n" * 97}), "knobs.0.name: "),
        (written(*[RMEM_MAX] * (MAX_KNOBS + 1)), "knobs: "),
        (b" " * (MAX_RESULT_BYTES + 1), "more than"),
    ],
)
def test_bad_result_is_refused_by_its_reason(data: bytes, said: str) -> None:
    with pytest.raises(NodeResultError) as refused:
        parse_result(data)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.binary(max_size=300) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_is_read_is_a_result_or_refused(data: bytes | str) -> None:
    with pytest.raises(NodeResultError):
        parse_result(data if isinstance(data, bytes) else data.encode(errors="surrogatepass"))


def _line(**changed: Any) -> str:
    return str(parse_result(written(RMEM_MAX | changed)).knobs[0])


def test_knob_says_what_was_found_and_wanted_and_why() -> None:
    said = _line(state="failed", found="212992", note="permission denied")
    assert said == "net.core.rmem_max: failed: found 212992, wanted at least 26214400: permission denied"


def test_knob_without_a_note_says_what_it_is_for() -> None:
    assert _line().endswith(": one socket carries all media")


def test_knob_that_was_not_there_says_so() -> None:
    assert ": found nothing, " in _line(found=None)


def test_knob_is_told_on_one_line_and_not_too_long() -> None:
    said = _line(found={"rx-0": "f" * 5000}, note="one\ntwo\x1b[31m\u2028three")
    assert said.endswith(": one two [31m three")
    assert "\n" not in said
    assert len(said) < 2 * MAX_TOLD_CHARS
