"""When a bill that is there is written again."""

from dataclasses import replace
from pathlib import Path

import pytest

from daemonset.image.sbom import bill
from daemonset.image.sbom.__main__ import is_current
from tests.image.sbom.test_bill import IMAGE, part


@pytest.fixture(name="output")
def written_bill(tmp_path: Path) -> Path:
    path = tmp_path / "bill.json"
    path.write_text(bill.document(IMAGE, [part("a")], ("debian", "12"), {}))
    return path


def test_bill_of_the_same_image_is_current(output: Path) -> None:
    assert is_current(output, IMAGE)


def test_bill_that_is_not_there_is_not_current(output: Path) -> None:
    assert not is_current(output.with_name("other.json"), IMAGE)


def test_bill_of_another_image_is_not_current(output: Path) -> None:
    assert not is_current(output, replace(IMAGE, id=64 * "0"))


@pytest.mark.parametrize(("said", "instead"), [(bill.writer(), 64 * "0"), (bill.WRITER, "railbird:other")])
def test_bill_by_another_writer_is_not_current(output: Path, said: str, instead: str) -> None:
    output.write_text(output.read_text().replace(said, instead))
    assert not is_current(output, IMAGE)


def test_writer_is_its_sources_and_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    said = bill.writer()
    monkeypatch.setattr(bill, "version", lambda name: "another")
    assert bill.writer.__wrapped__() != said
    monkeypatch.undo()
    monkeypatch.setattr(Path, "read_bytes", lambda path: path.name.encode())
    assert bill.writer.__wrapped__() != said
