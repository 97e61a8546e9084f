"""What kubelet makes of a container of an edge's pod, as far as podman can: its account, privileges, limits, variables
and volumes. The node's network is the namespace's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.container.containers import Launch
from tests.container.node import Node, within
from tests.daemonset import edge
from tests.daemonset.pods import Container, Pod, gateway, named
from tests.daemonset.rendering import Object

RECORD: Final = Path("/var/lib/railbird")
"""The hostPath that the test's own directory stands in for; others are the machine's."""

_UNITS: Final = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "m": 1e-3, "": 1}


@dataclass(frozen=True)
class Kubelet:
    """Of a node that stands alone."""

    node: Node
    objects: tuple[Object, ...]
    files: Mapping[str, str]
    """Name of the file -> what is in it: those that no object has, and those that the test has instead."""

    def launch(self, name: str) -> Launch:
        """Of the container of that name in the gateway's pod."""
        pod = gateway(self.objects)
        container = pod.container(name)
        variables = edge.variables(self.objects, container)
        flags = (
            *within(self.node.inside),
            *_secured(pod, container),
            *_limited(container),
            *(f"--env={key}={self._of_the_node(value)}" for key, value in variables.items()),
            *self._mounted(pod, container),
        )
        return Launch(flags, tuple(container.spec["command"]))

    def _of_the_node(self, value: str) -> str:
        return value.replace(edge.FIELDS["status.hostIPs"], self.node.address)

    def _mounted(self, pod: Pod, container: Container) -> Iterator[str]:
        for mount in container.spec["volumeMounts"]:
            mode = "ro" if mount.get("readOnly") else "rw"
            yield f"--volume={self._source(pod, container, mount)}:{mount['mountPath']}:{mode}"

    def _source(self, pod: Pod, container: Container, mount: dict[str, Any]) -> Path:
        volume = pod.volumes[mount["name"]]
        if "emptyDir" in volume:
            return self.node.shared
        if "hostPath" in volume:
            host = Path(volume["hostPath"]["path"])
            return self.node.record if host == RECORD else host
        directory = self.node.directory / str(volume["name"])
        directory.mkdir(exist_ok=True)
        for name in _names(self.objects, volume):
            found = edge.file(self.objects, pod, container, f"{mount['mountPath']}/{name}")
            text = self.files.get(name, found.text if found is not None else None)
            _write(directory / name, text, pod, volume)
        return directory


def _names(objects: tuple[Object, ...], volume: dict[str, Any]) -> Iterator[str]:
    """Of the files of a volume that is made of objects."""
    for source in volume.get("projected", {}).get("sources", [volume]):
        (kept,) = (source[kind] for kind in ("configMap", "secret") if kind in source)
        items = [each["path"] for each in kept.get("items", ())]
        yield from items or named(objects, "ConfigMap", kept["name"])["data"]


def _write(path: Path, text: str | None, pod: Pod, volume: dict[str, Any]) -> None:
    """For the pod's group to read, as `fsGroup` makes it."""
    assert text is not None, f"no object has {path.name}"
    path.write_text(text)
    path.chmod(volume.get("projected", {}).get("defaultMode", 0o644))
    os.chown(path, 0, pod.spec["securityContext"]["fsGroup"])


def _secured(pod: Pod, container: Container) -> Iterator[str]:
    context = pod.spec["securityContext"] | container.spec["securityContext"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}  # podman's own default, too
    yield f"--user={context['runAsUser']}:{context['runAsGroup']}"
    yield f"--group-add={context['fsGroup']}"
    if context["readOnlyRootFilesystem"]:
        yield from ("--read-only", "--read-only-tmpfs=false")
    if context.get("privileged"):
        yield "--privileged"
    if context.get("allowPrivilegeEscalation") is False:
        yield "--security-opt=no-new-privileges"
    capabilities = context.get("capabilities", {})
    yield from (f"--cap-drop={each}" for each in capabilities.get("drop", ()))
    yield from (f"--cap-add={each}" for each in capabilities.get("add", ()))


def _limited(container: Container) -> Iterator[str]:
    limits = container.spec["resources"]["limits"]
    yield f"--cpus={_number(limits['cpu'])}"
    yield f"--memory={_number(limits['memory']):.0f}b"


def _number(quantity: str) -> float:
    """Of Kubernetes' own notation, such as 500m or 192Mi."""
    found = re.fullmatch(r"(\d+)([a-zA-Z]*)", str(quantity))
    assert found is not None, quantity
    return int(found[1]) * _UNITS[found[2]]
