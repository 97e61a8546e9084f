"""A reader finds the old file or the new one, whatever step the writer was ended at."""

from __future__ import annotations

import os
import stat
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
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_contents_are_synced_before_the_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def sync(descriptor: int) -> None:
        seen.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    monkeypatch.setattr(os, "fsync", sync)
    durable.replace(tmp_path / "file", "text", 0o644, "file", seen.append)
    assert seen == [
        "file: begin",
        str(tmp_path / ".file.new"),
        "file: written beside",
        "file: replaced",
        str(tmp_path),
        "file: end",
    ]


def test_link_in_the_scratch_file_s_place_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / ".file.new").symlink_to(victim)
    durable.replace(tmp_path / "file", "text", 0o644, "file")
    assert (victim.read_text(), (tmp_path / "file").read_text()) == ("precious", "text")


def test_removal_of_what_is_not_there_is_no_step(tmp_path: Path) -> None:
    steps: list[str] = []
    durable.remove(tmp_path / "file", "file", steps.append)
    assert steps == []
