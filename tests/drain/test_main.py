"""The command of the preStop hook."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway import regular_file
from gateway.drain import __main__
from gateway.drain.__main__ import ORDER, SIGNATURE, main
from gateway.drain.readiness import Standing
from gateway.hub.drain_file import OF_ONE_LIFE


def run(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--file", str(file), *arguments])


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it was ready to wait, each time; the gateway has drained."""
    times_s: list[float] = []

    def wait(_look: object, wait_s: float, _say: object) -> Standing:
        times_s.append(wait_s)
        return Standing.DRAINED

    monkeypatch.setattr(__main__, "wait", wait)
    return times_s


def test_file_is_made_and_waited_for(tmp_path: Path, waited: list[float]) -> None:
    file = tmp_path / "drain"
    assert run(file, "--wait-s", "12").exit_code == 0
    assert file.read_text().startswith(SIGNATURE)
    assert waited == [12.0]


def test_file_is_known_to_the_gateway_that_starts_next() -> None:
    assert SIGNATURE.encode() == OF_ONE_LIFE


def test_file_of_a_person_is_left_as_it_is(tmp_path: Path, waited: list[float]) -> None:
    file = tmp_path / "drain"
    file.write_text("the disk is to be changed\n")
    assert run(file).exit_code == 0
    assert file.read_text() == "the disk is to be changed\n"
    assert waited == [150.0]


def test_file_of_the_cordon_becomes_an_order_that_an_uncordon_leaves(tmp_path: Path, waited: list[float]) -> None:
    file = tmp_path / "drain"
    file.write_text("railbird-cordon: the node is cordoned\n")
    assert run(file).exit_code == 0
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("drain", ORDER)]
    assert waited == [150.0]


def test_file_of_the_cordon_that_cannot_be_replaced_is_named(
    tmp_path: Path, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook ends, SIGTERM comes at once, and is an order that nobody takes away."""
    file = tmp_path / "drain"
    file.write_text("railbird-cordon: the node is cordoned\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(regular_file, "replace", full)
    result = run(file)
    assert (result.exit_code, result.stderr) == (1, f"Error: {file}: No space left on device\n")
    assert waited == []


def test_file_is_whole_from_its_first_moment_on(
    tmp_path: Path, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook that is killed, or finds no room, while it writes leaves nothing that the next gateway would obey."""

    def full(path: Path, *_: object, **__: object) -> None:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    file = tmp_path / "drain"
    result = run(file)
    assert (result.exit_code, "No space left on device" in result.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_there", [False, True])
def test_undo_removes_the_file_and_waits_for_nothing(tmp_path: Path, waited: list[float], is_there: bool) -> None:
    file = tmp_path / "drain"
    if is_there:
        file.touch()
    assert run(file, "--undo").exit_code == 0
    assert not file.exists()
    assert waited == []


def test_file_that_cannot_be_made_is_named(tmp_path: Path, waited: list[float]) -> None:
    result = run(tmp_path / "missing" / "drain")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {tmp_path}/missing/drain: No such file or directory\n"
    assert run(tmp_path).exit_code == 1
    assert waited == []


@pytest.mark.parametrize(
    ("standing", "code"),
    [(Standing.DRAINED, 0), (Standing.GONE, 0), (Standing.DRAINING, 0), (Standing.UNKNOWN, 0), (Standing.SERVING, 1)],
)
def test_exit_code_says_whether_the_gateway_heeds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standing: Standing, code: int
) -> None:
    monkeypatch.setattr(__main__, "wait", lambda *_: standing)
    result = run(tmp_path / "drain")
    assert result.exit_code == code
    assert ("is its drain.file" in result.stderr) is bool(code)


@pytest.mark.parametrize("where", ["8080", "host:", ":8080", "host:http"])
def test_address_that_is_none_is_refused(tmp_path: Path, where: str) -> None:
    result = run(tmp_path / "drain", "--http", where)
    assert result.exit_code == 2
    assert not (tmp_path / "drain").exists()


def test_command_imports_next_to_nothing() -> None:
    """It runs when a node is short of everything, and within the grace period that it is there to use."""
    code = "import sys, gateway.drain.__main__; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert {"aiohttp", "pydantic", "structlog", "aiortc", "av", "uvloop"}.isdisjoint(told.stdout.split())
