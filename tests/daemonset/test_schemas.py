"""Every object that is rendered is one that Kubernetes and the operators take, to the last field."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from kubernetes_validate import ValidationError
from kubernetes_validate.utils import all_versions, major_minor  # type: ignore[import-untyped]

from tests.daemonset import models
from tests.daemonset.pods import gateway, named
from tests.daemonset.rendering import Object
from tests.daemonset.trees import EDGES, TREES, objects

OLDEST = (1, 32)


def _versions() -> list[str]:
    every = sorted({tuple(map(int, major_minor(each).split("."))) for each in all_versions()})
    return [f"{major}.{minor}" for major, minor in every if (major, minor) >= OLDEST]


VERSIONS = _versions()


def _is_custom(each: Object) -> bool:
    group = each["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


@cache
def _every() -> dict[str, Object]:
    """The objects of all trees, each once; by the first tree that has it, its kind and its name."""
    found: dict[str, tuple[str, Object]] = {}
    for tree in TREES:
        for each in objects(tree):
            found.setdefault(json.dumps(each), (f"{tree}: {each['kind']} {each['metadata']['name']}", each))
    return dict(found.values())


def _refusals(version: str) -> Iterator[str]:
    for where, each in _every().items():
        if _is_custom(each):
            continue
        try:
            kubernetes_validate.validate(each, version, strict=True)
        except ValidationError as error:
            yield f"{where}: {'.'.join(map(str, error.path))}: {error.message}"


def test_versions_begin_with_the_oldest_that_is_promised() -> None:
    assert VERSIONS[0] == "1.32"
    assert len(VERSIONS) > 1


@pytest.mark.kubectl
@pytest.mark.parametrize("version", VERSIONS)
def test_objects_are_ones_that_kubernetes_takes(version: str) -> None:
    assert list(_refusals(version)) == []


@pytest.mark.kubectl
@pytest.mark.parametrize("version", VERSIONS)
def test_unknown_field_is_refused(version: str) -> None:
    spoilt = deepcopy(gateway(objects("base")).owner)
    spoilt["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(spoilt, version, strict=True)


@pytest.mark.kubectl
@pytest.mark.crds
def test_custom_resources_are_ones_that_their_operators_take() -> None:
    custom = {where: each for where, each in _every().items() if _is_custom(each)}
    assert custom
    found = zip(custom, models.problems(list(custom.values())), strict=True)
    assert {where: wrong for where, wrong in found if wrong} == {}


@pytest.mark.kubectl
@pytest.mark.crds
@pytest.mark.parametrize("field", ["podMetricsEndpoint", "selectors"])
def test_unknown_field_of_a_custom_resource_is_refused(field: str) -> None:
    spoilt = deepcopy(named(objects("base"), "PodMonitor", "railbird-gateway"))
    spoilt["spec"][field] = []
    assert models.problems([spoilt]) == [[f"/spec/{field} is unknown"]]


@pytest.mark.kubectl
@pytest.mark.crds
def test_wrong_type_of_a_custom_resource_is_refused() -> None:
    spoilt = deepcopy(named(objects("base"), "PodMonitor", "railbird-gateway"))
    spoilt["spec"]["podMetricsEndpoints"][0]["port"] = 8080
    (problems,) = models.problems([spoilt])
    assert problems == ["data/spec/podMetricsEndpoints/0/port must be string"]


@pytest.mark.kubectl
@pytest.mark.parametrize("tree", EDGES)
def test_object_is_there_once(tree: str) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in objects(tree)]
    assert len(names) == len(set(names))
