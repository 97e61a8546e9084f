"""Command lines of containers are ones that our programs understand."""

import tomllib
from collections.abc import Iterator
from importlib import import_module

import click
import pytest

from tests.daemonset.pods import Container, gateway, pods
from tests.daemonset.rendering import ROOT
from tests.daemonset.trees import EDGES, objects

pytestmark = pytest.mark.kubectl

TREE = pytest.mark.parametrize("tree", EDGES)

OF_OTHERS = {"front": "nginx", "ledger": "python3", "collector": None}
"""Containers with a program that is not ours. None: its image's own."""


def _programs() -> dict[str, click.Command]:
    scripts: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    modules = {name: each.split(":") for name, each in scripts.items()}
    return {name: getattr(import_module(module), function) for name, (module, function) in modules.items()}


def _commands(container: Container) -> Iterator[list[str]]:
    yield container.spec["command"]
    yield from (hook["exec"]["command"] for hook in container.spec.get("lifecycle", {}).values())


def _here(command: list[str]) -> list[str]:
    """With the node's directories where they are outside of a container."""
    return [each.removeprefix("/host") if each.startswith("/host/") else each for each in command]


def _understood(command: list[str]) -> click.Context:
    """The context of the innermost command."""
    program, *arguments = command
    return _parsed(_programs()[program], program, arguments)


def _parsed(command: click.Command, name: str, arguments: list[str]) -> click.Context:
    context = command.make_context(name, list(arguments))
    if not isinstance(command, click.Group):
        return context
    found, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    assert inner is not None, found
    return _parsed(inner, inner.name or "", rest)


@TREE
def test_command_is_understood(tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a fieldRef gives cordon.
    monkeypatch.setenv("NODE_NAME", "edge-1")
    for pod in pods(objects(tree)):
        for container in pod.containers:
            if container.name in OF_OTHERS:
                program = OF_OTHERS[container.name]
                assert (container.spec.get("command") or [None])[0] == program
                continue
            for command in _commands(container):
                _understood(_here(command))


@TREE
def test_directory_of_the_node_is_mounted_where_the_command_looks(tree: str) -> None:
    for pod in pods(objects(tree)):
        for container in pod.containers:
            places = [each["mountPath"] for each in container.spec.get("volumeMounts", ())]
            for argument in container.spec.get("command", ()):
                assert "/host/" not in argument or any(f"{each}/".startswith(f"{argument}/") for each in places)


SLIPS = (
    ["railbird-tuner", "aply"],
    ["railbird-drain", "--wait", "1"],
    ["railbird-tuner", "apply", "--sysctls", "/host/proc/sys"],
    ["railbird-tuner", "apply", "--sysctl", "/host/proc/sis"],
)


@pytest.mark.parametrize("command", SLIPS, ids=" ".join)
def test_command_with_a_slip_is_not_understood(command: list[str]) -> None:
    with pytest.raises(click.UsageError):
        _understood(_here(command))


@TREE
def test_tuner_tunes_and_only_watches_beside_the_gateway(tree: str) -> None:
    for container in gateway(objects(tree)).containers:
        if container.name in ("tune", "watch"):
            name = _understood(_here(container.spec["command"]))
            assert name.command.name == {"tune": "apply", "watch": "watch"}[container.name]
