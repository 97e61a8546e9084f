"""`python -m node_tuner`: plan, apply, verify, restore, watch and report. See docs/node-tuner.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click

from node_tuner import report, tables, watch
from node_tuner.contract import Knob
from node_tuner.engine.apply import apply
from node_tuner.engine.plan import Action, Plan
from node_tuner.engine.restore import Fate, foretell, restore
from node_tuner.engine.verify import Verified, verify
from node_tuner.machine.choice import ByAddress, ByName, Choice
from node_tuner.machine.facts import Machine
from node_tuner.machine.reading import read
from node_tuner.options import FAILED, SECONDS, FailedError, Settings, command, dry_run, strict, take_over
from node_tuner.profile.loading import load
from node_tuner.profile.schema import Profile
from node_tuner.result import KnobResult, Overall, ProfileId, Result, prepare, withdraw
from node_tuner.wanted import knobs


@dataclass(frozen=True, slots=True)
class Tuning:
    """A profile on this machine."""

    profile: Profile
    machine: Machine
    knobs: tuple[Knob, ...]

    def result(self, command: str, rows: Sequence[KnobResult]) -> Result:
        """For the result file."""
        machine = self.machine
        return Result(
            command=command,
            written_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            boot_id=machine.boot_id,
            namespace=machine.namespace,
            kernel=machine.kernel,
            interface=machine.interface.name,
            profile=ProfileId(self.profile.name, self.profile.digest),
            knobs=tuple(rows),
        )


def _tuning(settings: Settings, profile: Profile) -> Tuning:
    choice = profile.choice if settings.interface is None else _choice(settings.interface)
    machine = read(settings.roots, choice)
    return Tuning(profile, machine, knobs(profile, machine, settings.roots))


def _choice(name_or_address: str) -> Choice:
    try:
        return ByAddress(ip_address(name_or_address))
    except ValueError:
        return ByName(name_or_address)


@click.group(
    epilog="Exit status: 0 tuned or degraded, 1 failed, 2 the command line, the profile or the interface is refused."
)
def main() -> None:
    """Make this node fit for media, prove it, and undo it."""


@main.command()
@command
def plan(settings: Settings) -> None:
    """Say what apply would change, and why; change nothing. Exit status 1: it would refuse."""
    tuning = _tuning(settings, load(settings.profile))
    _foretell_apply(settings, tuning, verify(tuning.knobs, settings.node()))


@main.command("apply")
@dry_run
@take_over
@strict
@command
def apply_command(settings: Settings, is_dry_run: bool, is_takeover: bool, is_strict: bool) -> None:
    """Record the original values, change what is to be changed, read everything back."""
    tuning, node = _tuning(settings, load(settings.profile)), settings.node()
    if is_dry_run:
        return _foretell_apply(settings, tuning, verify(tuning.knobs, node, is_takeover=is_takeover))
    applied = apply(tuning.knobs, node, is_takeover=is_takeover, on_plan=partial(_begin, settings.result))
    _say(applied.notices)
    result = tuning.result("apply", applied.knobs)
    sentence = tables.refused_sentence(applied.refusals) if applied.refusals else ""
    _conclude(
        settings,
        result,
        is_strict,
        is_broken_off=applied.is_broken_off,
        sentence=sentence,
        changed=applied.changed,
        put_back=applied.put_back,
    )


@main.command("verify")
@dry_run
@strict
@command
def verify_command(settings: Settings, is_dry_run: bool, is_strict: bool) -> None:
    """Read everything back, and say what is not as wanted; change nothing but the result file."""
    tuning, node = _tuning(settings, load(settings.profile)), settings.node()
    with nullcontext() if is_dry_run else node.quiet():
        verified = verify(tuning.knobs, node)
        _say(verified.notices)
        _conclude(settings, tuning.result("verify", verified.knobs), is_strict, is_dry_run=is_dry_run)


@main.command("restore")
@dry_run
@take_over
@command
def restore_command(settings: Settings, is_dry_run: bool, is_takeover: bool) -> None:
    """Put back exactly what is on record, whatever the profile says now, and take the result file away."""
    node = settings.node()
    if is_dry_run:
        rows, notice = foretell(node, is_takeover=is_takeover)
    else:
        rows, notice = restore(node, is_takeover=is_takeover, on_begin=lambda: _withdraw(settings.result))
    _say((notice,) if notice else ())
    if settings.is_json:
        entries = [row.as_json() for row in rows]
        _print_json({"schema": 1, "command": "restore", "is_dry_run": is_dry_run, "entries": entries})
    else:
        tables.show(
            tables.restored_table(rows) if rows else None, tables.restored_sentence(rows, is_dry_run=is_dry_run)
        )
    sys.exit(FAILED if any(row.fate is Fate.FAILED for row in rows) else 0)


@main.command("watch")
@dry_run
@click.option("--every", "every_s", type=SECONDS, default=watch.DEFAULT_EVERY_S, show_default=True, help="Seconds.")
@click.option(
    "--listen", default=str(watch.DEFAULT_LISTEN), show_default=True, metavar="HOST:PORT", help="For /metrics."
)
@command
def watch_command(settings: Settings, is_dry_run: bool, every_s: float, listen: str) -> None:
    """Verify again and again, keep the result file fresh, and serve metrics; until SIGTERM."""
    followed = watch.Followed(partial(load, settings.profile), settings.result)
    latest = _tuning(settings, followed.latest())  # a missing interface is refused now, and reported later

    def read_back() -> Sequence[KnobResult]:
        nonlocal latest
        latest = _tuning(settings, followed.latest())
        return verify(latest.knobs, settings.node()).knobs

    def write(rows: Sequence[KnobResult]) -> None:
        if not is_dry_run:
            latest.result("watch", rows).write(settings.result)

    latency = latest.profile.cpu_dma_latency_us
    watch.run(
        read_back,
        write,
        settings.roots,
        every_s=every_s,
        listen=_listen(listen),
        cpu_dma_latency_us=latency.at_most if latency is not None else None,
        quiet=nullcontext if is_dry_run else settings.node().quiet,
    )


@main.command("report")
@command
def report_command(settings: Settings) -> None:
    """Say what this kernel, its network cards and the privileges of this process allow."""
    sections = list(report.take(settings.roots))
    if settings.is_json:
        _print_json(report.as_json(sections))
    else:
        report.show(sections, tables.output())


def _listen(text: str) -> watch.Listen:
    try:
        return watch.Listen.parse(text)
    except ValueError as error:
        raise click.UsageError(f"--listen {error}") from None


def _foretell_apply(settings: Settings, tuning: Tuning, verified: Verified) -> None:
    steps = verified.plan
    _say(verified.notices)
    _say_lacking(steps)
    if settings.is_json:
        _print_json({**_heading(tuning, "plan"), "steps": [step.as_json() for step in steps]})
    else:
        tables.show(tables.plan_table(steps), tables.plan_sentence(steps))
    sys.exit(FAILED if any(step.action is Action.REFUSE for step in steps) else 0)


def _heading(tuning: Tuning, command: str) -> dict[str, Any]:
    document = tuning.result(command, ()).as_json()
    return {key: value for key, value in document.items() if key not in ("overall", "knobs")}


def _conclude(
    settings: Settings,
    result: Result,
    is_strict: bool,
    *,
    is_dry_run: bool = False,
    is_broken_off: bool = False,
    sentence: str = "",
    **done: Sequence[str],
) -> None:
    """Write the result, say it, and end with its exit status."""
    if not is_dry_run:
        try:
            result.write(settings.result)
        except OSError as error:
            raise FailedError(f"{settings.result}: the result cannot be written: {error.strerror}") from None
    if settings.is_json:
        _print_json({**result.as_json(), **done})
    else:
        tables.show(tables.result_table(result.knobs), sentence or tables.result_sentence(result.knobs))
    failing = (Overall.FAILED, Overall.DEGRADED) if is_strict else (Overall.FAILED,)
    sys.exit(FAILED if is_broken_off or result.overall in failing else 0)


def _begin(result: Path, steps: Plan) -> None:
    """The last before an apply changes the node, which then is not what its result says until there is another."""
    _say_lacking(steps)
    actions = {step.action for step in steps}
    if Action.REFUSE in actions or actions.isdisjoint((Action.CHANGE, Action.PUT_BACK)):
        return
    try:
        prepare(result)
    except OSError as error:
        text = f"{result}: the result could not be written: {error.strerror}. Nothing was changed."
        raise FailedError(text) from None


def _withdraw(path: Path) -> None:
    try:
        withdraw(path)
    except OSError as error:
        raise FailedError(f"{path}: the result cannot be taken away: {error.strerror}") from None


def _say_lacking(plan: Plan) -> None:
    _say(f"This process {sentence}" for sentence in tables.lacking(plan))


def _say(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        click.echo(sentence, err=True)


def _print_json(document: Mapping[str, Any]) -> None:
    click.echo(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
