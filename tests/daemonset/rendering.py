"""Renders kustomizations as `kubectl apply -k` would, without a cluster, each once a process."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
DAEMONSET = ROOT / "daemonset"
BUILT = ROOT / "build" / "bin" / "kustomize"
"""Where `make kubectl` puts it."""

Object = dict[str, Any]
"""A Kubernetes object."""


@cache
def command() -> tuple[str, ...] | None:
    """What renders the directory that follows: kubectl from 1.27 on (kustomize 5), kustomize itself, or nothing."""
    kubectl = shutil.which("kubectl")
    if kubectl and "Kustomize Version: v5" in _output(kubectl, "version", "--client"):
        return kubectl, "kustomize"
    kustomize = shutil.which("kustomize") or shutil.which(str(BUILT))
    return (kustomize, "build") if kustomize else None


def _output(*arguments: str) -> str:
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=30).stdout


class RenderError(Exception):
    """What kustomize says of a kustomization that it cannot render."""


@cache
def rendered(directory: Path) -> tuple[Object, ...]:
    """The objects of a kustomization, in kustomize's order. Nobody may change them: others are shown the same."""
    rendering = command()
    assert rendering is not None, "mark this test with pytest.mark.kubectl"
    done = subprocess.run([*rendering, str(directory)], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise RenderError(done.stderr)
    if done.stderr:
        raise RenderError(f"a warning: {done.stderr}")
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each is not None)


@cache
def together(base: Path, components: tuple[Path, ...]) -> tuple[Object, ...]:
    """The objects of `base` with these components."""
    with tempfile.TemporaryDirectory(prefix="railbird-kustomization-") as made:
        kustomization = Path(made).resolve() / "kustomization.yaml"
        kustomization.write_text(yaml.safe_dump(_kustomization(kustomization.parent, base, components)))
        return rendered(kustomization.parent)


def _kustomization(place: Path, base: Path, components: Sequence[Path]) -> dict[str, Any]:
    """kustomize takes no absolute paths."""
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(base, place)],
        "components": [os.path.relpath(each, place) for each in components],
    }
