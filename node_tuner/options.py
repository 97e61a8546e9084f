"""What the tuner's commands have in common: their options, and how each error ends one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from math import isfinite
from pathlib import Path
from typing import Any

import click

from node_tuner.engine.node import Node, this_node
from node_tuner.errors import MissingError, ProfileError, TunerError
from node_tuner.machine.roots import Roots
from node_tuner.result import DEFAULT_PATH as RESULT_PATH
from node_tuner.state.store import DEFAULT_PATH as STATE_PATH
from node_tuner.state.store import Store

REFUSED, FAILED = 2, 1
"""Exit status."""

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Settings:
    """What all commands know."""

    profile: str
    interface: str | None
    state: Path
    result: Path
    roots: Roots
    is_json: bool

    def node(self) -> Node:
        """The node that we are on."""
        return this_node(Store(self.state), self.roots)


_DIRECTORY = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False)


class _Seconds(click.FloatRange):
    """NaN is in every range, for it is not less than anything."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = float(super().convert(value, param, ctx))
        return seconds if isfinite(seconds) else self.fail(f"{value} is no time.", param, ctx)


SECONDS = _Seconds(min=1, max=_DAY_S)

_SETTINGS = (
    click.option("--profile", default="media-edge", show_default=True, metavar="FILE", help="Or a shipped one's name."),
    click.option(
        "--interface", metavar="NAME", help="That carries the media, or its address; instead of the profile's."
    ),
    click.option("--state", type=_FILE, default=STATE_PATH, show_default=True, help="The record of original values."),
    click.option("--result", type=_FILE, default=RESULT_PATH, show_default=True, help="Where the gateway reads it."),
    click.option(
        "--proc", type=_DIRECTORY, default="/proc", show_default=True, help="The node's, where it is mounted."
    ),
    click.option("--sys", type=_DIRECTORY, default="/sys", show_default=True, help="Likewise."),
    click.option("--sysctl", type=_DIRECTORY, help="The node's /proc/sys, or its net alone, mounted to be written."),
    click.option("--json", "is_json", is_flag=True, help="Say it in JSON on standard output."),
)

dry_run = click.option("--dry-run", "is_dry_run", is_flag=True, help="Change nothing, and write no file.")
take_over = click.option("--take-over", "is_takeover", is_flag=True, help="Overwrite what others have changed since.")
strict = click.option("--strict", "is_strict", is_flag=True, help="Exit with 1 when the node is degraded, too.")


class RefusedError(click.ClickException):
    """The command line, the profile or the interface."""

    exit_code = REFUSED


class FailedError(click.ClickException):
    """All else; the message says what was changed."""

    exit_code = FAILED


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Give `function` its settings, and errors one line each."""

    @wraps(function)
    def invoked(
        profile: str, interface: str | None, state: Path, result: Path, proc: Path, sys: Path, sysctl: Path | None,
        is_json: bool, **options: Any,
    ) -> None:  # fmt: skip
        settings = Settings(profile, interface, state, result, Roots(proc, sys, sysctl), is_json)
        try:
            function(settings, **options)
        except (ProfileError, MissingError) as error:
            raise RefusedError(str(error)) from None
        except TunerError as error:
            raise FailedError(str(error)) from None

    for option in reversed(_SETTINGS):
        invoked = option(invoked)
    return invoked
