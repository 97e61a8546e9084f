"""The command line: what it takes, what it refuses, and how it ends."""

import asyncio
import json
import os
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loadgen import __main__ as main_module
from loadgen.__main__ import main
from loadgen.figures import Interval
from loadgen.result import Outcome, RunResult, Totals
from loadgen.run.run import RunOptions
from loadgen.scenario.loading import ready_scenarios
from loadgen.scenario.schema import Scenario
from loadgen.verdict.thresholds import Threshold
from tests.loadgen.results import MadeUpRun

URL = "http://127.0.0.1:8080"
TOKENS = {"LOADGEN_WATCH_TOKEN": "watch-secret", "LOADGEN_PUBLISH_TOKEN": "publish-secret"}
CORES = sorted(os.sched_getaffinity(0))


class FakeRun:
    """In the place of `Run`: it keeps what it was given, and is over at once."""

    outcome = Outcome.PASSED
    made: "list[FakeRun]"
    asked: list[str]
    """Targets that had to be there."""
    metrics_port = 0
    scraped: str

    def __init__(
        self, scenario: Scenario, thresholds: list[Threshold], options: RunOptions, observers: list[Any]
    ) -> None:
        self.scenario, self.thresholds, self.options, self.observers = scenario, thresholds, options, observers
        self.made.append(self)

    def stop(self) -> None:
        """See `Run`."""

    async def execute(self) -> RunResult:
        """See `Run`."""
        for observe in self.observers:
            observe(Interval(at_s=1.0, seconds=1.0, viewers=7), Totals(), 1.0)
        if len(self.observers) > 1:
            type(self).scraped = await asyncio.to_thread(_scrape, self.metrics_port)
        return MadeUpRun(self.outcome, seconds=5, viewers=10).result()


def _scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        return str(response.read().decode())


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> type[FakeRun]:
    class Fresh(FakeRun):
        made: list[FakeRun] = []  # noqa: RUF012
        asked: list[str] = []  # noqa: RUF012
        scraped = ""

    monkeypatch.setattr(main_module, "Run", Fresh)
    monkeypatch.setattr(main_module, "require_listener", Fresh.asked.append)
    for name in TOKENS:
        monkeypatch.delenv(name, raising=False)
    return Fresh


def _invoke(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, arguments, env=env)


def _run(*flags: str, env: dict[str, str] | None = None) -> Result:
    return _invoke("run", "smoke", "--target", URL, *flags, env=env)


# Options


def test_run_takes_its_defaults(runs: type[FakeRun]) -> None:
    result = _run()
    assert result.exit_code == 0, result.output
    (run,) = runs.made
    assert run.scenario.name == "smoke"
    assert [threshold.text for threshold in run.thresholds] == list(run.scenario.thresholds)
    target = run.options.target
    assert target.endpoints.whip("table-1") == f"{URL}/whip/table-1"
    assert target.endpoints.whep("table-1") == f"{URL}/whep/table-1"
    assert (target.watch_token, target.publish_token) == (None, None)
    assert run.options.cores == tuple(CORES)
    assert (run.options.gateway_pid, run.options.gateway_metrics) == (None, None)
    assert len(run.observers) == 1
    assert runs.asked == [URL]


def test_run_takes_every_option(runs: type[FakeRun], tmp_path: Path) -> None:
    result = _run(
        *(
            "--whip-path",
            "/in/{stream}",
            "--whep-path",
            "/out/{stream}",
            "--hls-path",
            "/{stream}.m3u8",
            "--duration",
            "90s",
            "--viewers",
            "5",
        ),
        *("--set", "seed=9", "--set", "players.0.sampled=50%", "--threshold", "join_p95 < 5s"),
        *("--cores", str(CORES[-1]), "--gateway-metrics", f"{URL}/metrics", "--gateway-pid", "17"),
        *("--json", str(tmp_path / "report.json"), "--html", str(tmp_path / "report.html"), "--every", "0.5"),
        *("--i-own-this-target", "edge.example"),
    )
    assert result.exit_code == 0, result.output
    (run,) = runs.made
    scenario, options = run.scenario, run.options
    assert (scenario.duration_s, scenario.seed) == (90.0, 9)
    assert (scenario.players[0].count, scenario.players[0].sampled) == (5, 0.5)
    assert [threshold.text for threshold in run.thresholds] == [*scenario.thresholds, "join_p95 < 5s"]
    assert options.target.endpoints.whip("a") == f"{URL}/in/a"
    assert options.target.endpoints.whep("a") == f"{URL}/out/a"
    assert options.target.endpoints.hls("a") == f"{URL}/a.m3u8"
    assert options.target.permission.own_targets == {"edge.example"}
    assert options.cores == (CORES[-1],)
    assert (options.gateway_pid, options.gateway_metrics) == (17, f"{URL}/metrics")
    assert json.loads((tmp_path / "report.json").read_text())["outcome"] == "passed"
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert f"Report: {tmp_path / 'report.json'}" in result.output.replace("\n", "")


def test_metrics_are_served_during_the_run(runs: type[FakeRun]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        runs.metrics_port = free.getsockname()[1]
    result = _run("--metrics", f"127.0.0.1:{runs.metrics_port}")
    assert result.exit_code == 0, result.output
    (viewers,) = [line for line in runs.scraped.splitlines() if line.startswith("railbird_viewers{")]
    assert 'role="loadgen"' in viewers
    assert viewers.endswith(" 7.0")
    with pytest.raises(OSError, match="refused"):
        _scrape(runs.metrics_port)


def test_tokens_come_from_the_environment_and_are_never_printed(runs: type[FakeRun], tmp_path: Path) -> None:
    json_path, html_path = tmp_path / "report.json", tmp_path / "report.html"
    result = _run("--json", str(json_path), "--html", str(html_path), env=TOKENS)
    assert result.exit_code == 0, result.output
    target = runs.made[0].options.target
    assert (target.watch_token, target.publish_token) == ("watch-secret", "publish-secret")
    for text in (result.output, repr(runs.made[0].options), json_path.read_text(), html_path.read_text()):
        assert "secret" not in text


def test_no_option_takes_a_token() -> None:
    names = [name for option in main_module.run.params for name in option.opts]
    assert not [name for name in names if "token" in name]


# Refused


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--set", "seed"], "--set seed: expected KEY=VALUE"),
        (["--set", "sed=1"], "there is no such key; did you mean `seed`?"),
        (["--duration", "60"], "duration"),
        (["--viewers", "0"], "players.0.count"),
        (["--viewers", "many"], "'many' is not a valid integer"),
        (["--threshold", "joins < 5"], "joins"),
        (["--threshold", "gateway_cpu_p95 < 50%"], "--gateway-"),
        (["--cores", "one"], "--cores one: expected numbers, such as 1,2."),
        (["--cores", ""], "--cores : expected numbers, such as 1,2."),
        (["--cores", "4096"], "--cores 4096: this process may use 0"),
        (["--cores", "-1"], "--cores -1: this process may use"),
        (["--metrics", "9108x"], "--metrics 9108x: expected HOST:PORT"),
        (["--metrics", "127.0.0.1:²"], "expected HOST:PORT"),
        (["--metrics", "127.0.0.1:99999"], "cannot be served at 127.0.0.1:99999"),
        (["--whep-path", "/whep"], "{stream}"),
        (["--every", "0"], "--every"),
        (["--every", "often"], "--every"),
        (["--gateway-pid", "0"], "--gateway-pid"),
        (["--json", "/nowhere/report.json"], "The report cannot be written to /nowhere/report.json"),
        (["--html", "/nowhere/report.html"], "The report cannot be written to /nowhere/report.html"),
        (["--json", "/"], "is a directory"),
        (["--target", "http://192.0.2.1"], "--i-own-this-target 192.0.2.1"),
        (["--target", "ftp://127.0.0.1"], "ftp://127.0.0.1"),
        (["--nonsense"], "No such option"),
    ],
)
def test_bad_option_is_refused_with_a_sentence(runs: type[FakeRun], flags: list[str], sentence: str) -> None:
    result = _run(*flags, env=TOKENS)
    assert (result.exit_code, runs.made) == (2, [])
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)
    assert "secret" not in result.output


def test_file_that_may_not_be_written_is_found_before_the_run(
    runs: type[FakeRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_text("mine")
    monkeypatch.setattr(main_module.os, "access", lambda asked, _mode: asked != path)  # type: ignore[attr-defined]
    result = _run("--json", str(path))
    assert (result.exit_code, runs.made, path.read_text()) == (2, [], "mine")


def test_run_without_a_target_or_a_scenario_is_refused(runs: type[FakeRun]) -> None:
    assert (_invoke("run", "smoke").exit_code, _invoke("run").exit_code) == (2, 2)
    result = _invoke("run", "smoky", "--target", URL)
    assert result.exit_code == 2
    assert "no such ready scenario" in result.output
    assert runs.made == []


# The end


@pytest.mark.parametrize("outcome", list(Outcome))
def test_exit_status_is_the_outcomes(runs: type[FakeRun], outcome: Outcome, tmp_path: Path) -> None:
    runs.outcome = outcome
    result = _run("--json", str(tmp_path / "report.json"))
    assert result.exit_code == outcome.exit_status
    assert json.loads((tmp_path / "report.json").read_text())["exit_status"] == outcome.exit_status


@pytest.mark.parametrize(("outcome", "status"), [(Outcome.PASSED, 2), (Outcome.MISSED, 1), (Outcome.OVERLOADED, 3)])
def test_report_that_cannot_be_written_after_all_hides_no_verdict(
    runs: type[FakeRun], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcome: Outcome, status: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(main_module, "write_json", full)
    runs.outcome = outcome
    json_path, html_path = tmp_path / "report.json", tmp_path / "report.html"
    result = _run("--json", str(json_path), "--html", str(html_path))
    assert result.exit_code == status
    assert f"Error: The report cannot be written to {json_path}: No space left on device." in result.output
    assert html_path.exists(), "the other one can"
    assert "join_p95" in result.output


@pytest.mark.parametrize(("bug", "status"), [(ZeroDivisionError("ours"), 2), (KeyboardInterrupt(), 130)])
def test_crash_is_no_missed_threshold(
    runs: type[FakeRun], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bug: BaseException, status: int
) -> None:
    def crash(*_: object) -> None:
        raise bug

    monkeypatch.setattr(main_module, "write_json", crash)
    assert _run("--json", str(tmp_path / "report.json")).exit_code == status


# The other commands


def test_scenarios_lists_all_with_their_summaries() -> None:
    result = _invoke("scenarios")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == [path.stem for path in ready_scenarios()]
    assert "Does it work at all?" in next(line for line in lines if line.startswith("smoke "))


@pytest.mark.parametrize("name", [path.stem for path in ready_scenarios()])
def test_check_finds_ready_scenarios_good(name: str) -> None:
    result = _invoke("check", name, "--set", "seed=5")
    assert (result.exit_code, result.output) == (0, "The scenario is good.\n")


def test_check_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text("name: mine\nduration: 20\n")
    result = _invoke("check", str(path))
    assert result.exit_code == 2
    assert f"{path}:2: duration" in result.output.replace("\n", "")
    assert _invoke("check", "smoke", "--set", "thresholds=[joins < 5]").exit_code == 2


def test_help_tells_the_exit_statuses() -> None:
    words = " ".join(_invoke("--help").output.split())
    for status, outcome in enumerate(("passed", "threshold missed", "could not run", "generator overloaded")):
        assert f"{status} {outcome}" in words
    assert "130 interrupted" in words
