"""`python -m loadgen`: run a scenario against a target, check one, or list the ready ones."""

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import uvloop
from rich.console import Console

from loadgen.errors import LoadgenError, ScenarioError
from loadgen.exporter import Exporter
from loadgen.report.document import write_json
from loadgen.report.page import write_page
from loadgen.result import Outcome, RunResult
from loadgen.run.run import Observer, Run, RunOptions
from loadgen.scenario.loading import load, ready_scenarios
from loadgen.scenario.schema import Scenario
from loadgen.target.listener import require_listener
from loadgen.target.safety import OWN_TARGET_FLAG, require_permission
from loadgen.target.urls import Endpoints
from loadgen.verdict.sources import require_sources
from loadgen.verdict.thresholds import Threshold, parse_threshold
from loadgen.view.verdict import print_verdict
from loadgen.view.view import view_on
from loadgen.workers.target import Target

WATCH_TOKEN_VARIABLE, PUBLISH_TOKEN_VARIABLE = "LOADGEN_WATCH_TOKEN", "LOADGEN_PUBLISH_TOKEN"
"""Bearer tokens come by the environment: a command line is for everybody to read."""


class _Commands(click.Group):
    """A crash of ours is no verdict, though the status that Python gives it, 1, would be one."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:  # outside of the run, which takes it for itself
            ctx.exit(Outcome.INTERRUPTED.exit_status)
        except Exception:
            traceback.print_exc()
            ctx.exit(Outcome.FAILED.exit_status)


@click.group(
    cls=_Commands,
    epilog="Exit status: 0 passed, 1 threshold missed, 2 could not run, 3 generator overloaded, 130 interrupted.",
)
def main() -> None:
    """Real studios and real players by the thousand against a WHIP and WHEP server, and a verdict."""


@main.command()
def scenarios() -> None:
    """List the ready scenarios."""
    for path in ready_scenarios():
        click.echo(f"{path.stem:18} {load(path).summary}")


@main.command()
@click.argument("scenario")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting: players.0.count=1000.")
def check(scenario: str, settings: Sequence[str]) -> None:
    """Read SCENARIO, a name or a file, say whether it is good, and stop."""
    try:
        _thresholds(load(scenario, _overrides(settings)), ())
    except LoadgenError as error:
        raise _refused(error) from None
    click.echo("The scenario is good.")


@dataclass(frozen=True, slots=True)
class Reports:
    """Where the report goes."""

    json: Path | None
    html: Path | None

    def require_writable(self) -> None:
        """ScenarioError: nobody wants to hear after hours that the report's directory is not there."""
        for path in (self.json, self.html):
            if path is not None and not os.access(path if path.exists() else path.parent, os.W_OK):
                raise ScenarioError(f"The report cannot be written to {path}: no such directory, or not permitted.")

    def write(self, result: RunResult) -> tuple[list[Path], list[str]]:
        """The files that were written, and a sentence for each that could not be."""
        written, failures = [], []
        for path, write in ((self.json, write_json), (self.html, write_page)):
            if path is None:
                continue
            try:
                write(result, path)
                written.append(path)
            except OSError as error:
                failures.append(f"The report cannot be written to {path}: {error.strerror}.")
        return written, failures


_FILE = click.Path(path_type=Path, dir_okay=False)
_SECONDS = click.FloatRange(min=0, min_open=True)


@main.command()
@click.argument("scenario")
@click.option("--target", required=True, metavar="URL", help="The server: http://127.0.0.1:8080.")
@click.option("--whip-path", default="/whip/{stream}", show_default=True, help="Where studios publish.")
@click.option("--whep-path", default="/whep/{stream}", show_default=True, help="Where players watch.")
@click.option(
    "--hls-path", default="/hls/{stream}/index.m3u8", show_default=True, help="Where players watch by LL-HLS."
)
@click.option("--signals-path", default="/signals/{stream}", show_default=True, help="The WebSocket of signals.")
@click.option(
    "--rounds-path",
    default="/api/v1/streams/{stream}/rounds",
    show_default=True,
    help="Where studios open rounds and move them on.",
)
@click.option("--duration", metavar="TIME", help="Instead of the scenario's: 60s, 2h.")
@click.option("--viewers", type=int, help="Players of the scenario's first group.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting: players.0.count=1000.")
@click.option("--threshold", "more", multiple=True, metavar="TEXT", help="One more: 'join_p95 < 500ms'.")
@click.option("--cores", metavar="LIST", help="Cores to use, a process of players on each: 1,2.  [default: all]")
@click.option("--gateway-metrics", metavar="URL", help="The server's /metrics: CPU, memory, and what it counted.")
@click.option(
    "--gateway-pid", type=click.IntRange(min=1), help="The server's process, on this machine: CPU and memory."
)
@click.option("--metrics", metavar="HOST:PORT", help="Serve the load generator's own Prometheus metrics there.")
@click.option("--json", "json_path", type=_FILE, help="Write the report as JSON.")
@click.option("--html", "html_path", type=_FILE, help="Write the report as a page.")
@click.option(
    "--every", type=_SECONDS, default=5.0, show_default=True, help="Seconds between lines, where there is no terminal."
)
@click.option(
    OWN_TARGET_FLAG,
    "own_targets",
    multiple=True,
    metavar="HOST",
    help="Load this host, in no private network though.",
)
def run(
    scenario: str,
    target: str,
    whip_path: str,
    whep_path: str,
    hls_path: str,
    signals_path: str,
    rounds_path: str,
    duration: str | None,
    viewers: int | None,
    settings: Sequence[str],
    more: Sequence[str],
    cores: str | None,
    gateway_metrics: str | None,
    gateway_pid: int | None,
    metrics: str | None,
    json_path: Path | None,
    html_path: Path | None,
    every: float,
    own_targets: Sequence[str],
) -> None:
    """Run SCENARIO, a name or a file, and say pass or fail.

    Bearer tokens are taken from LOADGEN_WATCH_TOKEN and LOADGEN_PUBLISH_TOKEN.
    """
    reports = Reports(json_path, html_path)
    try:
        reports.require_writable()
        loaded = load(scenario, _overrides(settings, duration, viewers))
        thresholds = _thresholds(loaded, more)
        has_counters = gateway_metrics is not None
        require_sources(thresholds, has_process=has_counters or gateway_pid is not None, has_counters=has_counters)
        options = RunOptions(
            target=Target(
                endpoints=Endpoints(target, whip_path, whep_path, hls_path, signals_path, rounds_path),
                permission=require_permission(target, own_targets),
                watch_token=os.environ.get(WATCH_TOKEN_VARIABLE),
                publish_token=os.environ.get(PUBLISH_TOKEN_VARIABLE),
            ),
            cores=_cores(cores),
            gateway_pid=gateway_pid,
            gateway_metrics=gateway_metrics,
        )
        require_listener(target)
        exporter = _exporter(metrics)
    except LoadgenError as error:
        raise _refused(error) from None
    console = Console()
    result = uvloop.run(_run(loaded, thresholds, options, console, every, exporter))
    written, failures = reports.write(result)
    print_verdict(console, result, written)
    for sentence in failures:
        click.echo(f"Error: {sentence}", err=True)
    sys.exit(result.outcome.exit_status or (Outcome.FAILED.exit_status if failures else 0))


async def _run(
    scenario: Scenario,
    thresholds: Sequence[Threshold],
    options: RunOptions,
    console: Console,
    every_s: float,
    exporter: Exporter | None,
) -> RunResult:
    loop = asyncio.get_running_loop()
    try:
        with view_on(console, scenario, every_s) as view:
            observers: list[Observer] = [view.update]
            if exporter is not None:
                observers.append(lambda interval, totals, _elapsed_s: exporter.update(interval, totals))
            load_run = Run(scenario, thresholds, options, observers)
            for signal_number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(signal_number, load_run.stop)
            return await load_run.execute()
    finally:
        if exporter is not None:
            exporter.close()


def _overrides(settings: Sequence[str], duration: str | None = None, viewers: int | None = None) -> dict[str, str]:
    overrides = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ScenarioError(f"--set {setting}: expected KEY=VALUE, such as players.0.count=1000.")
        overrides[key] = value
    if duration is not None:
        overrides["duration"] = duration
    if viewers is not None:
        overrides["players.0.count"] = str(viewers)
    return overrides


def _thresholds(scenario: Scenario, more: Sequence[str]) -> list[Threshold]:
    return [parse_threshold(text) for text in (*scenario.thresholds, *more)]


def _cores(given: str | None) -> tuple[int, ...]:
    available = os.sched_getaffinity(0)
    if given is None:
        return tuple(sorted(available))
    try:
        cores = tuple(dict.fromkeys(int(number) for number in given.split(",")))
    except ValueError:
        raise ScenarioError(f"--cores {given}: expected numbers, such as 1,2.") from None
    if not available.issuperset(cores):
        raise ScenarioError(f"--cores {given}: this process may use {', '.join(map(str, sorted(available)))}.")
    return cores


def _exporter(address: str | None) -> Exporter | None:
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdigit()):
        raise ScenarioError(f"--metrics {address}: expected HOST:PORT, such as 127.0.0.1:9108.")
    return Exporter(host.strip("[]") or "127.0.0.1", int(port))


class _CouldNotRun(click.ClickException):
    exit_code = Outcome.FAILED.exit_status


def _refused(error: LoadgenError) -> click.ClickException:
    return _CouldNotRun(str(error))


if __name__ == "__main__":
    main()
