"""The Dockerfile, as it is written: what a reader of it is promised, also by engines that are not here."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.image.podman import ROOT

BUILD: Final = ROOT / "daemonset/image"


class Instruction(NamedTuple):
    name: str
    rest: str


def instructions() -> list[Instruction]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = (line.strip() for line in re.sub(r"\\\n\s*", " ", text).splitlines())
    return [Instruction(*line.split(maxsplit=1)) for line in lines if line]


def final_stage() -> list[Instruction]:
    read = instructions()
    last = max(place for place, instruction in enumerate(read) if instruction.name == "FROM")
    return read[last:]


def said(name: str, where: Iterable[Instruction]) -> list[str]:
    return [instruction.rest for instruction in where if instruction.name == name]


def test_the_base_is_an_argument_that_all_stages_but_the_last_build_on() -> None:
    assert instructions()[0] == ("ARG", "BASE_IMAGE=docker.io/library/debian:bookworm-slim")
    begins = [stage.split() for stage in said("FROM", instructions())]
    assert begins[0] == ["${BASE_IMAGE}", "AS", "python"]
    assert {stage[0] for stage in begins[1:-1]} == {"python"}


def test_the_last_stage_begins_with_nothing_and_runs_nothing() -> None:
    stage = final_stage()
    assert stage[0] == ("FROM", "scratch")
    assert said("RUN", stage) == []
    assert all(copied.startswith("--from=") for copied in said("COPY", stage))


def test_the_last_stage_says_how_it_is_run() -> None:
    stage = final_stage()
    assert said("USER", stage) == ["65532:65532"]
    assert said("STOPSIGNAL", stage) == ["SIGTERM"]
    assert said("CMD", stage) == ['["railbird-gateway"]']
    assert said("ENTRYPOINT", stage) == []
    assert said("EXPOSE", stage) == ["8080/tcp 9108/tcp 8189/udp"]


def test_the_version_label_is_the_projects() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f'org.opencontainers.image.version="{version}"' in said("LABEL", final_stage())[0]


def test_nothing_is_fetched_past_the_scripts_that_check_it() -> None:
    commands = "\n".join(said("RUN", instructions()))
    assert said("ADD", instructions()) == []
    assert not re.search(r"\b(curl|wget|git|npm)\b", commands)
    installs = re.findall(r"pip\.sh (?:install|wheel) [^&\n]*", commands)
    assert len(installs) == 4
    assert [install for install in installs if "--require-hashes" not in install and "--no-index" not in install] == []


def test_secrets_are_mounted_and_not_required() -> None:
    mounts = re.findall(r"--mount=(\S+)", " ".join(said("RUN", instructions())))
    assert {mount.split(",")[1] for mount in mounts} == {"id=ca", "id=apt", "id=pip", "id=npmrc"}
    assert [mount for mount in mounts if not re.fullmatch(r"type=secret,id=\w+,required=false", mount)] == []


def test_what_it_copies_is_there() -> None:
    sources = [
        word
        for copied in said("COPY", instructions())
        if "--from=" not in copied
        for word in copied.split()[:-1]
        if not word.startswith("--")
    ]
    assert len(sources) > 8
    assert [source for source in sources if not (ROOT / source).exists()] == []


@pytest.mark.parametrize("path", [ROOT / "Dockerfile", *sorted(BUILD.glob("*.*"))], ids=lambda path: path.name)
def test_no_architecture_is_named(path: Path) -> None:
    assert not re.search(r"x86|amd64|aarch64|arm64", path.read_text(), re.IGNORECASE)
