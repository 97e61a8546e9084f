"""The result file: what the gateway reads of it, and what all knobs make together."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.node.result import parse_result
from node_tuner.result import KnobResult, Overall, ProfileId, Result, State, overall, prepare, withdraw

KNOB = KnobResult("net.core.rmem_max", "sysctl", True, State.TUNED, "at least 5", "7", "1", True, "stalls", "")
RESULT = Result(
    command="apply",
    written_at="2026-11-21T18:00:00Z",
    boot_id="boot-1",
    namespace="cookie-1",
    kernel="6.18.0",
    interface="eth0",
    profile=ProfileId("media-edge", "0123456789ab"),
    knobs=(KNOB, replace(KNOB, name="queues.rps", state=State.SKIPPED, found={"rx-0": "f"}, required=False, note="no")),
)


def knob(state: State, *, required: bool) -> KnobResult:
    return replace(KNOB, state=state, required=required)


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ([], Overall.TUNED),
        ([knob(State.TUNED, required=True), knob(State.NOT_NEEDED, required=True)], Overall.TUNED),
        *(([knob(state, required=False)], Overall.DEGRADED) for state in (State.SKIPPED, State.FAILED, State.FOREIGN)),
        *(([knob(state, required=True)], Overall.FAILED) for state in (State.SKIPPED, State.FAILED, State.FOREIGN)),
        ([knob(State.FAILED, required=False), knob(State.FAILED, required=True)], Overall.FAILED),
    ],
)
def test_overall(knobs: list[KnobResult], expected: Overall) -> None:
    assert overall(knobs) is expected


def test_file_is_parsed_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "run" / "node.json"
    RESULT.write(path)
    assert Result.parse(path.read_text()) == RESULT
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_file_has_the_schema_that_is_promised(tmp_path: Path) -> None:
    RESULT.write(tmp_path / "node.json")
    written = json.loads((tmp_path / "node.json").read_text())
    assert {key: value for key, value in written.items() if key != "knobs"} == {
        "schema": 1,
        "overall": "degraded",
        "command": "apply",
        "written_at": "2026-11-21T18:00:00Z",
        "boot_id": "boot-1",
        "namespace": "cookie-1",
        "kernel": "6.18.0",
        "interface": "eth0",
        "profile": {"name": "media-edge", "digest": "0123456789ab"},
    }
    assert written["knobs"][0] == {
        "name": "net.core.rmem_max",
        "kind": "sysctl",
        "required": True,
        "state": "tuned",
        "wanted": "at least 5",
        "found": "7",
        "original": "1",
        "changed": True,
        "why": "stalls",
        "note": "",
    }


def test_gateway_reads_it(tmp_path: Path) -> None:
    RESULT.write(tmp_path / "node.json")
    read = parse_result((tmp_path / "node.json").read_bytes())
    assert (read.overall.value, read.boot_id, read.profile.digest) == ("degraded", "boot-1", "0123456789ab")
    assert [each.name for each in read.shortcomings] == ["queues.rps"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1}'])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Result.parse(text)


def test_withdrawn_result_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "node.json"
    RESULT.write(path)
    withdraw(path)
    withdraw(path)
    assert not path.exists()


def test_old_result_is_taken_away_where_a_new_one_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "run" / "node.json"
    prepare(path)
    assert (path.parent.is_dir(), list(path.parent.iterdir())) == (True, [])
    RESULT.write(path)
    prepare(path)
    assert list(path.parent.iterdir()) == []


def test_old_result_stays_where_no_new_one_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "node.json"
    RESULT.write(path)

    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        prepare(path)
    assert [each.name for each in tmp_path.iterdir()] == ["node.json"]
