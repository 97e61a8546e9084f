"""The bill of the image that was built: all that was pinned is in it, and nothing else."""

import json
import re
from hashlib import sha256
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.image.layers import Archive
from tests.image.lock import names, pins
from tests.image.podman import BUILD_LIMIT_S, IMAGE, ROOT, podman

pytestmark = [pytest.mark.podman, pytest.mark.timeout(BUILD_LIMIT_S)]

BILL = ROOT / "build/railbird.cdx.json"
WINDOWS = {"win-inet-pton"}
"""Of the lock, what its markers keep for another system."""


@pytest.fixture(name="bill", scope="module")
def written_bill(image: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(BILL.read_text())
    return document


def of_type(bill: dict[str, Any], kind: str) -> dict[str, str]:
    found = (re.match(rf"pkg:{kind}/(?:debian/)?([^@]+)@", row.get("purl", "")) for row in bill["components"])
    return {match[1].replace("%2B", "+"): match.string for match in found if match}


def test_bill_is_cyclonedx(bill: dict[str, Any]) -> None:
    assert bill["specVersion"] == "1.6"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(BILL.read_text()) is None


def test_bill_is_of_this_image(bill: dict[str, Any]) -> None:
    properties = {row["name"]: row["value"] for row in bill["metadata"]["component"]["properties"]}
    inspected = podman("image", "inspect", "--format={{.Id}}", IMAGE)
    assert properties["railbird:image-id"] == inspected.stdout.strip()
    assert int(properties["railbird:bytes:Debian"]) < 80e6


def test_distributions_are_those_of_the_lock_and_railbird(bill: dict[str, Any]) -> None:
    found = of_type(bill, "pypi").keys()
    pinned = names(pins(ROOT / "requirements-image.lock"))
    assert found - pinned == {"railbird"}
    assert pinned - found == WINDOWS


def test_libraries_that_were_copied_into_wheels_are_those_of_the_image(bill: dict[str, Any], archive: Archive) -> None:
    inside = (row for part in bill["components"] for row in part.get("components", []) if row["type"] == "file")
    listed = {row["name"]: row["hashes"][0]["content"] for row in inside}
    there = {
        found[1]: sha256(file.content).hexdigest()
        for file in archive.files
        if file.is_regular and (found := re.search(r"site-packages/([^/]+\.libs/.*\.so.*)", file.path))
    }
    assert len(there) > 50
    assert listed == there


def test_wheels_with_such_libraries_are_said_to_be_incompletely_known(bill: dict[str, Any]) -> None:
    said = {row["aggregate"]: row["assemblies"] for row in bill["compositions"]}
    names_of = {kind: {ref.partition("@")[0].removeprefix("pkg:pypi/") for ref in refs} for kind, refs in said.items()}
    assert {"av", "numpy", "pillow"} <= names_of["incomplete"]
    assert {"pylibsrtp", "uvloop"} <= names_of["unknown"]


def test_debian_packages_are_those_listed(bill: dict[str, Any]) -> None:
    lines = (ROOT / "daemonset/image/packages.txt").read_text().splitlines()
    assert of_type(bill, "deb").keys() == {line.split()[0] for line in lines if not line.startswith("#")}


def test_npm_packages_are_those_of_the_lock(bill: dict[str, Any]) -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted = {f"pkg:npm/{path.removeprefix('node_modules/')}@{row['version']}" for path, row in lock.items() if path}
    assert set(of_type(bill, "npm").values()) == wanted


def test_every_distribution_but_our_own_has_a_licence(bill: dict[str, Any]) -> None:
    silent = [
        row["name"] for row in bill["components"] if "pkg:pypi" in row.get("purl", "") and not row.get("licenses")
    ]
    assert silent in ([], ["railbird"])
