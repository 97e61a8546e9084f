"""The image's lock: what runs in it, as requirements.lock has it, and nothing else."""

import re
import tomllib
from typing import Any

import pytest

from tests.image.lock import Pins, names, pins
from tests.image.podman import ROOT

EXTRAS = ("demo", "tuner", "loadgen")


@pytest.fixture(name="image_pins", scope="module")
def pins_of_the_image() -> Pins:
    return pins(ROOT / "requirements-image.lock")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    described: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return described


def without_extras(requirements: list[str]) -> set[str]:
    return {re.sub(r"\[.*\]", "", requirement) for requirement in requirements}


def test_every_pin_is_the_one_of_the_developers_lock(image_pins: Pins) -> None:
    developers = pins(ROOT / "requirements.lock")
    assert len(image_pins) > 50
    assert {pin: hashes for pin, hashes in image_pins.items() if developers.get(pin) != hashes} == {}


def test_every_pin_has_hashes(image_pins: Pins) -> None:
    assert [pin for pin, hashes in image_pins.items() if not hashes] == []


def test_what_runs_is_in_it(image_pins: Pins, project: dict[str, Any]) -> None:
    wanted = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    assert without_extras(wanted) - image_pins.keys() == set()


def test_developers_tools_are_not_in_it(image_pins: Pins, project: dict[str, Any]) -> None:
    tools = without_extras(project["optional-dependencies"]["dev"])
    assert {tool.partition("==")[0] for tool in tools} & names(image_pins) == set()


def test_the_build_backend_is_pinned_where_the_build_looks_for_it() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert set(wanted) - pins(ROOT / "requirements.lock").keys() == set()
