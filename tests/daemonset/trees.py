"""What there is to render: each kustomization of daemonset/, and each component on the base."""

from pathlib import Path

import yaml

from tests.daemonset.rendering import DAEMONSET, Object, rendered, together

BASE = DAEMONSET / "base"


def _kustomizations(below: Path) -> list[Path]:
    return sorted(each.parent for each in below.glob("**/kustomization.yaml"))


def is_component(directory: Path) -> bool:
    return bool(yaml.safe_load((directory / "kustomization.yaml").read_text())["kind"] == "Component")


COMPONENTS = {each.name: each for each in _kustomizations(DAEMONSET) if is_component(each)}
REGIONS = {each.name: each for each in sorted((DAEMONSET / "overlays").glob("*/"))}
OTHERS = ("argocd", "policies", "policies/kyverno")

EDGES = ("base", *(f"base+{name}" for name in COMPONENTS), "base+all", *REGIONS)
"""What renders to an edge that could be applied."""

TREES = (*EDGES, *OTHERS)


def objects(tree: str) -> tuple[Object, ...]:
    """What the tree of this name renders to."""
    if tree in REGIONS:
        return rendered(REGIONS[tree])
    if tree == "base+all":
        return together(BASE, tuple(COMPONENTS.values()))
    if tree.startswith("base+"):
        return together(BASE, (COMPONENTS[tree.removeprefix("base+")],))
    return rendered(DAEMONSET / tree)
