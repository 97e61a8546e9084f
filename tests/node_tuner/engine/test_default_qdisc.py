"""The kernel's own qdisc comes back by what is the default when ours goes, and that default is one of our knobs too."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from node_tuner.aims import Exactly, Queueing
from node_tuner.contract import Control, Knob, Undivided, Value, Where
from node_tuner.controls import control_of
from node_tuner.controls.qdisc import RootQdisc
from node_tuner.durable import OnStep, nothing
from node_tuner.engine.apply import apply
from node_tuner.engine.node import Node
from node_tuner.engine.restore import restore
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from node_tuner.state.store import Store
from tests.node_tuner.host_sysctls import kept
from tests.node_tuner.namespaces import ChildError, Namespace, namespace

pytestmark = pytest.mark.netns

DEFAULT_QDISC = "net.core.default_qdisc"
CARD = "card0"


class HostDefault(Undivided):
    """The host's setting, by a file that was opened before the namespace was entered: none other has it."""

    kind = "default"
    is_own = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @property
    def where(self) -> Where:
        return {}

    def read(self) -> Value:
        return os.pread(self._descriptor, 100, 0).decode().strip()

    def obstacle(self) -> str | None:
        return None

    def write(self, value: Value) -> None:
        os.pwrite(self._descriptor, f"{value}\n".encode(), 0)


@dataclass(frozen=True)
class Stage:
    """Each call is a process of its own."""

    inside: Namespace
    default: HostDefault
    record: Path

    def apply(self, on_step: OnStep) -> None:
        self.inside.call(lambda: _done(apply(self._knobs(), self._node(on_step))))

    def restore(self, on_step: OnStep) -> None:
        self.inside.call(lambda: _done(restore(self._node(on_step))))

    def look(self) -> tuple[Value, Value]:
        return self.default.read(), self.inside.call(lambda: RootQdisc(_card()).read())

    def _knobs(self) -> Sequence[Knob]:
        return [
            Knob(DEFAULT_QDISC, self.default, Exactly("pfifo"), True, "why", "test"),
            Knob("qdisc", RootQdisc(_card(), "pfifo"), Queueing("pfifo", 500), True, "why", "test"),
        ]

    def _node(self, on_step: OnStep) -> Node:
        def find(kind: str, where: Where) -> Control:
            return self.default if kind == "default" else control_of(kind, where, Roots())

        return Node(Store(self.record, on_step), "boot-1", "cookie-1", find, on_step)


def _card() -> Link:
    return Link(CARD, socket.if_nametoindex(CARD))


def _done(_result: object) -> None:
    """Controls with open files do not go through a pipe."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with kept(DEFAULT_QDISC), namespace() as inside:
        descriptor = os.open(Path("/proc/sys", *DEFAULT_QDISC.split(".")), os.O_RDWR)
        try:
            default = HostDefault(descriptor)
            default.write("pfifo_fast")
            inside.run("ip", "link", "add", CARD, "numtxqueues", "3", "type", "ifb")
            inside.run("ip", "link", "set", CARD, "up")
            yield Stage(inside, default, tmp_path / "node-state.json")
        finally:
            os.close(descriptor)


class Killer:
    """Of its process, at the step of that number."""

    def __init__(self, kill_at: int) -> None:
        self._left = kill_at

    def __call__(self, _name: str) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def _kills(act: Callable[[OnStep], None], before: Callable[[], None]) -> Iterator[int]:
    """Kill it at every step, until there are none left."""
    for number in range(100):
        before()
        if not _is_killed(act, number):
            assert number > 8
            return
        yield number


def _is_killed(act: Callable[[OnStep], None], kill_at: int) -> bool:
    try:
        act(Killer(kill_at))
    except ChildError:
        return True
    return False


def test_default_and_qdisc_outlive_a_kill_at_every_step_of_apply(stage: Stage) -> None:
    before = stage.look()
    for number in _kills(stage.apply, lambda: stage.restore(nothing)):
        stage.restore(nothing)
        assert (stage.look(), stage.record.exists()) == (before, False), number


def test_default_and_qdisc_outlive_a_kill_at_every_step_of_restore(stage: Stage) -> None:
    before = stage.look()
    for number in _kills(stage.restore, lambda: stage.apply(nothing)):
        stage.restore(nothing)
        assert (stage.look(), stage.record.exists()) == (before, False), number


def test_kernel_s_own_after_somebody_deleted_ours_is_no_stranger_s(stage: Stage) -> None:
    before = stage.look()
    stage.apply(nothing)
    stage.inside.run("tc", "qdisc", "delete", "dev", CARD, "root")
    assert stage.look()[1] != before[1]
    stage.restore(nothing)
    assert (stage.look(), stage.record.exists()) == (before, False)
