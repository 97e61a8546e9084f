"""What is on record comes back as it was written, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_tuner.errors import StateError
from node_tuner.state.record import Applied, Entry, Record, key_at, plain

_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_entries = st.builds(
    Entry,
    st.text(),
    st.text(),
    st.dictionaries(st.text(), st.text() | st.integers(), max_size=2),
    _values,
    _values,
    st.booleans(),
    st.none() | st.builds(Applied, _values),
    st.booleans(),
)


FLOWS = "net.core.rps_sock_flow_entries"
RINGS = {"rx": 1000, "tx": 500}


def record_of(*entries: Entry) -> Record:
    return Record("boot-1", "cookie-1", entries)


def entry(name: str = "a", **changes: Any) -> Entry:
    values = {"original": 1, "wanted": 5, **changes}
    return Entry(name, "sysctl", {"name": name}, **values)


@given(st.lists(_entries, max_size=3, unique_by=lambda each: each.key))
def test_record_is_parsed_as_it_was_written(entries: list[Entry]) -> None:
    record = record_of(*entries)
    assert Record.parse(record.as_text()) == record


def test_nothing_applied_is_told_from_nothing_there() -> None:
    never, nothing = entry("a"), entry("b", applied=Applied(None))
    parsed = Record.parse(record_of(never, nothing).as_text())
    assert [each.applied for each in parsed.entries] == [None, Applied(None)]


def changed(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(record_of(entry(applied=Applied(5))).as_text())
    return {**whole, **changes}


def row(**changes: Any) -> dict[str, Any]:
    return changed(entries=[{**changed()["entries"][0], **changes}])


def without(name: str) -> dict[str, Any]:
    return changed(entries=[{key: value for key, value in changed()["entries"][0].items() if key != name}])


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "not of schema 1"),
        (None, "not of schema 1"),
        (changed(schema=2), "not of schema 1"),
        (changed(schema=True), "not of schema 1"),
        ({**changed(), "more": 1}, "more: Extra inputs are not permitted"),
        (changed(boot_id=None), "boot_id: "),
        (changed(entries={}), "entries: "),
        (changed(entries=["a"]), "entries.0: "),
        (changed(entries=changed()["entries"] * 2), "two entries for one thing"),
        (row(name=7), "entries.0.name: "),
        (row(begun="yes"), "entries.0.begun: "),
        (row(where=["a"]), "entries.0.where: "),
        (row(later=1), "entries.0.later: "),
        (without("original"), "entries.0.original: Field required"),
        (without("begun"), "entries.0.begun: Field required"),
        (row(unsettled=0), "entries.0.unsettled: "),
        (without("unsettled"), "entries.0.unsettled: Field required"),
    ],
)
def test_anything_else_is_refused(document: Any, sentence: str) -> None:
    with pytest.raises(StateError, match=sentence):
        Record.parse(json.dumps(document))


def test_record_cut_anywhere_is_refused() -> None:
    text = record_of(entry(applied=Applied(5)), entry("b")).as_text().rstrip("\n")
    for length in range(len(text)):
        with pytest.raises(StateError):
            Record.parse(text[:length])


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(StateError, match="not whole JSON"):
        Record.parse("[" * 200_000)


@pytest.mark.parametrize(
    ("on_record", "found", "is_ours"),
    [
        (entry(applied=Applied(5)), 5, True),
        (entry(applied=Applied(5)), 1, False),
        (entry(applied=Applied(5), wanted=6), 6, False),
        (entry(applied=Applied(5), wanted=6, is_begun=True), 6, True),
        (entry(applied=Applied(5), wanted=6, is_begun=True), 5, True),
        (entry(), 5, False),
        (entry(original={"x": 0, "y": 0}, applied=Applied({"x": 1, "y": 1})), {"x": 1, "y": 0}, True),
        (entry(original={"x": 0, "y": 0}, applied=Applied({"x": 1, "y": 1})), {"x": 1, "y": 2}, False),
        (entry(original={"x": 0}, applied=Applied({"x": 1})), {"x": 1, "z": 7}, True),
        (entry(original={"x": 0}, applied=Applied({"x": 1})), {"z": 7}, False),
        (entry(FLOWS, original="0", wanted="1000", is_begun=True), "1024", True),
        (entry(FLOWS, original="0", wanted="1000", is_begun=True), "2000", False),
        (entry(FLOWS, original="0", wanted="1000", is_begun=True), "999", False),
        (entry(FLOWS, original="0", wanted="1000", is_begun=True), "many", False),
        (entry(FLOWS, original="0", wanted="1000"), "1024", False),
        (entry(FLOWS, original="0", wanted="1000", applied=Applied("1008")), "1024", False),
        (entry("net.core.rmem_max", original="0", wanted="1000", is_begun=True), "1024", False),
        (entry("net.ipv4.ip_local_reserved_ports", original="", wanted="8189", is_begun=True), "9000", False),
        (entry(original={"rx": 256, "tx": 256}, wanted=RINGS, is_begun=True), {"rx": 1024, "tx": 512}, True),
        (entry(original={"rx": 256, "tx": 256}, wanted=RINGS, is_begun=True), {"rx": 1024, "tx": 256}, True),
        (entry(original={"rx": 256, "tx": 256}, wanted=RINGS, is_begun=True), {"rx": 2048, "tx": 512}, False),
        (entry(original={"rx": 256, "tx": 256}, wanted=RINGS), {"rx": 1024, "tx": 512}, False),
        (entry(original={"on": 0}, wanted={"on": True}, is_begun=True), {"on": 3}, False),
        (entry(original={"rx-0": "0"}, wanted={"rx-0": "10"}, is_begun=True), {"rx-0": "12"}, False),
    ],
)
def test_is_ours(on_record: Entry, found: Any, is_ours: bool) -> None:
    assert on_record.is_ours(found) is is_ours


@pytest.mark.parametrize(
    ("original", "found", "is_original"),
    [
        (1, 1, True),
        (1, 2, False),
        (None, None, True),
        (None, {}, False),
        ({"x": 0, "y": 0}, {"x": 0}, True),
        ({"x": 0}, {"x": 0, "y": 5}, True),
        ({"x": 0}, {"x": 1}, False),
    ],
)
def test_is_original(original: Any, found: Any, is_original: bool) -> None:
    assert entry(original=original).is_original(found) is is_original


@pytest.mark.parametrize(
    ("on_record", "found", "is_own", "expected"),
    [
        (entry(), 5, False, entry()),
        (entry(is_begun=True), 5, False, entry(applied=Applied(5))),
        (entry(is_begun=True), 1, False, entry()),
        (entry(is_begun=True), 3, False, entry(is_begun=True)),
        (entry(FLOWS, wanted="5", is_begun=True), "8", False, entry(FLOWS, wanted="5", applied=Applied("8"))),
        (entry(is_begun=True), 3, True, entry(applied=Applied(3))),
        (entry(is_begun=True, applied=Applied(4)), 4, False, entry(applied=Applied(4))),
        (entry(is_begun=True, applied=Applied(4)), 5, False, entry(applied=Applied(5))),
        (entry(is_begun=True, original=None), None, True, entry(original=None)),
    ],
)
def test_what_a_kill_left_open_is_settled(on_record: Entry, found: Any, is_own: bool, expected: Entry) -> None:
    assert on_record.settled(found, is_own=is_own) == expected


def test_values_that_came_since_have_the_original_that_they_came_with() -> None:
    assert entry(original={"x": 0}).completed({"x": 1, "y": 7}).original == {"x": 0, "y": 7}
    assert entry(original=1).completed(9).original == 1


def test_values_of_this_process_compare_with_those_of_a_file() -> None:
    assert plain({"ports": (1, 2)}) == {"ports": [1, 2]}


def test_interface_is_the_same_thing_under_another_name() -> None:
    keys = {key_at("rps", {"interface": name, "index": 4}) for name in ("eth0", "media0")}
    assert len(keys) == 1
    assert key_at("rps", {"interface": "eth0", "index": 5}) not in keys
    assert key_at("other", {"interface": "eth0"}) != key_at("other", {"interface": "eth1"})


@pytest.mark.parametrize(
    ("found", "applied"),
    [
        ({"rx-0": "7", "rx-1": "2"}, Applied({"rx-0": "7", "rx-1": "2"})),
        ({"rx-0": "1"}, Applied({"rx-0": "1"})),  # the other queue is gone, and may come again
        ({"rx-0": "1", "rx-1": "2"}, None),
    ],
)
def test_what_was_not_settled_is_our_doing_whatever_it_is(found: dict[str, str], applied: Applied | None) -> None:
    unsettled = replace(entry(), original={"rx-0": "1", "rx-1": "2"}, is_unsettled=True)
    assert unsettled.is_touched
    settled = unsettled.settled(found, is_own=False)
    assert (settled.is_unsettled, settled.applied) == (False, applied)
