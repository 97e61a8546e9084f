"""What the gateway's process may do in its container, what it leaves there, and how it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.container.containers import Container, Launch, run
from tests.container.node import CONFINED, SCRATCH, UID, Node
from tests.e2e.waiting import until
from tests.image.podman import BUILD_LIMIT_S

pytestmark = [pytest.mark.podman, pytest.mark.netns, pytest.mark.timeout(BUILD_LIMIT_S)]

DEMO_WITHIN_S = 30.0
GRACE_S = 40
DRAIN = {"rounds_s": 2.0, "spread_s": 1.0, "leave_s": 1.0}
"""The demo may have a round open, and nobody waits for it."""

OF_PODMAN = ["C /etc"]
"""It makes mount points there for its own /etc/hosts and the like."""
NOT_FOUND = 127


def statuses(container: Container) -> list[dict[str, str]]:
    """/proc/PID/status of each of the container's processes."""
    pid_namespace = Path(f"/proc/{container.pid}/ns/pid").stat().st_ino
    return list(_statuses(pid_namespace))


def _statuses(pid_namespace: int) -> Iterator[dict[str, str]]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if (process / "ns" / "pid").stat().st_ino == pid_namespace:
                lines = (process / "status").read_text().splitlines()
                yield {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def test_process_has_no_account_no_capability_and_no_way_to_more(node: Node) -> None:
    """The demo's as well, which it starts itself."""
    with node.gateway("--demo", flags=SCRATCH) as container:
        await until(lambda: len(statuses(container)) > 1, DEMO_WITHIN_S)
        for status in statuses(container):
            assert {*status["Uid"].split(), *status["Gid"].split()} == {str(UID)}
            assert status["Groups"] in ("", str(UID))
            assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
            assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_process_is_in_the_namespace_that_stands_for_the_host(node: Node) -> None:
    with node.gateway() as container:
        theirs = Path(f"/proc/{container.pid}/ns/net").stat().st_ino
        assert theirs == Path("/run/netns", node.inside.name).stat().st_ino


def test_nothing_is_written_outside_of_the_volumes(node: Node) -> None:
    """Neither could anything be: the root is mounted read-only. Without the demo not even /tmp is needed."""
    with node.gateway() as container:
        node.until_answered("/readyz", 200)
        mounts = Path(f"/proc/{container.pid}/mountinfo").read_text().splitlines()
        (root,) = (fields for fields in map(str.split, mounts) if fields[4] == "/")
        assert "ro" in root[5].split(",")
        assert container.changes() == OF_PODMAN


def test_stop_ends_it_within_the_grace_period(node: Node, measured: Callable[[str], None]) -> None:
    """SIGTERM reaches the gateway, which is the first process and so has only the handlers that it sets."""
    with node.gateway("--demo", flags=SCRATCH, drain=DRAIN) as container:
        node.until_answered("/api/v1/streams/demo", 200)
        status, took_s = container.stop(GRACE_S)
        assert (status, container.state["OOMKilled"]) == (0, False), container.log()  # 137: the grace period was over
        assert "Traceback" not in container.log()
        measured(f"ended {took_s:.1f} s after podman stop, the demo studio with it")


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("shell", ["sh", "bash", "/bin/sh", "busybox"])
def test_image_has_no_shell(shell: str) -> None:
    ended = run(Launch((*CONFINED, "--network=none"), (shell, "-c", "true")))
    assert ended.status == NOT_FOUND, str(ended)
    assert "attempted to invoke a command that was not found" in ended.err
