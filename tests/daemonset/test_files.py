"""The tree is as it says: one object a file, named by component and kind, and nothing that no kustomization takes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.daemonset.rendering import DAEMONSET

PLACES = ("base", "components", "overlays", "argocd", "policies", "release")
FILES = sorted(each for place in PLACES for each in (DAEMONSET / place).rglob("*") if each.is_file())
MANIFESTS = [each for each in FILES if each.suffix == ".yaml" and "-" in each.name]
KUSTOMIZATIONS = [each for each in FILES if each.name == "kustomization.yaml"]


def _name(path: Path) -> str:
    return str(path.relative_to(DAEMONSET))


def _named_in(kustomization: Path) -> Iterator[Path]:
    """Files that it takes."""
    text = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
    generators = (each["files"] for each in text.get("configMapGenerator", ()) if "files" in each)
    patches = (each["path"] for each in text.get("patches", ()) if "path" in each)
    for name in (*text.get("resources", ()), *patches, *(file for files in generators for file in files)):
        yield (kustomization.parent / name.rpartition("=")[2]).resolve()


@pytest.mark.parametrize("path", MANIFESTS, ids=_name)
def test_manifest_is_one_object_named_by_component_and_kind(path: Path) -> None:
    loaded = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    assert len(loaded) == 1
    component, _, kind = path.stem.removesuffix("-patch").rpartition("-")
    assert component
    assert re.fullmatch(r"[a-z]+", kind)
    if isinstance(loaded[0], dict):
        assert loaded[0]["kind"].lower() == kind


@pytest.mark.parametrize("path", [each for each in FILES if each.name != "kustomization.yaml"], ids=_name)
def test_file_is_taken_by_a_kustomization(path: Path) -> None:
    assert path in {taken for each in KUSTOMIZATIONS for taken in _named_in(each)}


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=_name)
def test_kustomization_says_what_it_is(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")
