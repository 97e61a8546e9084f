"""The policies let our pods in, and none that breaks a promise of the manifests."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest

from tests.daemonset import spoiling
from tests.daemonset.admission import Denial, denials, messages
from tests.daemonset.pods import gateway, named, of_kind, pods
from tests.daemonset.rendering import Object
from tests.daemonset.spoiling import SPOILT, Spoilt
from tests.daemonset.trees import EDGES, REGIONS, objects

pytestmark = pytest.mark.kubectl

KINDS = ("Pod", "DaemonSet", "Job")
FULLEST = "us-east"
"""The region whose gateway has most containers, `ledger` among them."""


def _pod(spec: dict[str, Any]) -> Object:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "namespace": "railbird"}, "spec": spec}


def _candidate(kind: str, spec: dict[str, Any]) -> Object:
    """The pod, or what makes pods like it."""
    if kind == "Pod":
        return _pod(spec)
    group = "batch/v1" if kind == "Job" else "apps/v1"
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "owner"}, "spec": {"template": {"spec": spec}}}


def _namespace() -> Object:
    return named(objects(FULLEST), "Namespace", "railbird")


def _denials(candidate: Object, namespace: Object | None = None) -> Sequence[Denial]:
    return list(denials(objects("policies"), candidate, namespace or _namespace()))


def _spoilt(spoilt: Spoilt) -> dict[str, Any]:
    spec = deepcopy(gateway(objects(FULLEST)).spec)
    spoilt.spoil(spec)
    return spec


@pytest.mark.parametrize("region", REGIONS)
def test_pod_of_a_region_is_let_in(region: str) -> None:
    found = list(pods(objects(region)))
    assert found
    for each in found:
        assert _denials(each.owner) == []
        assert _denials(_pod(each.spec)) == []


@pytest.mark.parametrize("tree", EDGES)
def test_pod_of_any_edge_lacks_nothing_but_its_digest(tree: str) -> None:
    """The base's privileged `tune` among them. Digests are the regions' to say."""
    refused = {denial.policy for each in pods(objects(tree)) for denial in _denials(_pod(each.spec))}
    assert refused <= {"railbird-images"}


@pytest.mark.parametrize("name", ["tune", "watch", "ledger"])
def test_container_with_files_of_the_node_may_have_a_type_for_them(name: str) -> None:
    spec = deepcopy(gateway(objects(FULLEST)).spec)
    spoiling.setting("securityContext.seLinuxOptions", {"type": "spc_t"}, of=name)(spec)
    assert _denials(_pod(spec)) == []


@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize("spoilt", SPOILT, ids=lambda each: each.name)
def test_pod_that_breaks_a_promise_is_refused(spoilt: Spoilt, kind: str) -> None:
    found = _denials(_candidate(kind, _spoilt(spoilt)))
    assert any(spoilt.says in each.message for each in found), found


@pytest.mark.parametrize("spoilt", SPOILT, ids=lambda each: each.name)
def test_pod_of_another_namespace_is_let_in(spoilt: Spoilt) -> None:
    other = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}
    assert _denials(_pod(_spoilt(spoilt)), other) == []


def test_rule_refuses_something() -> None:
    """A rule that none of the spoilt pods breaks is one that nobody has seen working."""
    refused = {each.message for spoilt in SPOILT for each in _denials(_pod(_spoilt(spoilt)))}
    assert refused == set(messages(objects("policies")))


def test_pod_of_a_job_needs_no_probes() -> None:
    spec = deepcopy(gateway(objects(FULLEST)).spec) | {"restartPolicy": "Never"}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        del spec["containers"][0][probe]
    assert _denials(_candidate("Job", spec)) == []


def test_policies_are_bound_to_the_namespace_and_refuse() -> None:
    policies = objects("policies")
    names = [each["metadata"]["name"] for each in of_kind(policies, "ValidatingAdmissionPolicy")]
    bindings = list(of_kind(policies, "ValidatingAdmissionPolicyBinding"))
    assert [each["spec"]["policyName"] for each in bindings] == names
    for each in bindings:
        assert each["spec"]["validationActions"] == ["Deny", "Audit"]
        assert each["spec"]["matchResources"]["namespaceSelector"]["matchLabels"] == {
            "kubernetes.io/metadata.name": _namespace()["metadata"]["name"]
        }


def test_policies_fail_closed_and_look_at_every_way_in() -> None:
    ways = [("", "pods"), ("", "pods/ephemeralcontainers"), ("apps", "daemonsets"), ("apps", "deployments")]
    for each in of_kind(objects("policies"), "ValidatingAdmissionPolicy"):
        assert each["spec"]["failurePolicy"] == "Fail"
        rules = each["spec"]["matchConstraints"]["resourceRules"]
        for group, resource in ways:
            (rule,) = (rule for rule in rules if rule["apiGroups"] == [group] and resource in rule["resources"])
            assert set(rule["operations"]) == {"CREATE", "UPDATE"}


def test_signature_is_asked_of_the_images_that_the_policies_let_in() -> None:
    policy = named(objects("policies/kyverno"), "ImageValidatingPolicy", "railbird-signature")
    (glob,) = (each["glob"] for each in policy["spec"]["matchImageReferences"])
    assert spoiling.OURS.startswith(glob.removesuffix("*"))
    (released,) = {c.spec["image"].rpartition("/")[0] for c in gateway(objects(FULLEST)).containers}
    assert glob == f"{released}/*"
