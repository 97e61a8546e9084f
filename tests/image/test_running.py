"""The built image, confined as in the cluster: what it can load and start, with a root that nobody can write to."""

import json
import tomllib
from typing import Any

import pytest

from tests.image.podman import BUILD_LIMIT_S, ROOT, podman, run

pytestmark = [pytest.mark.podman, pytest.mark.timeout(BUILD_LIMIT_S)]

INSIDE = ROOT / "tests/image/inside.py"
ENTRY_POINTS: dict[str, tuple[str, ...]] = {
    "railbird-gateway": (),
    "railbird-tuner": (),
    "railbird-loadgen": ("--tmpfs=/tmp",),
    "railbird-ledger": (),
    "railbird-drain": (),
    "railbird-cordon": (),
}
"""Program -> the mounts that it does not start without."""


@pytest.fixture(scope="module")
def found(image: str) -> dict[str, Any]:
    mounted = (f"--volume={INSIDE}:/tmp/inside.py:ro", "--tmpfs=/tmp/matplotlib")
    ended = run("python", "/tmp/inside.py", image=image, options=mounted)
    assert ended.returncode == 0, ended.stderr
    answered: dict[str, Any] = json.loads(ended.stdout)
    return answered


def test_every_library_finds_those_it_needs(found: dict[str, Any]) -> None:
    assert found["unresolved"] == {}


def test_every_module_can_be_imported(found: dict[str, Any]) -> None:
    assert found["not_importable"] == {}


def test_authorities_are_found_without_being_named(found: dict[str, Any]) -> None:
    assert found["authorities"] > 100


def test_plots_have_fonts(found: dict[str, Any]) -> None:
    assert found["drawn_bytes"] > 5000


@pytest.mark.parametrize("command", ENTRY_POINTS)
def test_entry_point_starts(image: str, command: str) -> None:
    ended = run(command, "--help", image=image, options=ENTRY_POINTS[command])
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"Usage: {command}")


def test_entry_points_are_those_of_the_project() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert ENTRY_POINTS.keys() == scripts.keys()


def test_nft_starts(image: str) -> None:
    ended = run("nft", "--version", image=image)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("nftables v")


def test_shell_does_not_start(image: str) -> None:
    ended = run("sh", "-c", "true", image=image)
    assert ended.returncode == 127
    assert "not found" in ended.stderr


@pytest.mark.parametrize("place", ["/", "/tmp", "/run", "/var/tmp", "/opt/railbird"])
def test_nothing_can_be_written(image: str, place: str) -> None:
    """To the root, that is; what is mounted for it in the cluster is not there."""
    ended = run("python", "-c", f"open('{place}/x', 'w')", image=image, options=("--user=0", "--cap-add=dac_override"))
    assert "Read-only file system" in ended.stderr


def test_modules_are_not_taken_from_where_one_stands(image: str) -> None:
    """What may be written to must not become code."""
    ended = run(
        "python",
        "-c",
        "import sys; print('' in sys.path)",
        image=image,
        options=("--tmpfs=/scratch", "--workdir=/scratch"),
    )
    assert ended.stdout.strip() == "False"


def test_account_is_not_root(image: str) -> None:
    ended = run("python", "-c", "import os, pwd; print(os.getuid(), pwd.getpwuid(os.getuid()).pw_name)", image=image)
    assert ended.stdout.split() == ["65532", "railbird"]


def test_image_of_another_name_is_not_fetched() -> None:
    """The tests' own claim: whatever they run was built here."""
    ended = podman("run", "--rm", "--pull=never", "localhost/railbird:no-such-tag", "true")
    assert ended.returncode != 0
