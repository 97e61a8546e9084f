"""What pods refer to is rendered, or stands in the one list of what is made by hand."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.daemonset.pods import Pod, of_kind, pods
from tests.daemonset.rendering import DAEMONSET
from tests.daemonset.trees import EDGES, objects

TREE = pytest.mark.parametrize("tree", EDGES)

BY_HAND = {"railbird-keys": True, "railbird-tls": True, "railbird-secrets": False}
"""Secrets that no repository holds -> whether a pod waits for it."""

OF_THE_CLUSTER = {"kube-root-ca.crt"}
"""ConfigMaps that the control plane puts into every namespace."""

_REFERENCES = {"configMapRef": "ConfigMap", "configMap": "ConfigMap", "secretRef": "Secret", "secret": "Secret"}


def _references(value: Any) -> Iterator[tuple[str, str, bool]]:
    """(kind, name, whether it may be missing) of everything below."""
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    if not isinstance(value, dict):
        return
    for key, each in value.items():
        if key in _REFERENCES and isinstance(each, dict):
            yield _REFERENCES[key], each.get("name") or each["secretName"], each.get("optional", False)
        else:
            yield from _references(each)


def _names(tree: str, kind: str) -> set[str]:
    return {each["metadata"]["name"] for each in of_kind(objects(tree), kind)}


def _all(tree: str) -> Iterator[tuple[Pod, str, str, bool]]:
    for pod in pods(objects(tree)):
        for kind, name, optional in _references(pod.spec):
            yield pod, kind, name, optional


@pytest.mark.kubectl
@TREE
def test_config_map_is_rendered(tree: str) -> None:
    named = {name for _, kind, name, _ in _all(tree) if kind == "ConfigMap"} - OF_THE_CLUSTER
    assert named
    assert named <= _names(tree, "ConfigMap")


@pytest.mark.kubectl
@TREE
def test_config_map_is_used_or_for_others(tree: str) -> None:
    for_others = {"railbird-dashboard", "railbird-region"}
    named = {name for _, kind, name, _ in _all(tree) if kind == "ConfigMap"}
    assert _names(tree, "ConfigMap") - for_others <= named


@pytest.mark.kubectl
@TREE
def test_config_map_of_settings_has_a_name_that_changes_with_them(tree: str) -> None:
    for name in _names(tree, "ConfigMap") - {"railbird-dashboard", "railbird-region"}:
        assert len(name.rpartition("-")[2]) == len("k2kg78tf2c"), name


@pytest.mark.kubectl
@TREE
def test_secret_is_one_that_is_made_by_hand_and_none_is_rendered(tree: str) -> None:
    found = {name: not optional for _, kind, name, optional in _all(tree) if kind == "Secret"}
    assert found.items() <= BY_HAND.items()
    assert not _names(tree, "Secret")


@pytest.mark.parametrize("name", BY_HAND)
def test_secret_that_is_made_by_hand_is_documented(name: str) -> None:
    assert f"`{name}`" in (DAEMONSET / "README.md").read_text(encoding="utf-8")
