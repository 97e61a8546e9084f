"""The project's own files: pins, paths, commands, and contracts that really bite."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A path of one developer's machine: it means nothing to anybody else.
MACHINE_PATH = re.compile(r"(?<![\w.$}~/-])/(work|root|home/[a-z]\w*|Users/\w+|tmp/(venv|brief))/")
LOCKED = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)


def _pinned_in_pyproject() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [requirement for extra in project["optional-dependencies"].values() for requirement in extra]
    pins = [re.sub(r"\[.*?\]", "", requirement) for requirement in [*project["dependencies"], *extras]]
    return dict(pin.split("==") for pin in pins)


def _lock() -> str:
    return (ROOT / "requirements.lock").read_text()


def _locked() -> dict[str, list[str]]:
    """Versions by name: more than one where they differ by Python version."""
    versions: dict[str, list[str]] = {}
    for entry in LOCKED.finditer(_lock()):
        versions.setdefault(entry["name"], []).append(entry["version"])
    return versions


def test_lock_agrees_with_pyproject() -> None:
    pinned = _pinned_in_pyproject()
    locked = _locked()
    assert {name: locked.get(name) for name in pinned} == {name: [version] for name, version in pinned.items()}


def test_build_backend_is_the_locked_one() -> None:
    build_system = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    assert build_system["requires"] == [f"setuptools=={_locked()['setuptools'][0]}"]


def test_lock_hashes_every_entry_and_names_no_registry() -> None:
    entries = re.split(r"^(?=[a-z0-9])", _lock(), flags=re.MULTILINE)[1:]
    assert len(entries) == len(LOCKED.findall(_lock()))
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", _lock())


def _sources() -> Iterator[tuple[str, str]]:
    """Name and text of every file of the repository that is text."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout: which files are the project's is unknown")
    for name in filter(None, listing.stdout.decode().split("\0")):
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [f"{name}: {match[0]}" for name, text in _sources() for match in MACHINE_PATH.finditer(text)]
    assert found == []


@pytest.mark.parametrize("path", ["/wor" + "k/main/x", "at /ro" + "ot/.cache/", '"/hom' + 'e/somebody/x"'])
def test_machine_path_is_recognised(path: str) -> None:
    assert MACHINE_PATH.search(path)


def test_readme_commands_exist_in_makefile() -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("there is no README yet")
    named = set(re.findall(r"\bmake (?:-\S+ )*([a-z][a-z-]*)", _code_of(readme.read_text())))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"run", "test"} <= named <= targets


def _code_of(markdown: str) -> str:
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", markdown, re.DOTALL))


PACKAGES = ("demo", "http", "ingest", "viewers", "stream", "transport", "transport/srtp", "wire")
PARTS = ("source_modules", "forbidden_modules")
OURS = ("gateway", "loadgen", "node_tuner", "qos")
MODULES = ("__init__", "__main__", "app", "metrics", "log", "config", "clock", "errors", "transport/ice")


@pytest.fixture
def empty_gateway(tmp_path: Path) -> Path:
    """The gateway's packages and the load generator without anything in them, under the project's own contracts."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for package in PACKAGES:
        (tmp_path / "gateway" / package).mkdir(parents=True)
        (tmp_path / "gateway" / package / "__init__.py").touch()
    for module in MODULES:
        (tmp_path / "gateway" / f"{module}.py").touch()
    for name in sorted(_named_modules()):
        directory = tmp_path / name.replace(".", "/")
        if not directory.with_suffix(".py").exists():
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "__init__.py").touch()
    return tmp_path


def _named_modules() -> set[str]:
    """Those that the contracts name, and the packages that they are in."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {name for contract in contracts for part in PARTS for name in contract.get(part, ())}
    paths = [name.split(".") for name in named if "*" not in name and name.partition(".")[0] in OURS]
    return {".".join(path[:depth]) for path in paths for depth in range(1, len(path) + 1)}


def _offend(root: Path, offender: str, imported: str) -> None:
    (root / f"{offender.replace('.', '/')}.py").write_text(f"import {imported}\n")


def _lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([command, "--no-logo", "--no-cache"], cwd=root, capture_output=True, text=True, check=False)


def test_layer_contracts_accept_an_empty_gateway(empty_gateway: Path) -> None:
    verdict = _lint_imports(empty_gateway)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize(
    ("package", "imported"),
    [
        ("wire", "time"),
        ("wire", "gateway.config"),
        ("stream", "asyncio"),
        ("transport.srtp", "socket"),
        ("transport", "gateway.viewers"),
        ("ingest", "gateway.viewers"),
        ("demo", "gateway.transport"),
    ],
)
def test_layer_contracts_refuse_a_forbidden_import(empty_gateway: Path, package: str, imported: str) -> None:
    offender = f"gateway.{package}.offender"
    _offend(empty_gateway, offender, imported)
    verdict = _lint_imports(empty_gateway)
    assert verdict.returncode == 1
    assert f"{offender} -> {imported} " in verdict.stdout


@pytest.mark.parametrize("imported", ["gateway.viewers", "gateway.config", "gateway.stream"])
def test_load_generator_may_not_know_the_gateways_own_behaviour(empty_gateway: Path, imported: str) -> None:
    _offend(empty_gateway, "loadgen.offender", imported)
    verdict = _lint_imports(empty_gateway)
    assert verdict.returncode == 1
    assert f"loadgen.offender -> {imported} " in verdict.stdout


def test_gateway_may_not_know_the_load_generator(empty_gateway: Path) -> None:
    _offend(empty_gateway, "gateway.transport.offender", "loadgen")
    assert _lint_imports(empty_gateway).returncode == 1


@pytest.mark.parametrize("imported", ["gateway", "loadgen", "qos"])
def test_tuner_may_not_know_what_runs_on_its_node(empty_gateway: Path, imported: str) -> None:
    _offend(empty_gateway, "node_tuner.engine.offender", imported)
    assert _lint_imports(empty_gateway).returncode == 1


@pytest.mark.parametrize("imported", ["node_tuner", "pyroute2"])
def test_gateway_may_not_change_a_node(empty_gateway: Path, imported: str) -> None:
    _offend(empty_gateway, "gateway.transport.offender", imported)
    assert _lint_imports(empty_gateway).returncode == 1


def test_layer_contracts_refuse_a_module_without_a_layer(empty_gateway: Path) -> None:
    (empty_gateway / "gateway" / "helpers.py").touch()
    verdict = _lint_imports(empty_gateway)
    assert verdict.returncode == 1
    assert "gateway.helpers" in verdict.stdout
