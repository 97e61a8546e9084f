"""Whether a node is being emptied, and what that asks of the drain file. Pure."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.errors import RailbirdError


class NodeError(RailbirdError):
    """What came is not the node that was asked for; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Node:
    """What a Node's spec says of taking pods (core/v1 NodeSpec)."""

    is_unschedulable: bool
    """`kubectl cordon` was here."""
    taints: tuple[str, ...]
    """Their keys, whatever their effect."""


class Found(Enum):
    """The drain file, as it is."""

    ABSENT = "absent"
    OURS = "ours"
    """A process of this kind made it."""
    OTHERS = "others"
    """A person did, or preStop: theirs to remove."""


class Action(Enum):
    """What is to be done about it."""

    MAKE = "make"
    REMOVE = "remove"
    NOTHING = "nothing"


_ACTIONS = {
    (True, Found.ABSENT): Action.MAKE,
    (True, Found.OURS): Action.NOTHING,
    (True, Found.OTHERS): Action.NOTHING,
    (False, Found.ABSENT): Action.NOTHING,
    (False, Found.OURS): Action.REMOVE,
    (False, Found.OTHERS): Action.NOTHING,
}
"""(the node is being emptied, the file) -> what to do."""


def action(reason: str | None, found: Found) -> Action:
    """What a node that is emptied for that reason, or is not, asks of the file."""
    return _ACTIONS[reason is not None, found]


def reason_to_drain(node: Node, taints: Collection[str]) -> str | None:
    """Why players should leave; `taints` are the keys that mean it. None: nothing says so."""
    if node.is_unschedulable:
        return "it is cordoned"
    found = next((key for key in node.taints if key in taints), None)
    return None if found is None else f"it has the taint {found}"


def parse_node(data: bytes, name: str) -> Node:
    """The API server's answer for the node of that name; NodeError for anything else."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise NodeError("it is no JSON") from None
    document = _object(document, "it")
    if document.get("kind") != "Node":
        raise NodeError("it is no Node")
    if _object(document.get("metadata"), "its metadata").get("name") != name:
        raise NodeError("it is another node's")
    spec = _object(document.get("spec"), "its spec")
    # Left out where it is false, as all of Kubernetes' fields are.
    is_unschedulable = spec.get("unschedulable", False)
    if not isinstance(is_unschedulable, bool):
        raise NodeError("its spec.unschedulable is neither true nor false")
    return Node(is_unschedulable, _keys(spec.get("taints", [])))


def _keys(taints: Any) -> tuple[str, ...]:
    if not isinstance(taints, list):
        raise NodeError("its spec.taints are no list")
    return tuple(_key(_object(taint, "a taint")) for taint in taints)


def _key(taint: dict[str, Any]) -> str:
    key = taint.get("key")
    if not isinstance(key, str):
        raise NodeError("a taint has no key")
    return key


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NodeError(f"{what} is no object")
    return value
