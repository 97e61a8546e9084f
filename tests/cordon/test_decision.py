"""From the API server's answer to what is done about the drain file."""

from typing import Any

import pytest

from gateway.cordon.decision import Action, Found, Node, NodeError, action, parse_node, reason_to_drain
from tests.cordon.api_server import NAME, node, written

AUTOSCALER = "ToBeDeletedByClusterAutoscaler"


def test_node_that_takes_pods_has_no_reason() -> None:
    found = parse_node(written(node(podCIDR="10.0.0.0/24")), NAME)
    assert found == Node(False, ())
    assert reason_to_drain(found, {AUTOSCALER}) is None


def test_cordon_is_a_reason() -> None:
    # What `kubectl cordon` leaves: the field, and soon the taint that the node controller makes of it.
    found = parse_node(written(node(unschedulable=True, taints=("node.kubernetes.io/unschedulable",))), NAME)
    assert reason_to_drain(found, ()) == "it is cordoned"


def test_taint_is_a_reason_where_it_is_named() -> None:
    found = parse_node(written(node(taints=("railbird.io/media", AUTOSCALER))), NAME)
    assert reason_to_drain(found, {"karpenter.sh/disrupted", AUTOSCALER}) == f"it has the taint {AUTOSCALER}"
    assert reason_to_drain(found, {"karpenter.sh/disrupted"}) is None


NOT_A_NODE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "it is no JSON"),
    "half": (written(node())[:40], "it is no JSON"),
    "not UTF-8": (b'"\xff"', "it is no JSON"),
    "nested": (b"[" * 100_000, "it is no JSON"),
    "list": (b"[]", "it is no object"),
    "status": (written({"kind": "Status", "code": 403}), "it is no Node"),
    "other node": (written(node(name="edge-2")), "it is another node's"),
    "no metadata": (written({"kind": "Node", "spec": {}}), "its metadata is no object"),
    "no spec": (written({"kind": "Node", "metadata": {"name": NAME}}), "its spec is no object"),
    "word": (written(node(unschedulable="true")), "its spec.unschedulable is neither true nor false"),
    "null": (written(node(unschedulable=None)), "its spec.unschedulable is neither true nor false"),
    "taints": (written({**node(), "spec": {"taints": {}}}), "its spec.taints are no list"),
    "taint": (written({**node(), "spec": {"taints": ["x"]}}), "a taint is no object"),
    "keyless": (written({**node(), "spec": {"taints": [{"effect": "NoSchedule"}]}}), "a taint has no key"),
}


@pytest.mark.parametrize(("data", "why"), NOT_A_NODE.values(), ids=NOT_A_NODE)
def test_answer_that_is_no_node_of_that_name_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(NodeError) as refused:
        parse_node(data, NAME)
    assert str(refused.value) == why


WANTED: list[tuple[str | None, Found, Action]] = [
    ("it is cordoned", Found.ABSENT, Action.MAKE),
    ("it is cordoned", Found.OURS, Action.NOTHING),
    ("it is cordoned", Found.OTHERS, Action.NOTHING),
    (None, Found.ABSENT, Action.NOTHING),
    (None, Found.OURS, Action.REMOVE),
    (None, Found.OTHERS, Action.NOTHING),
]


@pytest.mark.parametrize(("reason", "found", "wanted"), WANTED)
def test_action_never_touches_the_file_of_others(reason: str | None, found: Found, wanted: Action) -> None:
    assert action(reason, found) is wanted


def test_action_is_known_for_whatever_is_found() -> None:
    cases: list[Any] = [(reason, found) for reason in ("why", None) for found in Found]
    assert sorted(map(str, cases)) == sorted(str((reason and "why", found)) for reason, found, _ in WANTED)
