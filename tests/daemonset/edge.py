"""What a container finds when kubelet starts it: its variables, and its files."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tests.daemonset.pods import Container, Pod, named
from tests.daemonset.rendering import Object

FIELDS = {
    "spec.nodeName": "edge-1",
    "status.hostIPs": "192.0.2.10,2001:db8::10",
    "metadata.name": "railbird-gateway-x7k2p",
    "metadata.namespace": "railbird",
    "metadata.uid": "8f3f4b34-3a2e-4a57-9d0c-1f2a3b4c5d6e",
}
"""What kubelet would put in for a fieldRef."""

_REFERENCE = re.compile(r"\$\(([A-Za-z_]\w*)\)")


def variables(objects: Iterable[Object], container: Container) -> dict[str, str]:
    """Of ConfigMaps and of the container itself, which goes over them. What a Secret has is not known."""
    objects = tuple(objects)
    found: dict[str, str] = {}
    for each in container.spec.get("envFrom", ()):
        if "configMapRef" in each:
            found |= named(objects, "ConfigMap", each["configMapRef"]["name"])["data"]
    for each in container.spec.get("env", ()):
        found[each["name"]] = _value(each, found)
    return found


def _value(variable: dict[str, Any], known: dict[str, str]) -> str:
    if "valueFrom" in variable:
        return FIELDS[variable["valueFrom"]["fieldRef"]["fieldPath"]]
    return _REFERENCE.sub(lambda reference: known[reference[1]], variable["value"])


@dataclass(frozen=True)
class File:
    """A file of a volume: where it comes from, and its text where that is known."""

    source: str
    """`ConfigMap NAME`, `Secret NAME` or the kind of volume."""
    text: str | None = None


def mount_of(container: Container, path: str) -> dict[str, Any] | None:
    """The mount that `path` lies on: the innermost."""
    mounts = [each for each in container.spec.get("volumeMounts", ()) if _is_below(path, each["mountPath"])]
    return max(mounts, key=lambda each: len(each["mountPath"]), default=None)


def _is_below(path: str, directory: str) -> bool:
    return PurePosixPath(path).is_relative_to(directory)


def file(objects: Iterable[Object], pod: Pod, container: Container, path: str) -> File | None:
    """What is at `path` of the container, of a volume that is made of objects."""
    mount = mount_of(container, path)
    if mount is None:
        return None
    wanted = str(PurePosixPath(path).relative_to(mount["mountPath"]))
    return dict(_files(tuple(objects), pod.volumes[mount["name"]])).get(wanted)


def _files(objects: tuple[Object, ...], volume: dict[str, Any]) -> Iterator[tuple[str, File]]:
    for source in volume.get("projected", {}).get("sources", [volume]):
        for kind in ("configMap", "secret"):
            if kind in source:
                yield from _of_object(objects, kind, source[kind])


def _of_object(objects: tuple[Object, ...], kind: str, source: dict[str, Any]) -> Iterator[tuple[str, File]]:
    name = source.get("name") or source["secretName"]
    kind = {"configMap": "ConfigMap", "secret": "Secret"}[kind]
    data = named(objects, kind, name)["data"] if kind == "ConfigMap" and not name.startswith("kube-") else {}
    paths = {each["key"]: each["path"] for each in source.get("items", ())} or {key: key for key in data}
    for key, path in paths.items():
        yield path, File(f"{kind} {name}", data[key] if data else None)
