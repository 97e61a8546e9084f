"""The drain file, and whose it is."""

import os
from pathlib import Path

import pytest

from gateway.cordon.decision import Found
from gateway.cordon.drain_file import SIGNATURE, DrainFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "drain"


def test_file_that_was_made_is_known_again_and_says_why(path: Path) -> None:
    assert DrainFile(path).found() is Found.ABSENT
    DrainFile(path).make("it is cordoned")
    assert path.read_text() == f"{SIGNATURE}it is cordoned\n"
    assert DrainFile(path).found() is Found.OURS
    assert list(path.parent.iterdir()) == [path]


def test_file_that_was_made_is_removed(path: Path) -> None:
    file = DrainFile(path)
    file.make("it is cordoned")
    file.remove()
    assert list(path.parent.iterdir()) == []
    file.remove()


@pytest.mark.parametrize("text", ["", "railbird-cordon", "preStop\n"])
def test_file_of_others_is_neither_replaced_nor_removed(path: Path, text: str) -> None:
    path.write_text(text)
    file = DrainFile(path)
    assert file.found() is Found.OTHERS
    file.make("it is cordoned")
    file.remove()
    assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_of_others(path: Path, make: object) -> None:
    assert callable(make)
    make(path)
    file = DrainFile(path)
    assert file.found() is Found.OTHERS
    file.make("it is cordoned")
    file.remove()
    assert list(path.parent.iterdir()) == [path]


def test_file_whose_directory_is_missing_is_an_error_of_the_system(tmp_path: Path) -> None:
    file = DrainFile(tmp_path / "missing" / "drain")
    assert file.found() is Found.ABSENT
    with pytest.raises(FileNotFoundError):
        file.make("it is cordoned")
