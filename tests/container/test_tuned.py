"""The tuner's container first, then the gateway's: what the one did to the node, the other says at /readyz.

In the DaemonSet the tuner is an init container: where it fails the kubelet starts it again and again, and the gateway
never. Here the gateway is started all the same: what runs on an unfit node, whoever started it, is sent no players.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.container.node import CONFINED, MORE_THAN_ANY_HOST_HAS, Node
from tests.image.podman import BUILD_LIMIT_S
from tests.node_tuner.media_profile import write_profile

pytestmark = [pytest.mark.podman, pytest.mark.netns, pytest.mark.nft, pytest.mark.timeout(BUILD_LIMIT_S)]

OF_THE_NODE: Final[dict[str, Any]] = {"node": {"result": "/run/railbird/node.json"}}
"""The gateway's setting."""

SYSCTLS: Final = {
    "net.ipv4.ip_local_reserved_ports": "8189,9000-9010",
    "net.ipv4.udp_rmem_min": "8192",
    "net.ipv4.tcp_notsent_lowat": "131072",
}
"""Some of what the profile asks for."""
TABLES: Final = ["table inet railbird_conntrack", "table inet railbird_dscp"]


def sysctls(node: Node) -> dict[str, str]:
    return {name: node.inside.run("cat", f"/proc/sys/{name.replace('.', '/')}").strip() for name in SYSCTLS}


def test_gateway_is_ready_on_a_node_that_the_tuner_made_fit(node: Node, measured: Callable[[str], None]) -> None:
    write_profile(node.etc, name="profile.yml")
    before = node.look()
    applied = node.tuner("apply")
    assert (applied.status, node.result()["overall"]) == (0, "tuned"), str(applied)
    assert sysctls(node) == SYSCTLS
    assert node.inside.run("nft", "list", "tables").splitlines() == TABLES
    bypass = node.inside.run("nft", "list", "table", "inet", "railbird_conntrack")
    assert "udp dport { 8189, 9000-9010 } fib daddr type local notrack" in bypass

    with node.gateway(**OF_THE_NODE):
        ready = node.until_answered("/readyz", 200)
        assert ready.lines[0] == "ok"
        assert ready.lines[1].startswith("node: tuned: profile namespace, written ")
        assert 'railbird_node_overall{state="tuned"} 1.0' in node.answer("/metrics").lines
        measured(" | ".join(ready.lines))

    restored = node.tuner("restore")
    assert restored.status == 0, str(restored)
    assert node.look() == before
    assert list(node.shared.iterdir()) == []


def test_gateway_is_not_ready_where_a_required_knob_is_refused(node: Node, measured: Callable[[str], None]) -> None:
    """A namespace shows the host's rmem_max, and lets nobody write it."""
    write_profile(node.etc, name="profile.yml", rmem_max=MORE_THAN_ANY_HOST_HAS, rmem_max_required=True)
    before = node.look()
    applied = node.tuner("apply")
    assert (applied.status, node.result()["overall"]) == (1, "failed"), str(applied)
    assert "net.core.rmem_max" in applied.out + applied.err
    assert node.look() == before

    with node.gateway(**OF_THE_NODE):
        refused = node.until_answered("/readyz", 200, 503)
        assert (refused.status, refused.lines[0]) == (503, "not ready")
        (reason,) = (line for line in refused.lines if line.startswith("node: net.core.rmem_max: "))
        assert "not the host's network namespace" in reason
        assert node.answer("/livez").status == 200
        measured(reason)


def test_gateway_becomes_ready_when_the_tuner_has_run(node: Node) -> None:
    write_profile(node.etc, name="profile.yml")
    with node.gateway(**OF_THE_NODE):
        refused = node.until_answered("/readyz", 200, 503)
        assert (refused.status, refused.lines[1]) == (503, "node: /run/railbird/node.json is missing")
        assert node.tuner("apply").status == 0
        assert node.until_answered("/readyz", 200).lines[0] == "ok"


def test_tuner_without_privileges_changes_nothing(node: Node) -> None:
    """As the gateway runs."""
    write_profile(node.etc, name="profile.yml")
    node.record.chmod(0o777)
    before = node.look()
    applied = node.tuner("apply", flags=CONFINED)
    assert applied.status == 1, str(applied)
    assert "CAP_NET_ADMIN" in applied.err
    assert node.look() == before
