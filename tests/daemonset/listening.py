"""At which ports the containers of an edge listen, as their settings say it, and which paths they answer."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import yaml

from gateway.config import Settings
from gateway.http import api, operations
from node_tuner.watch import Listen
from tests.daemonset import edge
from tests.daemonset.pods import Container, Pod
from tests.daemonset.rendering import Object

Ports = set[tuple[str, int]]
"""(protocol, port)."""


def _option(container: Container, name: str) -> str:
    """The value of `--name=value`."""
    (value,) = (each.partition("=")[2] for each in container.spec["command"] if each.startswith(f"{name}="))
    return str(value)


def _text(objects: Iterable[Object], pod: Pod, container: Container, path: str) -> str:
    found = edge.file(objects, pod, container, path)
    assert found is not None
    assert found.text is not None
    return found.text


def _gateway(objects: Iterable[Object], pod: Pod, container: Container) -> Ports:
    written: dict[str, Any] = yaml.safe_load(_text(objects, pod, container, "/etc/railbird/railbird.yml"))
    settings = Settings(http=written["http"], udp=written["udp"])
    return {("TCP", settings.http.port), ("UDP", settings.udp.port)}


def _front(objects: Iterable[Object], pod: Pod, container: Container) -> Ports:
    text = _text(objects, pod, container, "/etc/railbird-front/site/listen.conf")
    return {("TCP", int(port)) for port in re.findall(r"^listen (?:\[::\]:)?(\d+)", text, re.MULTILINE)}


def _collector(objects: Iterable[Object], pod: Pod, container: Container) -> Ports:
    text = _text(objects, pod, container, "/etc/otelcol/collector.yaml")
    return {("TCP", int(port)) for port in re.findall(r"endpoint: 0\.0\.0\.0:(\d+)", text)}


def _watch(_objects: Iterable[Object], _pod: Pod, container: Container) -> Ports:
    return {("TCP", Listen.parse(_option(container, "--listen")).port)}


def _cordon(_objects: Iterable[Object], _pod: Pod, container: Container) -> Ports:
    return {("TCP", int(_option(container, "--port")))}


PORTS: dict[str, Callable[[Iterable[Object], Pod, Container], Ports]] = {
    "gateway": _gateway,
    "front": _front,
    "collector": _collector,
    "watch": _watch,
    "cordon": _cordon,
}
"""Name of the container -> where it listens."""


def watch_host(container: Container) -> str:
    """The address at which the container `watch` listens."""
    return Listen.parse(_option(container, "--listen")).host


PATHS: dict[str, set[str]] = {
    "gateway": {route.path for route in (*operations.ROUTES, *api.ROUTES)},
    # What its nginx lets through, of the gateway's.
    "front": {"/api/v1/streams"} & {route.path for route in api.ROUTES},
    "collector": {"/"},
    "watch": {"/metrics"},
    "cordon": {"/livez"},
}
"""What probes and Prometheus may ask it for."""
