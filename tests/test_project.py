"""The project's own files: pins, paths, commands, and what the pure modules may import."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A path of one developer's machine: it means nothing to anybody else.
MACHINE_PATH = re.compile(r"(?<![\w.$}~/-])/(work|root|home/[a-z]\w*|Users/\w+|tmp/(venv|brief))/")
LOCKED = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)
PURE_PACKAGES = ("wire", "stream")
IMPURE_MODULES = {"asyncio", "selectors", "select", "socket", "threading", "time", "uvloop", "aiohttp"}


def _pinned_in_pyproject() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [requirement for extra in project["optional-dependencies"].values() for requirement in extra]
    return dict(requirement.split("==") for requirement in [*project["dependencies"], *extras])


def _lock() -> str:
    return (ROOT / "requirements.lock").read_text()


def _locked() -> dict[str, str]:
    return {match["name"]: match["version"] for match in LOCKED.finditer(_lock())}


def test_lock_agrees_with_pyproject() -> None:
    pinned = _pinned_in_pyproject()
    locked = _locked()
    assert {name: locked.get(name) for name in pinned} == pinned


def test_build_backend_is_the_locked_one() -> None:
    build_system = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    assert build_system["requires"] == [f"setuptools=={_locked()['setuptools']}"]


def test_lock_hashes_every_entry_and_names_no_registry() -> None:
    entries = re.split(r"^(?=[a-z0-9])", _lock(), flags=re.MULTILINE)[1:]
    assert len(entries) == len(_locked())
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


def _imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", PURE_PACKAGES)
def test_pure_package_imports_no_loop_socket_or_clock(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in sorted((ROOT / "gateway" / package).rglob("*.py"))
        for module in _imported_modules(ast.parse(path.read_text()))
        if module in IMPURE_MODULES
    ]
    assert found == []
