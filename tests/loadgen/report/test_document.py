import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from loadgen.report.document import MAX_STEPS, document, write_json
from loadgen.result import Outcome
from tests.loadgen.results import MISSED, STARTED_UNIX_S, STREAMS, MadeUpRun

SCHEMA = Path(__file__).parents[3] / "docs" / "loadgen-report.md"

FOREIGN = {"settings", "machine"}
"""What a scenario and a machine say of themselves."""
NAMED_BY_THE_RUN = {"streams", "groups", "join_failures", "ended", "hls_failures", "broken_rules"}
NAMED_BY_THE_RUN |= {"joins_at", "moves_refused"}
NAMED_BY_THE_RUN |= {"signal_failures", "broken_signal_rules", "round_aborts", "round_failures"}
"""Maps whose keys are names of streams, groups and causes."""


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return document(MadeUpRun(Outcome.MISSED, hls_viewers=20, betting=10).result())


def _keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_keys, value))
    if not isinstance(value, dict):
        return set()
    below = (
        _keys(list(item.values()) if key in NAMED_BY_THE_RUN else item)
        for key, item in value.items()
        if key not in FOREIGN
    )
    return set(value).union(*below)


def test_every_key_is_documented(report: dict[str, Any]) -> None:
    documented = set(re.findall(r"`(\w+)`", SCHEMA.read_text()))
    assert _keys(report) - documented == set()


def test_schema_is_named_as_documented(report: dict[str, Any]) -> None:
    assert f"`{report['schema']}`" in SCHEMA.read_text()


@pytest.mark.parametrize("outcome", Outcome)
def test_outcomes_are_documented(outcome: Outcome) -> None:
    assert f"`{outcome.value}`" in SCHEMA.read_text()


def test_document_says_what_came_out(report: dict[str, Any]) -> None:
    assert (report["outcome"], report["exit_status"]) == ("threshold missed", 1)
    assert report["thresholds"][1] == {
        "text": MISSED.text,
        "measured": MISSED.measured,
        "measured_text": "0.07 %",
        "is_met": False,
    }
    assert report["thresholds"][2]["measured"] is None
    assert report["started"] == "2026-09-21T14:13:20.250+00:00"
    assert report["started_unix_s"] == STARTED_UNIX_S


def test_distribution_has_its_percentiles(report: dict[str, Any]) -> None:
    joins = report["totals"]["distributions"]["join_s"]
    assert joins["count"] == report["totals"]["joins"] == 400
    assert 0 < joins["p50"] < joins["p90"] < joins["p95"] < joins["p99"] <= joins["max"]


def test_distribution_without_values_is_null() -> None:
    result = MadeUpRun(seconds=10, viewers=4).result()  # too few of them for a sampled one
    delays = document(result)["totals"]["distributions"]["delay_s"]
    assert delays == {"count": 0, "mean": None, "p50": None, "p90": None, "p95": None, "p99": None, "max": None}


def test_streams_add_up_to_the_totals(report: dict[str, Any]) -> None:
    assert tuple(report["streams"]) == STREAMS
    packets = [stream["media"]["packets"] for stream in report["streams"].values()]
    assert sum(packets) == report["totals"]["media"]["packets"]


def test_groups_add_up_to_all_sessions() -> None:
    result = MadeUpRun(seated=150).result()
    report = document(result)
    assert {name: group["sessions"] for name, group in report["groups"].items()} == {"crowd": 250, "seated": 150}
    assert report["groups"]["seated"]["join_failures"] == {"http_503": 1}
    frames = sum(group["media"]["frames_complete"] for group in report["groups"].values())
    assert frames == sum(session.media.frames_complete for session in result.sessions)


def test_group_has_its_percentiles_and_shares() -> None:
    seated = document(MadeUpRun(seated=150).result())["groups"]["seated"]
    assert {name: values["count"] for name, values in seated["distributions"].items()} == {
        "join_s": 149,
        "first_frame_s": 149,
        "gap_s": 149,
        "delay_p50_s": 3,
        "delay_p99_s": 3,
        "latency_p50_s": 0,
        "latency_p95_s": 0,
        "bet_rtt_p50_s": 0,
        "bet_rtt_p95_s": 0,
        "move_s": 0,
        "back_s": 0,
    }
    assert seated["distributions"]["gap_s"]["p50"] < seated["distributions"]["gap_s"]["p95"]
    assert 0 < seated["media"]["residual_loss"] < seated["media"]["loss"]


def test_players_by_hls_are_told_apart(report: dict[str, Any]) -> None:
    assert {name: group["hls"] is not None for name, group in report["groups"].items()} == {"crowd": False, "tvs": True}
    tvs = report["groups"]["tvs"]
    assert tvs["distributions"]["latency_p50_s"]["count"] == 20
    assert tvs["hls"]["requests"] == report["totals"]["hls"]["requests"] > 0
    assert tvs["hls"]["stall_ratio"] == pytest.approx(tvs["hls"]["stalled_s"] / tvs["hls"]["watched_s"])
    assert report["totals"]["distributions"]["hls_latency_s"]["p50"] == pytest.approx(0.8, rel=0.2)


def test_run_without_players_by_hls_has_nothing_of_them() -> None:
    report = document(MadeUpRun().result())
    assert report["totals"]["hls"] is None
    assert {stream["hls"] for stream in report["streams"].values()} == {None}


def test_bets_are_told_with_their_rounds() -> None:
    report = document(MadeUpRun(betting=10).result())
    totals = report["totals"]
    assert totals["signals"]["bets"] == sum(step["signals"]["bets"] for step in report["steps"]) == 600
    assert totals["signals"]["bets_accepted"] == 0.9
    assert (totals["broken_signal_rules"], totals["round_aborts"]) == ({"two_answers": 1}, {"ingest_loss": 1})
    assert report["groups"]["crowd"]["signals"]["bets"] == 600
    assert totals["distributions"]["bet_rtt_s"]["p50"] == pytest.approx(0.012, rel=0.2)


def test_run_without_signals_has_nothing_of_them() -> None:
    report = document(MadeUpRun().result())
    assert report["totals"]["signals"] is None
    assert {group["signals"] for group in report["groups"].values()} == {None}


def test_comparison_has_the_difference(report: dict[str, Any]) -> None:
    assert [counts["difference"] for counts in report["comparison"]] == [0, -1508, 512]


def test_steps_of_a_long_run_are_bounded() -> None:
    result = MadeUpRun(seconds=2, viewers=1).result()
    first = result.intervals[0]
    result.intervals = [first] * (MAX_STEPS * 3)
    assert len(document(result)["steps"]) == MAX_STEPS


def test_run_that_did_not_come_about_has_a_document() -> None:
    result = MadeUpRun(Outcome.FAILED, seconds=0, viewers=0).result()
    report = document(result)
    assert report["steps"] == report["sessions"] == []
    assert report["totals"]["media"]["loss"] is None


def test_written_json_is_strict_and_whole(tmp_path: Path, report: dict[str, Any]) -> None:
    result = MadeUpRun(Outcome.MISSED, hls_viewers=20, betting=10).result()
    result.settings |= {"file": Path("table.mp4"), "rate_per_s": math.inf, "size": (1280, 720)}
    write_json(result, tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    settings = written["scenario"].pop("settings")
    assert (settings["file"], settings["rate_per_s"], settings["size"]) == ("table.mp4", None, [1280, 720])
    report["scenario"].pop("settings")
    assert written == report
