"""What is promised of every container: limits, probes, no privileges but the tuner's; and of every pod."""

from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.daemonset.pods import Container, Pod, Role, gateway, named, pods
from tests.daemonset.trees import EDGES, objects

pytestmark = pytest.mark.kubectl

TREE = pytest.mark.parametrize("tree", EDGES)

PRIVILEGED = {"tune"}
CAPABILITIES = {"tune": ["NET_ADMIN"], "watch": ["NET_ADMIN"], "ledger": ["CHOWN"]}
"""Name of the container -> what it may add to none at most."""

PROBES = {
    Role.MAIN: {"startupProbe", "livenessProbe", "readinessProbe"},
    Role.INIT: set[str](),
}


def _containers(tree: str) -> Iterator[tuple[Pod, Container]]:
    found = [(pod, container) for pod in pods(objects(tree)) for container in pod.containers]
    assert found
    yield from found


@TREE
def test_container_has_what_it_asks_for_and_no_more(tree: str) -> None:
    for _, each in _containers(tree):
        resources = each.spec["resources"]
        assert set(resources["limits"]) == {"cpu", "memory"}, each.name
        assert resources["requests"] == resources["limits"], each.name


@TREE
def test_container_that_stays_has_probes(tree: str) -> None:
    for _, each in _containers(tree):
        probes = {name for name in each.spec if name.endswith("Probe")}
        if each.role is Role.SIDECAR:
            assert "livenessProbe" in probes, each.name
            assert len(probes) > 1, each.name
        else:
            assert probes == PROBES[each.role], each.name


@TREE
def test_gateways_probes_ask_three_questions(tree: str) -> None:
    spec = gateway(objects(tree)).container("gateway").spec
    startup, liveness, readiness = (spec[name] for name in ("startupProbe", "livenessProbe", "readinessProbe"))
    assert liveness["httpGet"] != readiness["httpGet"]
    assert (
        startup["periodSeconds"] * startup["failureThreshold"]
        > liveness["periodSeconds"] * liveness["failureThreshold"]
    )
    assert (
        liveness["periodSeconds"] * liveness["failureThreshold"]
        > readiness["periodSeconds"] * readiness["failureThreshold"]
    )


@TREE
def test_nothing_but_the_tuner_is_privileged(tree: str) -> None:
    for _, each in _containers(tree):
        security = each.spec["securityContext"]
        assert not security.get("privileged", False) or each.name in PRIVILEGED, each.name
        added = security.get("capabilities", {}).get("add", [])
        assert set(added) <= set(CAPABILITIES.get(each.name, [])), each.name


@TREE
def test_container_is_confined(tree: str) -> None:
    for pod, each in _containers(tree):
        security = pod.spec["securityContext"] | each.spec["securityContext"]
        assert security["readOnlyRootFilesystem"] is True, each.name
        if security.get("privileged"):
            continue
        assert security["allowPrivilegeEscalation"] is False, each.name
        assert security["capabilities"]["drop"] == ["ALL"], each.name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, each.name
        assert (security["runAsNonRoot"] and security["runAsUser"] == 65532) or each.name in CAPABILITIES, each.name


@TREE
def test_pod_asks_nothing_of_the_api_server(tree: str) -> None:
    rendered = objects(tree)
    for pod in pods(rendered):
        assert pod.spec["automountServiceAccountToken"] is False
        account = named(rendered, "ServiceAccount", pod.spec["serviceAccountName"])
        assert account["automountServiceAccountToken"] is False


@TREE
def test_mount_is_of_a_volume_and_volume_is_mounted(tree: str) -> None:
    for pod in pods(objects(tree)):
        mounted = [mount["name"] for each in pod.containers for mount in each.spec.get("volumeMounts", ())]
        assert set(mounted) == set(pod.volumes)


@TREE
def test_paths_are_mounted_once(tree: str) -> None:
    for _, each in _containers(tree):
        paths = [PurePosixPath(mount["mountPath"]) for mount in each.spec.get("volumeMounts", ())]
        assert len(paths) == len(set(paths)), each.name


@TREE
def test_tuner_ends_before_anything_else_begins(tree: str) -> None:
    first, *rest = gateway(objects(tree)).containers
    assert (first.name, first.role) == ("tune", Role.INIT)
    assert rest[-1].name == "gateway"


@TREE
def test_pod_goes_where_media_goes(tree: str) -> None:
    for pod in pods(objects(tree)):
        assert pod.spec["nodeSelector"]["railbird.io/media"] == "true"
        tolerated = {each["key"]: each for each in pod.spec["tolerations"]}
        assert set(tolerated) == {"railbird.io/media", "railbird.io/starting"}
        assert tolerated["railbird.io/media"]["value"] == "true"


@TREE
def test_gateway_has_the_nodes_network_and_its_nodes_are_renewed_one_by_one(tree: str) -> None:
    pod = gateway(objects(tree))
    assert pod.spec["hostNetwork"] is True
    assert pod.owner["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] == 1
    assert named(objects(tree), "PriorityClass", pod.spec["priorityClassName"])["globalDefault"] is False


@TREE
def test_namespace_says_what_pod_security_has_to_let_in(tree: str) -> None:
    labels = named(objects(tree), "Namespace", "railbird")["metadata"]["labels"]
    prefix = "pod-security.kubernetes.io/"
    assert labels[f"{prefix}enforce"] == "privileged"
    for mode in ("enforce", "warn", "audit"):
        assert labels[f"{prefix}{mode}-version"] == "v1.32"
