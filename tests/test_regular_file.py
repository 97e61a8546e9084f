"""Files of others: bounded, and nothing else of their name."""

import os
from pathlib import Path

import pytest

from gateway.regular_file import NoFileError, content


def test_content_is_that_of_the_file_up_to_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert (content(path, 4), content(path, 6)) == (b"1234", b"12345")


def test_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to("file")
    assert content(tmp_path / "link", 4) == b"1"


def test_pipe_is_not_waited_for_and_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(NoFileError) as raised:
        content(path, 4)
    assert (raised.value.filename, raised.value.strerror) == (str(path), "it is no file")


def test_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        content(tmp_path / "file", 4)
    assert Path(raised.value.filename) == tmp_path / "file"
