"""A reader finds the old file or the new one, whatever step the writer was ended at."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from node_tuner import durable


class EndedError(BaseException):
    """As SIGKILL."""


def end_at(step: str) -> durable.OnStep:
    def on_step(name: str) -> None:
        if name == step:
            raise EndedError

    return on_step


def test_file_is_replaced_with_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        durable.replace(tmp_path / "new" / "file", "text", 0o644, "file")
    finally:
        os.umask(before)
    assert (tmp_path / "new" / "file").read_text() == "text"
    assert stat.S_IMODE((tmp_path / "new" / "file").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("step", "content"),
    [("file: begin", "old"), ("file: written beside", "old"), ("file: replaced", "new"), ("file: end", "new")],
)
def test_writer_that_is_ended_leaves_one_or_the_other(tmp_path: Path, step: str, content: str) -> None:
    path = tmp_path / "file"
    durable.replace(path, "old", 0o644, "file")
    with pytest.raises(EndedError):
        durable.replace(path, "new", 0o644, "file", end_at(step))
    assert path.read_text() == content
    durable.replace(path, "third", 0o644, "file")
    assert path.read_text() == "third"


def test_contents_are_synced_before_the_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append("scratch" if path.name.startswith(".file.") else str(path))

    monkeypatch.setattr(os, "fsync", sync)
    durable.replace(tmp_path / "file", "text", 0o644, "file", seen.append)
    assert seen == [
        "file: begin",
        "scratch",
        "file: written beside",
        "file: replaced",
        str(tmp_path),
        "file: end",
    ]


def test_two_writers_do_not_touch_each_other_s_scratch_file(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def write_another(step: str) -> None:
        if step == "file: written beside":
            durable.replace(path, "second", 0o644, "file")

    durable.replace(path, "first", 0o644, "file", write_another)
    assert path.read_text() == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_killed_writers_left_is_swept_away_once_it_is_old(tmp_path: Path) -> None:
    victim, fresh, other = tmp_path / "victim", tmp_path / ".file.1-ab.new", tmp_path / ".other.2-cd.new"
    for path in (victim, fresh, other):
        path.write_text("precious")
    old = tmp_path / ".file.2-cd.new"
    old.symlink_to(victim)
    for path in (old, other):
        os.utime(path, (0, 0), follow_symlinks=False)
    durable.replace(tmp_path / "file", "text", 0o644, "file")
    assert {each.name for each in tmp_path.iterdir()} == {"victim", fresh.name, other.name, "file"}
    assert victim.read_text() == "precious"


def test_removal_of_what_is_not_there_is_no_step(tmp_path: Path) -> None:
    steps: list[str] = []
    durable.remove(tmp_path / "file", "file", steps.append)
    assert steps == []


def replace(path: Path) -> None:
    durable.replace(path, "text", 0o644, "file")


def remove(path: Path) -> None:
    durable.remove(path, "file")


def make_link(path: Path) -> None:
    path.symlink_to(path.with_name("victim"))


@pytest.mark.parametrize("act", [replace, durable.check, remove])
@pytest.mark.parametrize("make", [os.mkfifo, make_link, Path.mkdir])
def test_what_is_no_file_is_left(tmp_path: Path, act: Callable[[Path], None], make: Callable[[Path], None]) -> None:
    path = tmp_path / "file"
    make(path)
    before = path.lstat()
    with pytest.raises(OSError, match="it is no file"):
        act(path)
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_removed_file_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace(path)
    remove(path)
    assert not path.exists()
