"""A node as containers of a pod see it: a network namespace that stands in for the host's, and the directories that
the pod's volumes are."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.container.containers import Container, Ended, Launch, run, running
from tests.node_tuner.namespaces import Namespace, Pair, pair
from tests.node_tuner.snapshot import Snapshot, snapshot
from tests.node_tuner.wire import in_thread

HTTP_PORT: Final = 8080
UID: Final = 65_532

CONFINED: Final = (
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
)
"""As the gateway's securityContext; uid 65532 is the image's own, seccomp is podman's default profile."""

PRIVILEGED: Final = ("--privileged", "--user=0:0", "--read-only", "--read-only-tmpfs=false")
"""As the init container `tune` in the base."""

SCRATCH: Final = ("--tmpfs=/tmp",)
"""For who needs room for files of its own, as the demo studio does for its certificate."""

MORE_THAN_ANY_HOST_HAS: Final = 1 << 30
"""Of net.core.rmem_max, which a namespace shows and lets nobody write: as a required knob it is refused."""

PROBE_EVERY_S: Final = 0.05
ANSWERED_WITHIN_S: Final = 50.0
"""On a machine that has other things to do, too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of /readyz and its like."""

    status: int
    text: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@dataclass(frozen=True, slots=True)
class Node:
    """The near end of a pair of namespaces is the node; players are at the far end."""

    joined: Pair
    directory: Path

    @property
    def address(self) -> str:
        """That players reach it at."""
        return self.joined.near.ipv4

    @property
    def url(self) -> str:
        return f"http://{self.address}:{HTTP_PORT}"

    @property
    def inside(self) -> Namespace:
        return self.joined.near.namespace

    @property
    def outside(self) -> Namespace:
        return self.joined.far.namespace

    @property
    def etc(self) -> Path:
        """/etc/railbird: ConfigMaps."""
        return self.directory / "etc"

    @property
    def shared(self) -> Path:
        """/run/railbird: an emptyDir, which everybody in the pod may write to."""
        return self.directory / "run"

    @property
    def record(self) -> Path:
        """/var/lib/railbird: a hostPath, of the tuner alone."""
        return self.directory / "lib"

    @contextlib.contextmanager
    def gateway(self, *arguments: str, flags: Sequence[str] = (), **settings: Any) -> Iterator[Container]:
        """A gateway that listens at the node's address, with these settings on top of what that takes."""
        listens = {
            "http": f"{self.address}:{HTTP_PORT}",
            "public_addresses": [self.address],
            "auth": {"open_to_network": True},
            "log_format": "json",
        }
        # JSON is YAML, too.
        (self.etc / "railbird.yml").write_text(json.dumps(listens | settings))
        volumes = (f"--volume={self.etc}:/etc/railbird:ro", f"--volume={self.shared}:/run/railbird")
        command = ("railbird-gateway", "--config", "/etc/railbird/railbird.yml", *arguments)
        with running(Launch((*CONFINED, *within(self.inside), *volumes, *flags), command)) as container:
            yield container

    def tuner(self, *arguments: str, flags: Sequence[str] = PRIVILEGED) -> Ended:
        """A command of the tuner by the profile of `etc`, in a container that ends before others of the pod begin."""
        volumes = (
            f"--volume={self.etc}:/etc/railbird:ro",
            f"--volume={self.shared}:/run/railbird",
            f"--volume={self.record}:/var/lib/railbird",
        )
        command = ("railbird-tuner", *arguments, "--profile", "/etc/railbird/profile.yml")
        return run(Launch((*flags, *within(self.inside), *volumes), command))

    def look(self) -> Snapshot:
        """All of the node that a tuner could have changed."""

        def inside() -> Snapshot:
            return snapshot(socket.if_nametoindex(self.joined.near.interface))

        return self.inside.call(inside)

    def result(self) -> dict[str, Any]:
        """The tuner's result file."""
        document: dict[str, Any] = json.loads((self.shared / "node.json").read_text())
        return document

    def answer(self, path: str) -> Answer:
        """What the gateway answers to the far end; OSError where it does not."""
        return in_thread(self.outside, lambda: _answer(self.url + path))

    def until_answered(self, path: str, *statuses: int, within_s: float = ANSWERED_WITHIN_S) -> Answer:
        """The first answer to the far end with one of these; AssertionError with the last that came, if any."""
        return in_thread(self.outside, lambda: _until_answered(self.url + path, statuses, within_s))


@contextlib.contextmanager
def node(directory: Path) -> Iterator[Node]:
    """Gone afterwards with all that is in it."""
    with pair() as joined:
        made = Node(joined, directory)
        for each in (made.etc, made.shared, made.record):
            each.mkdir()
        made.shared.chmod(0o777)
        yield made


def within(namespace: Namespace) -> tuple[str, ...]:
    return (f"--network=ns:/run/netns/{namespace.name}",)


def _answer(url: str) -> Answer:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return Answer(response.status, response.read().decode())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.read().decode())


def _until_answered(url: str, statuses: Sequence[int], within_s: float) -> Answer:
    deadline_s = time.monotonic() + within_s
    said: Answer | OSError | None = None
    while time.monotonic() < deadline_s:
        try:
            said = _answer(url)
        except OSError as error:
            said = error
        if isinstance(said, Answer) and said.status in statuses:
            return said
        time.sleep(PROBE_EVERY_S)
    raise AssertionError(f"{url}: no {statuses} within {within_s} s, but {said!r}")
