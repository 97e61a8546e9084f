"""Files of others: bounded, and nothing else of their name. The gateway and the tuner may not share code."""

import os
from pathlib import Path
from types import ModuleType

import pytest

import gateway.regular_file
import node_tuner.regular_file

OF_EACH = pytest.mark.parametrize("reader", [gateway.regular_file, node_tuner.regular_file])


@OF_EACH
def test_content_is_that_of_the_file_up_to_the_bound(reader: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert (reader.content(path, 4), reader.content(path, 6)) == (b"1234", b"12345")


@OF_EACH
def test_link_is_followed(reader: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to("file")
    assert reader.content(tmp_path / "link", 4) == b"1"


@OF_EACH
def test_pipe_is_not_waited_for_and_is_no_file(reader: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(reader.NoFileError) as raised:
        reader.content(path, 4)
    assert (raised.value.filename, raised.value.strerror) == (str(path), "it is no file")


@OF_EACH
def test_file_that_is_missing_is_named(reader: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        reader.content(tmp_path / "file", 4)
    assert Path(raised.value.filename) == tmp_path / "file"


def test_file_is_made_and_nothing_beside_it(tmp_path: Path) -> None:
    gateway.regular_file.make(tmp_path / "order", "do it\n")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("order", "do it\n")]


def test_file_is_not_made_in_the_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "order").write_text("another's")
    with pytest.raises(FileExistsError):
        gateway.regular_file.make(tmp_path / "order", "do it\n")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("order", "another's")]


def test_file_that_is_replaced_is_there_all_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "order"
    path.write_text("another's")
    seen = []
    write_text = Path.write_text

    def write(whole: Path, text: str, encoding: str) -> int:
        written = write_text(whole, text, encoding)
        seen.append(path.read_text())
        return written

    monkeypatch.setattr(Path, "write_text", write)
    gateway.regular_file.replace(path, "do it\n")
    assert seen == ["another's"]
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("order", "do it\n")]


def test_file_that_cannot_be_replaced_stays_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "order").mkdir()
    with pytest.raises(IsADirectoryError):
        gateway.regular_file.replace(tmp_path / "order", "do it\n")
    assert [each.name for each in tmp_path.iterdir()] == ["order"]
