"""The machine's description."""

from importlib.metadata import PackageNotFoundError

import pytest

from loadgen.run import machine as machine_module
from loadgen.run.machine import describe


def test_machine_is_described_by_what_figures_depend_on() -> None:
    described = describe()
    assert set(described) == {
        *("processor", "cores", "kernel", "python"),
        *("railbird", "cryptography", "uvloop", "aiortc"),
    }
    assert all(described.values())
    assert int(described["cores"]) >= 1


def test_checkout_that_is_not_installed_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(machine_module, "version", missing)
    assert describe()["railbird"] == "not installed"
