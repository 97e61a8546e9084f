"""What runs: the pods of an edge, and their containers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.daemonset.rendering import Object

Port = tuple[str, int]
"""(protocol, number)."""


class Role(Enum):
    """What a container is for its pod."""

    MAIN = "main"
    INIT = "init"
    """It ends before the next one begins."""
    SIDECAR = "sidecar"
    """An init container that stays, and ends after the main ones."""


@dataclass(frozen=True)
class Container:
    name: str
    role: Role
    spec: dict[str, Any]

    @property
    def stays(self) -> bool:
        return self.role is not Role.INIT

    @property
    def ports(self) -> dict[str, Port]:
        """By name, as the manifest says."""
        return {each["name"]: (each["protocol"], each["containerPort"]) for each in self.spec.get("ports", ())}


@dataclass(frozen=True)
class Pod:
    """What a DaemonSet or Deployment makes its pods of."""

    owner: Object
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.owner["metadata"]["name"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.owner["spec"]["template"]["metadata"]["labels"])

    @property
    def containers(self) -> tuple[Container, ...]:
        before = ((_role(each), each) for each in self.spec.get("initContainers", ()))
        main = ((Role.MAIN, each) for each in self.spec["containers"])
        return tuple(Container(each["name"], role, each) for role, each in (*before, *main))

    def container(self, name: str) -> Container:
        (found,) = (each for each in self.containers if each.name == name)
        return found

    @property
    def ports(self) -> dict[str, Port]:
        """Of all its containers."""
        return {name: port for each in self.containers for name, port in each.ports.items()}

    def target(self, port: int | str) -> Port:
        """Where a Service's `targetPort` leads. By name only to main containers: Kubernetes 1.32 finds no sidecar's."""
        if isinstance(port, int):
            (found,) = (each for each in self.ports.values() if each[1] == port)
            return found
        return {name: each for main in self.containers if main.role is Role.MAIN for name, each in main.ports.items()}[
            port
        ]

    @property
    def volumes(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.spec.get("volumes", ())}


def _role(init: dict[str, Any]) -> Role:
    return Role.SIDECAR if init.get("restartPolicy") == "Always" else Role.INIT


def of_kind(objects: Iterable[Object], *kinds: str) -> Iterator[Object]:
    return (each for each in objects if each["kind"] in kinds)


def named(objects: Iterable[Object], kind: str, name: str) -> Object:
    (found,) = (each for each in of_kind(objects, kind) if each["metadata"]["name"] == name)
    return found


def pods(objects: Iterable[Object]) -> Iterator[Pod]:
    for owner in of_kind(objects, "DaemonSet", "Deployment", "StatefulSet", "Job"):
        yield Pod(owner, owner["spec"]["template"]["spec"])


def selected(objects: Iterable[Object], labels: dict[str, str]) -> list[Pod]:
    """Those that have all of these labels."""
    return [pod for pod in pods(objects) if labels.items() <= pod.labels.items()]


def gateway(objects: Iterable[Object]) -> Pod:
    """The gateway's pod."""
    (found,) = (each for each in pods(objects) if each.name == "railbird-gateway")
    return found
