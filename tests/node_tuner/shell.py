"""The command line in a namespace with a media interface, each command in a process of its own."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from node_tuner.__main__ import main
from tests.node_tuner.media_profile import write_profile
from tests.node_tuner.namespaces import LINK, Namespace, pair
from tests.node_tuner.privileges import become
from tests.node_tuner.snapshot import Snapshot, snapshot


@dataclass(frozen=True)
class Said:
    """What became of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass(frozen=True)
class Shell:
    """In a namespace with a media interface; each command is a process of its own."""

    namespace: Namespace
    index: int
    directory: Path

    @property
    def state(self) -> Path:
        return self.directory / "lib" / "node-state.json"

    @property
    def result(self) -> Path:
        return self.directory / "run" / "node.json"

    @property
    def files(self) -> list[str]:
        return ["--state", str(self.state), "--result", str(self.result)]

    def tuner(
        self,
        command: str,
        *options: str,
        profile: Path | str | None = None,
        user: int | None = None,
        capabilities: Sequence[str] = (),
    ) -> Said:
        """Of the ordinary profile where none is named; where there is a `user`, with these capabilities alone."""
        arguments = [command, "--profile", str(profile or write_profile(self.directory)), *self.files, *options]

        def run() -> Said:
            if user is not None:
                become(user, *capabilities)
            done = CliRunner().invoke(main, arguments, catch_exceptions=False)
            return Said(done.exit_code, done.stdout, done.stderr)

        return self.namespace.call(run)

    def look(self) -> Snapshot:
        return self.namespace.call(lambda: snapshot(self.index))

    def states(self) -> dict[str, str]:
        """Of the result file."""
        return {knob["name"]: knob["state"] for knob in json.loads(self.result.read_text())["knobs"]}


@contextmanager
def shell_in(directory: Path) -> Iterator[Shell]:
    """With its files there."""
    with pair() as joined:
        namespace = joined.near.namespace
        yield Shell(namespace, namespace.call(lambda: socket.if_nametoindex(LINK)), directory)


def boot_id() -> str:
    """Of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
