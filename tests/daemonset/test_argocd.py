"""Argo CD rolls out every region, in order, and may deploy what there is to deploy and nothing else."""

from fnmatch import fnmatch
from functools import cache
from typing import Any

import pytest

from tests.daemonset.pods import named
from tests.daemonset.rendering import ROOT, Object
from tests.daemonset.trees import REGIONS, objects

pytestmark = pytest.mark.kubectl

SETS = {"railbird": tuple(REGIONS), "railbird-policies": ("policies",)}
"""ApplicationSet and project -> what it deploys."""

NAME = pytest.mark.parametrize("name", SETS)


def _set(name: str) -> dict[str, Any]:
    return dict(named(objects("argocd"), "ApplicationSet", name)["spec"])


def _project(name: str) -> dict[str, Any]:
    return dict(named(objects("argocd"), "AppProject", name)["spec"])


def _elements(name: str) -> list[dict[str, str]]:
    (generator,) = _set(name)["generators"]
    return list(generator["list"]["elements"])


def _is_of_the_cluster(each: Object) -> bool:
    return "namespace" not in each["metadata"]


@cache
def _deployed(name: str) -> tuple[Object, ...]:
    return tuple(each for tree in SETS[name] for each in objects(tree))


def _group_and_kind(each: Object) -> tuple[str, str]:
    return each["apiVersion"].rpartition("/")[0], each["kind"]


@NAME
def test_every_region_is_an_application(name: str) -> None:
    assert [each["region"] for each in _elements(name)] == list(REGIONS)


def test_regions_and_policies_go_to_the_same_clusters() -> None:
    clusters = [{each["region"]: each["cluster"] for each in _elements(name)} for name in SETS]
    assert clusters[0] == clusters[1]
    assert len(set(clusters[0].values())) == len(REGIONS)


@NAME
def test_application_renders_a_directory_that_there_is(name: str) -> None:
    path = _set(name)["template"]["spec"]["source"]["path"]
    for each in _elements(name):
        assert (ROOT / path.replace("{{.region}}", each["region"]) / "kustomization.yaml").is_file()


def test_canary_is_first_and_alone_and_then_one_region_at_a_time() -> None:
    steps = _set("railbird")["strategy"]["rollingSync"]["steps"]
    rings = [expression["values"] for step in steps for expression in step["matchExpressions"]]
    assert rings == [["canary"], ["rest"]]
    assert steps[1]["maxUpdate"] == 1
    found = [each["ring"] for each in _elements("railbird")]
    assert found.count("canary") == 1
    assert set(found) == {"canary", "rest"}


def test_steps_ask_for_a_label_that_the_applications_have() -> None:
    spec = _set("railbird")
    labels = spec["template"]["metadata"]["labels"]
    for step in spec["strategy"]["rollingSync"]["steps"]:
        for expression in step["matchExpressions"]:
            assert labels[expression["key"]] == "{{.ring}}"


@NAME
def test_project_lets_its_applications_be(name: str) -> None:
    project, application = _project(name), _set(name)["template"]["spec"]
    assert application["project"] == name
    assert application["source"]["repoURL"] in project["sourceRepos"]
    (destination,) = project["destinations"]
    assert application["destination"]["namespace"] == destination["namespace"]
    assert all(fnmatch(each["cluster"], destination["name"]) for each in _elements(name))


@NAME
def test_project_lets_every_object_of_the_cluster_in_by_its_name_and_no_other(name: str) -> None:
    allowed = _project(name)["clusterResourceWhitelist"]
    found = [each for each in _deployed(name) if _is_of_the_cluster(each)]
    assert {(each["group"], each["kind"]) for each in allowed} == {_group_and_kind(each) for each in found}
    for each in found:
        (rule,) = (rule for rule in allowed if (rule["group"], rule["kind"]) == _group_and_kind(each))
        assert fnmatch(each["metadata"]["name"], rule.get("name", "*"))


@NAME
def test_project_lets_every_kind_of_the_namespace_in_and_no_other(name: str) -> None:
    allowed = _project(name).get("namespaceResourceWhitelist", [])
    found = {_group_and_kind(each) for each in _deployed(name) if not _is_of_the_cluster(each)}
    assert {(each["group"], each["kind"]) for each in allowed} == found


def test_who_deploys_the_edge_does_not_deploy_its_policies() -> None:
    kinds = {each["kind"] for each in _project("railbird")["clusterResourceWhitelist"]}
    assert not kinds & {each["kind"] for each in _project("railbird-policies")["clusterResourceWhitelist"]}


@pytest.mark.parametrize("region", REGIONS)
def test_gateways_come_after_all_else_and_addresses_before(region: str) -> None:
    def wave(each: Object) -> int:
        return int(each["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", 0))

    waves = {each["kind"]: wave(each) for each in objects(region)}
    assert waves.pop("DaemonSet") == 1
    assert waves.pop("CiliumLoadBalancerIPPool") == -1
    assert set(waves.values()) == {0}
