"""Containers, Services, probes, Prometheus and the nodes' firewall speak of the same ports."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.daemonset.listening import PATHS, PORTS, watch_host
from tests.daemonset.pods import Container, gateway, named, of_kind, pods, selected
from tests.daemonset.rendering import Object
from tests.daemonset.trees import EDGES, objects

pytestmark = pytest.mark.kubectl

TREE = pytest.mark.parametrize("tree", EDGES)


@TREE
def test_container_opens_the_ports_that_it_listens_at(tree: str) -> None:
    rendered = objects(tree)
    for pod in pods(rendered):
        for each in pod.containers:
            if each.stays:
                assert set(each.ports.values()) == PORTS[each.name](rendered, pod, each), each.name


@TREE
def test_watch_is_asked_by_both_families_as_nodes_have_addresses_of_either(tree: str) -> None:
    hosts = {watch_host(each) for pod in pods(objects(tree)) for each in pod.containers if each.name == "watch"}
    assert hosts <= {"::"}


@TREE
def test_no_two_containers_of_the_nodes_network_want_one_port(tree: str) -> None:
    ports = [port for pod in pods(objects(tree)) if pod.spec.get("hostNetwork") for port in pod.ports.values()]
    assert len(ports) == len(set(ports)) >= 2


def _questions(container: Container) -> Iterator[dict[str, Any]]:
    yield from (container.spec[name] for name in container.spec if name.endswith("Probe"))


@TREE
def test_probe_asks_for_a_path_that_there_is_at_a_port_that_is_open(tree: str) -> None:
    for pod in pods(objects(tree)):
        for each in pod.containers:
            for probe in _questions(each):
                asked = probe.get("httpGet") or probe["tcpSocket"]
                assert asked["port"] in each.ports, each.name
                assert asked.get("path") in {*PATHS[each.name], None}, each.name


@TREE
def test_service_leads_to_a_port_of_pods_that_there_are(tree: str) -> None:
    rendered = objects(tree)
    for service in of_kind(rendered, "Service"):
        found = selected(rendered, service["spec"]["selector"])
        assert found, service["metadata"]["name"]
        for port in service["spec"]["ports"]:
            for pod in found:
                assert pod.target(port["targetPort"])[0] == port["protocol"]


@TREE
def test_headless_service_names_ports_by_their_own_number(tree: str) -> None:
    """Nothing translates them there."""
    service = named(objects(tree), "Service", "railbird-gateway-nodes")
    pod = gateway(objects(tree))
    assert service["spec"]["clusterIP"] == "None"
    for each in service["spec"]["ports"]:
        assert pod.target(each["targetPort"]) == (each["protocol"], each["port"])


@TREE
def test_prometheus_asks_every_container_that_has_metrics(tree: str) -> None:
    rendered = objects(tree)
    monitor = named(rendered, "PodMonitor", "railbird-gateway")["spec"]
    (pod,) = selected(rendered, monitor["selector"]["matchLabels"])
    asked = {(each["port"], each["path"]) for each in monitor["podMetricsEndpoints"]}
    offered = {
        (port, "/metrics")
        for each in pod.containers
        if each.stays and "/metrics" in PATHS[each.name]
        for port, (protocol, _) in each.ports.items()
        if protocol == "TCP"
    }
    assert asked == offered


def _cilium_ports(policy: Object, key: str) -> set[tuple[str, int]]:
    ports = (port for rule in policy["spec"][key] for group in rule["toPorts"] for port in group["ports"])
    return {(each["protocol"], int(each["port"])) for each in ports}


@pytest.mark.parametrize("tree", ["base+all", "eu-north", "eu-west", "us-east"])
def test_firewall_opens_what_players_use_and_closes_the_rest(tree: str) -> None:
    rendered = objects(tree)
    pod = gateway(rendered)
    opened = _cilium_ports(named(rendered, "CiliumClusterwideNetworkPolicy", "railbird-media-open"), "ingress")
    closed = _cilium_ports(named(rendered, "CiliumClusterwideNetworkPolicy", "railbird-media-closed"), "ingressDeny")
    cordon = set(pod.container("cordon").ports.values())
    assert opened | closed == set(pod.ports.values()) - cordon, "cordon listens on loopback alone"
    assert not opened & closed
    assert ("UDP", 8189) in opened
    service = named(rendered, "Service", "railbird-gateway")["spec"]
    assert all(pod.target(each["targetPort"]) in opened for each in service["ports"])
