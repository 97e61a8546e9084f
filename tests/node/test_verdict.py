"""The verdict on a result: its boot, its age, its knobs."""

from typing import Any

import pytest

from gateway.node.result import parse_result
from gateway.node.verdict import MAX_KNOBS_TOLD, NodeState, Verdict, judge
from tests.node.results import BOOT_ID, RINGS, RMEM_MAX, WRITTEN_UNIX_S, written

FAILED = RMEM_MAX | {"state": "failed", "found": "212992", "note": "needs CAP_NET_ADMIN"}


def verdict_on(
    *knobs: dict[str, Any], here: str = "cookie-1", age_s: float = 12.0, max_age_s: float | None = None, **changed: Any
) -> Verdict:
    return judge(parse_result(written(*knobs, **changed)), BOOT_ID, here, max_age_s, WRITTEN_UNIX_S + age_s)


def test_tuned_node_is_fit() -> None:
    verdict = verdict_on()
    assert (verdict.state, verdict.is_fit) == (NodeState.TUNED, True)
    assert verdict.lines == ("tuned: profile media-edge, written 12 s ago",)


def test_degraded_node_is_fit_and_says_what_it_lacks() -> None:
    verdict = verdict_on(RMEM_MAX, RINGS | {"state": "skipped", "note": "veth has no rings"}, overall="degraded")
    assert (verdict.state, verdict.is_fit) == (NodeState.DEGRADED, True)
    assert verdict.lines[1:] == (
        'nic.rings: skipped: found {"rx": 1024, "tx": 1024}, wanted at least 26214400: veth has no rings',
    )


def test_failed_node_is_not_fit_and_says_which_knob_and_why() -> None:
    verdict = verdict_on(FAILED, RINGS, overall="failed")
    assert (verdict.state, verdict.is_fit) == (NodeState.FAILED, False)
    assert verdict.lines == ("net.core.rmem_max: failed: found 212992, wanted at least 26214400: needs CAP_NET_ADMIN",)


def test_failed_node_without_a_failed_knob_says_who_says_so() -> None:
    assert verdict_on(overall="failed").lines == ("the tuner says that the node is not fit",)


def test_many_failed_knobs_are_not_all_told() -> None:
    lines = verdict_on(*[FAILED] * (MAX_KNOBS_TOLD + 3), overall="failed").lines
    assert len(lines) == MAX_KNOBS_TOLD + 1
    assert lines[-1] == "and 3 knobs more"


def test_result_of_another_boot_is_stale() -> None:
    verdict = verdict_on(boot_id="0e0e0e0e-3c1f-4d6a-9a53-0d6c4b9d3a11")
    assert (verdict.state, verdict.is_fit) == (NodeState.STALE, False)
    assert "another boot" in verdict.lines[0]


@pytest.mark.parametrize(
    ("namespace", "here", "state"),
    [
        ("cookie-1", "cookie-1", NodeState.TUNED),
        ("cookie-1", "cookie-2", NodeState.STALE),
        ("cookie-1", "", NodeState.TUNED),
        ("inode-4026531840", "cookie-1", NodeState.TUNED),
    ],
)
def test_result_of_another_namespace_is_stale_where_the_kernel_names_them(
    namespace: str, here: str, state: NodeState
) -> None:
    assert verdict_on(namespace=namespace, here=here).state is state


def test_result_of_another_namespace_says_so() -> None:
    assert verdict_on(namespace="cookie-7").lines == (
        "the result is stale: it is of another network namespace: the tuner has run there, and not in the gateway's",
    )


@pytest.mark.parametrize(
    ("age_s", "max_age_s", "state"),
    [
        (60.0, 60.0, NodeState.TUNED),
        (61.0, 60.0, NodeState.STALE),
        (-61.0, 60.0, NodeState.STALE),
        (-5.0, 60.0, NodeState.TUNED),
        (1e8, None, NodeState.TUNED),
    ],
)
def test_result_is_believed_for_as_long_as_is_set(age_s: float, max_age_s: float | None, state: NodeState) -> None:
    assert verdict_on(age_s=age_s, max_age_s=max_age_s).state is state


def test_stale_result_says_how_old_it_is() -> None:
    assert verdict_on(age_s=90.0, max_age_s=60.0).lines == (
        "the result is stale: it was written 90 s ago, and is believed for 60 s",
    )
    assert "30 s in the future" in verdict_on(age_s=-30.0, max_age_s=20.0).lines[0]
