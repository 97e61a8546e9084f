"""A node of dictionaries: its controls behave as the kernel's do, its power can be cut at any step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node_tuner.aims import AtLeast, Exactly, Made
from node_tuner.contract import Aim, Control, Knob, Value, Where
from node_tuner.durable import nothing
from node_tuner.engine.node import Node
from node_tuner.errors import GoneError, InUseError, UnavailableError
from node_tuner.state.store import Store

BOOT, NAMESPACE = "boot-1", "cookie-1"


class KilledError(BaseException):
    """As SIGKILL: nothing that catches errors may catch it."""


@dataclass
class FakeNode:
    """Values by name; what is in one of the other collections behaves so."""

    values: dict[str, Any] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    refusing: dict[str, str] = field(default_factory=dict)
    """Writes fail, and nobody knows it before."""
    obstacles: dict[str, str] = field(default_factory=dict)
    in_use: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    side_effects: dict[str, Callable[[FakeNode], None]] = field(default_factory=dict)
    sets: set[str] = field(default_factory=set)
    """Words, of which some are ours and some are others'."""
    moving: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What a write of the one is known to move."""
    growing: set[str] = field(default_factory=set)
    """Values may come to it, as masks with new queues."""
    writes: list[str] = field(default_factory=list)

    def find(self, kind: str, where: Where) -> Control:
        """As `controls.control_of`."""
        assert kind == "fake"
        return FakeControl(self, str(where["name"]))

    def moves(self, _kind: str, where: Where) -> Sequence[tuple[str, Where]]:
        """As `controls.moves`."""
        return [("fake", {"name": name}) for name in self.moving.get(str(where["name"]), ())]

    def control(self, name: str) -> FakeControl:
        """The one of that name; it need not have a value."""
        return FakeControl(self, name)

    def knob(self, name: str, aim: Aim | int, *, required: bool = False, not_needed: str = "") -> Knob:
        """An int is an exact aim; for our own things it is what they are made of."""
        if isinstance(aim, int):
            aim = Made({"what": aim}, f"made of {aim}") if name in self.own else Exactly(aim)
        return Knob(name, self.control(name), aim, required, f"why {name}", "a source", not_needed=not_needed)

    def snapshot(self) -> dict[str, Any]:
        """All values, without those that are not there."""
        return {name: value for name, value in self.values.items() if value is not None}


@dataclass(frozen=True)
class FakeControl:
    """One value of a node."""

    node: FakeNode
    name: str
    kind: str = "fake"

    @property
    def where(self) -> Where:
        return {"name": self.name}

    @property
    def is_own(self) -> bool:
        return self.name in self.node.own

    @property
    def is_growing(self) -> bool:
        return self.name in self.node.growing

    def read(self) -> Value:
        if self.name in self.node.gone:
            raise GoneError(f"{self.name} is gone")
        if self.name not in self.node.values and not self.is_own:
            raise UnavailableError(f"this kernel has no {self.name}")
        found: Value = self.node.values.get(self.name)
        return found

    def merged(self, original: Value, applied: Value, found: Value) -> Value:
        if self.name not in self.node.sets:
            return None
        before, after, now = (set(str(each).split()) for each in (original, applied, found))
        return " ".join(sorted(now - (after - before)))

    def obstacle(self) -> str | None:
        return self.node.obstacles.get(self.name)

    def write(self, value: Value) -> None:
        if self.name in self.node.refusing:
            raise UnavailableError(self.node.refusing[self.name])
        if value is None and self.name in self.node.in_use:
            raise InUseError(f"{self.name} is in use")
        self.node.writes.append(self.name)
        self.node.values[self.name] = self._made(value)
        if self.name in self.node.side_effects:
            self.node.side_effects[self.name](self.node)

    def _made(self, value: Value) -> Value:
        if self.is_own and isinstance(value, Mapping):
            return {"digest": value["digest"], "content": "as made"}
        found = self.node.values.get(self.name)
        if isinstance(found, Mapping) and isinstance(
            value, Mapping
        ):  # as steering: a queue that is not there is left out
            return {key: value.get(key, old) for key, old in found.items()}
        return value


class Steps:
    """An `on_step` that keeps what it was told, and cuts the power at the step of that number."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.names: list[str] = []
        self._kill_at = kill_at

    def __call__(self, name: str) -> None:
        if len(self.names) == self._kill_at:
            raise KilledError(name)
        self.names.append(name)


def node_of(
    fake: FakeNode,
    path: Path,
    on_step: Callable[[str], None] = nothing,
    *,
    boot_id: str = BOOT,
    namespace: str = NAMESPACE,
) -> Node:
    """A process on that node, with its record at `path`."""
    return Node(Store(path, on_step), boot_id, namespace, fake.find, on_step, fake.moves)


def at_least(value: int) -> Aim:
    """For short."""
    return AtLeast(value)


def queues_of(count: int, mask: str) -> dict[str, str]:
    """Of a card with that many channels."""
    return {f"rx-{queue}": mask for queue in range(count)}


def card(*masks: str) -> FakeNode:
    """A channel for each mask, which is that of its queue; a new queue has none, and a queue that goes takes its mask
    with it."""
    masks = masks or ("0",)

    def follow(node: FakeNode) -> None:
        found = node.values["rps"]
        node.values["rps"] = {queue: found.get(queue, "0") for queue in queues_of(node.values["channels"], "0")}

    return FakeNode(
        {"channels": len(masks), "rps": {f"rx-{queue}": mask for queue, mask in enumerate(masks)}},
        side_effects={"channels": follow},
        moving={"channels": ("rps",)},
        growing={"rps"},
    )


def names_of(writes: Sequence[str]) -> list[str]:
    """The knobs that were written, from what `on_step` was told."""
    return [
        step.removeprefix("write ").removesuffix(": end")
        for step in writes
        if step.startswith("write ") and step.endswith(": end")
    ]
