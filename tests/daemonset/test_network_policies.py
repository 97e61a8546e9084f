"""Policies let in and out what an edge's objects speak of, with each component, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.daemonset import edge
from tests.daemonset.pods import Pod, Port, named, of_kind, pods, selected
from tests.daemonset.rendering import Object
from tests.daemonset.trees import EDGES, objects

pytestmark = pytest.mark.kubectl

TREE = pytest.mark.parametrize("tree", EDGES)

_URL = re.compile(r"(?P<scheme>https?)://[\w.-]+(?::(?P<port>\d+))?/?.*")
_BY_SCHEME = {"http": 80, "https": 443}

OF_ALL = {("TCP", 53), ("TCP", 443)}
"""Names, and what a site's own settings name by https."""
BY_CONTAINER = {"cordon": {("TCP", 443), ("TCP", 6443)}}
"""What no variable names: the API server's Service, and where that mostly leads."""


def _policies(rendered: tuple[Object, ...]) -> Iterator[tuple[dict[str, Any], list[Pod]]]:
    """Each one's `spec`, and whom it is for; but for the one that closes all."""
    for policy in of_kind(rendered, "NetworkPolicy"):
        if policy["spec"]["podSelector"]:
            yield policy["spec"], selected(rendered, policy["spec"]["podSelector"]["matchLabels"])


def _ports(rules: list[dict[str, Any]]) -> set[Port]:
    return {(each["protocol"], each["port"]) for rule in rules for each in rule["ports"] if "port" in each}


def _asked(rendered: tuple[Object, ...], pod: Pod) -> set[Port]:
    """At which ports Services and Prometheus ask that pod; kubelet is the node, which no policy binds."""
    services = (each["spec"] for each in of_kind(rendered, "Service"))
    monitors = (each["spec"] for each in of_kind(rendered, "PodMonitor"))
    labels = pod.labels.items()
    return {
        *(
            pod.target(port["targetPort"])
            for each in services
            if each["selector"].items() <= labels
            for port in each["ports"]
        ),
        *(
            pod.ports[end["port"]]
            for each in monitors
            if each["selector"]["matchLabels"].items() <= labels
            for end in each["podMetricsEndpoints"]
        ),
    }


def _called(rendered: tuple[Object, ...], pod: Pod) -> set[Port]:
    """To which ports that pod connects."""
    values = (value for each in pod.containers for value in edge.variables(rendered, each).values())
    urls = filter(None, map(_URL.fullmatch, values))
    named_ports = {("TCP", int(url["port"] or _BY_SCHEME[url["scheme"]])) for url in urls}
    return named_ports.union(*(BY_CONTAINER.get(each.name, set()) for each in pod.containers))


@TREE
def test_every_pod_is_closed_but_for_what_a_policy_opens(tree: str) -> None:
    closed = named(objects(tree), "NetworkPolicy", "railbird-deny-all")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    opened = [pod.name for _, found in _policies(objects(tree)) for pod in found]
    assert sorted(opened) == sorted(pod.name for pod in pods(objects(tree)))


@TREE
def test_policy_lets_in_whom_services_and_prometheus_ask_for_and_nobody_else(tree: str) -> None:
    rendered = objects(tree)
    for spec, found in _policies(rendered):
        for pod in found:
            assert _ports(spec["ingress"]) == _asked(rendered, pod), pod.name


@TREE
def test_policy_lets_out_to_where_settings_lead_and_nowhere_else(tree: str) -> None:
    rendered = objects(tree)
    for spec, found in _policies(rendered):
        for pod in found:
            assert {each for each in _ports(spec["egress"]) if each[0] == "TCP"} == OF_ALL | _called(rendered, pod)


@TREE
def test_peer_of_a_policy_is_a_pod_that_there_is(tree: str) -> None:
    rendered = objects(tree)
    for spec, _ in _policies(rendered):
        peers = [peer for rule in (*spec["ingress"], *spec["egress"]) for peer in rule.get("from", rule.get("to", ()))]
        for peer in peers:
            assert selected(rendered, peer["podSelector"].get("matchLabels", {})), peer


@pytest.mark.parametrize("tree", ["base+all", "eu-north", "eu-west", "us-east"])
def test_only_players_come_from_outside_the_cluster(tree: str) -> None:
    """Components bring rules of their own to one list, whatever their order."""
    ingress = named(objects(tree), "NetworkPolicy", "railbird-gateway")["spec"]["ingress"]
    assert _ports([each for each in ingress if "from" not in each]) == {("UDP", 8189), ("TCP", 8443)}
