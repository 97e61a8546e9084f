"""`python -m tests.bench`: see the package. Ends by itself within a quarter of an hour."""

import json
import shlex
import signal
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

import click

from loadgen.run import machine
from tests.bench.hls import measure as hls
from tests.bench.hls.table import render as render_hls
from tests.bench.measure import Plan, measure_joins, measure_levels
from tests.bench.node import measure as node
from tests.bench.node.table import render as render_node
from tests.bench.pictures import Studio
from tests.bench.placement import Cores
from tests.bench.progress import say
from tests.bench.remote import BenchError
from tests.bench.results import Results
from tests.bench.signals import measure as signals
from tests.bench.signals.report import render as render_signals
from tests.bench.table import render

GATEWAY = (sys.executable, "-m", "gateway")
DEFAULT_PLAN = Plan((1, 50, 200, 500), 10.0, 200, Studio.FFMPEG, "127.0.0.1", GATEWAY)
QUICK_PLAN = replace(DEFAULT_PLAN, levels=(1, 50), seconds=3.0, joins=20)
PARTS = ("webrtc", "hls", "signals", "node")
DEFAULT_JSON = Path("docs/bench.json")
MAX_DURATION_S = 900


@click.command()
@click.option("--only", type=click.Choice(PARTS), help="One part: fan-out and joins, LL-HLS, bet signals, or the node.")
@click.option("--level", "levels", type=int, multiple=True, help="Viewers of a window, in rising order; repeatable.")
@click.option("--seconds", type=float, help="Length of a window.")
@click.option("--joins", type=int, help="How many joins to measure; 0 for none.")
@click.option("--quick", is_flag=True, help="Two levels, 3 s each: proves that the bench works, measures little.")
@click.option(
    "--studio",
    type=click.Choice([s.value for s in Studio]),
    default=DEFAULT_PLAN.studio.value,
    help="How frames are cut.",
)
@click.option(
    "--udp-host", default=DEFAULT_PLAN.udp_host, help="Where the media port listens; `[::]` as in production."
)
@click.option("--gateway-command", help="Starts the gateway, such as 'python -X perf -m gateway'.")
@click.option(
    "--json", "path", type=click.Path(path_type=Path), help=f"Where to write; without options {DEFAULT_JSON}."
)
def main(
    only: str | None,
    levels: tuple[int, ...],
    seconds: float | None,
    joins: int | None,
    quick: bool,
    studio: str,
    udp_host: str,
    gateway_command: str | None,
    path: Path | None,
) -> None:
    """Measure the gateway."""
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(MAX_DURATION_S)
    base = QUICK_PLAN if quick else DEFAULT_PLAN
    plan = Plan(
        levels=levels or base.levels,
        seconds=seconds or base.seconds,
        joins=base.joins if joins is None else joins,
        studio=Studio(studio),
        udp_host=udp_host,
        command=tuple(shlex.split(gateway_command)) if gateway_command else GATEWAY,
    )
    hls_plan = hls.QUICK_PLAN if quick else hls.DEFAULT_PLAN
    signal_plan = signals.QUICK_PLAN if quick else signals.DEFAULT_PLAN
    node_plan = node.QUICK_PLAN if quick else node.DEFAULT_PLAN
    record: dict[str, Any] = {}
    try:
        if only in (None, "webrtc"):
            results = _measure(plan)
            print(render(results))
            record |= results.record()
        if only in (None, "hls"):
            hls_results = hls.measure_hls(hls_plan, plan.command, Cores.available())
            print(render_hls(hls_results))
            record["hls"] = hls_results.record()
        if only in (None, "signals"):
            signal_results = signals.measure_signals(signal_plan, plan.command, Cores.available())
            print(render_signals(signal_results))
            record["signals"] = signal_results.record()
        if only in (None, "node"):
            node_results = node.measure_node(node_plan, Cores.available())
            print(render_node(node_results))
            record["node"] = node_results.record()
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    if path is None and plan == DEFAULT_PLAN:
        path = DEFAULT_JSON
    if path is not None:
        _write(path, record)


def _write(path: Path, record: dict[str, Any]) -> None:
    """What was not measured this time stays as it is."""
    before = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**before, **record}, indent=2) + "\n")
    say(f"wrote {path}")


def _measure(plan: Plan) -> Results:
    cores = Cores.available()
    baseline, levels = measure_levels(plan, cores)
    joins = measure_joins(plan, cores) if plan.joins else None
    record = {**asdict(plan), "studio": plan.studio.value, "command": shlex.join(plan.command[1:])}
    return Results(machine.describe(), record, baseline, levels, joins)


def _give_up(_signal: int, _frame: object) -> NoReturn:
    raise BenchError(f"not finished after {MAX_DURATION_S} s")


if __name__ == "__main__":
    main()
