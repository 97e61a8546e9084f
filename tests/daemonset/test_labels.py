"""Objects are found by their labels: all have them, and selectors select what they mean."""

import pytest

from tests.daemonset.pods import of_kind, pods
from tests.daemonset.trees import EDGES, TREES, objects

pytestmark = pytest.mark.kubectl

TREE = pytest.mark.parametrize("tree", EDGES)
OURS = {"app.kubernetes.io/name": "railbird", "app.kubernetes.io/part-of": "railbird"}


@pytest.mark.parametrize("tree", TREES)
def test_object_says_that_it_is_ours(tree: str) -> None:
    for each in objects(tree):
        assert OURS.items() <= each["metadata"]["labels"].items(), (each["kind"], each["metadata"]["name"])


@TREE
def test_object_of_a_namespace_is_in_ours(tree: str) -> None:
    of_the_cluster = {"Namespace", "PriorityClass", "ClusterRole", "ClusterRoleBinding"}
    for each in objects(tree):
        is_cilium = each["apiVersion"].startswith("cilium.io/")
        expected = None if each["kind"] in of_the_cluster or is_cilium else "railbird"
        assert each["metadata"].get("namespace") == expected, (each["kind"], each["metadata"]["name"])


@TREE
def test_pods_have_the_labels_that_their_owner_selects_and_no_other_owner_does(tree: str) -> None:
    found = list(pods(objects(tree)))
    for owner in found:
        selector = owner.owner["spec"]["selector"]["matchLabels"]
        assert [pod.name for pod in found if selector.items() <= pod.labels.items()] == [owner.name]
        assert OURS.items() <= owner.labels.items()


@TREE
def test_pod_monitor_and_services_select_one_kind_of_pod(tree: str) -> None:
    found = list(pods(objects(tree)))
    for each in of_kind(objects(tree), "Service", "PodMonitor"):
        selector = each["spec"]["selector"]
        labels = selector.get("matchLabels", selector)
        assert len([pod for pod in found if labels.items() <= pod.labels.items()]) == 1, each["metadata"]["name"]


@TREE
def test_selector_has_no_label_that_may_change(tree: str) -> None:
    """A DaemonSet's selector can never be changed."""
    for each in of_kind(objects(tree), "DaemonSet"):
        assert set(each["spec"]["selector"]["matchLabels"]) == {
            "app.kubernetes.io/name",
            "app.kubernetes.io/component",
        }
