"""Whether a command names what there is: our own programs, and what the manifests have. Each raises AssertionError."""

import re
import shlex
from collections.abc import Iterator
from functools import cache

import click
import yaml

from gateway.__main__ import main as gateway
from gateway.cordon.__main__ import main as cordon
from gateway.drain.__main__ import main as drain
from gateway.rounds.__main__ import main as ledger
from loadgen.__main__ import main as loadgen
from node_tuner.__main__ import main as tuner
from tests.observability.rules import ROOT

DAEMONSET = ROOT / "daemonset"

PROGRAMS: dict[str, click.Command] = {
    "railbird-cordon": cordon,
    "railbird-drain": drain,
    "railbird-gateway": gateway,
    "railbird-ledger": ledger,
    "railbird-loadgen": loadgen,
    "railbird-tuner": tuner,
}
"""By their console scripts."""

_CALLS_OURS = re.compile(rf"(?<![\w/.:-])({'|'.join(PROGRAMS)}) ")


def check_ours(command: str) -> None:
    """Subcommands and options of our programs."""
    if not _CALLS_OURS.search(command):
        return
    for program, *arguments in _called(command):
        _check_arguments(PROGRAMS[program], arguments, command)


def check_kubectl(command: str) -> None:
    """Names of DaemonSets, containers and the namespace, and directories of ours."""
    if "kubectl" not in command:
        return
    assert set(re.findall(r"(?:daemonset[/ ])(railbird[\w-]*)", command)) <= _daemonsets(), command
    assert set(re.findall(r"(?:-n|--namespace)[ =](\S+)", command)) <= {"railbird"}, command
    # What comes after the dashes is for the container, after a bar for another program.
    own = re.split(r" -- | \| ", command)[0]
    assert set(re.findall(r" -c (\S+)", own)) <= _containers(), command
    for directory in re.findall(r"(?:-k|kustomize) (daemonset/\S+)", command):
        assert (ROOT / directory / "kustomization.yaml").is_file(), command


def check_debug(command: str) -> None:
    """Our programs look at a node as root: our image's user is not, and the profile alone does not change it."""
    if not re.search(r"kubectl debug node/.* -- +railbird-", command):
        return
    own = command.split(" -- ")[0]
    custom = re.search(r" --custom=(\S+)", own)
    assert custom is not None, command
    assert " --profile=sysadmin" in own, command
    container = yaml.safe_load((ROOT / custom[1]).read_text(encoding="utf-8"))
    assert container["securityContext"].items() >= {"privileged": True, "runAsUser": 0, "runAsNonRoot": False}.items()


def _called(command: str) -> Iterator[list[str]]:
    """Each of our own console scripts in it, with what follows."""
    words = shlex.split(command, comments=True)
    for at, word in enumerate(words):
        if word in PROGRAMS:
            yield words[at:]


def _check_arguments(program: click.Command, arguments: list[str], command: str) -> None:
    if isinstance(program, click.Group):
        subcommand = program.commands.get(arguments[0])
        assert subcommand is not None, command
        program, arguments = subcommand, arguments[1:]
    options = {option for parameter in program.params for option in parameter.opts}
    given = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
    assert given <= options, command


@cache
def _daemonsets() -> set[str]:
    documents = (
        document
        for path in DAEMONSET.rglob("*.yaml")
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    )
    return {
        each["metadata"]["name"] for each in documents if isinstance(each, dict) and each.get("kind") == "DaemonSet"
    }


@cache
def _containers() -> set[str]:
    """And what else has a name in a DaemonSet, or in a patch of one."""
    texts = (path.read_text(encoding="utf-8") for path in DAEMONSET.rglob("*daemonset*.yaml"))
    return {name for text in texts for name in re.findall(r"^ +(?:- )?name: ([\w-]+)$", text, re.MULTILINE)}
