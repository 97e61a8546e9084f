"""What outlives a power cut is what was synced: whole contents before they get their name, names once they changed."""

import os
from pathlib import Path

import pytest

from node_tuner import durable


@pytest.fixture
def synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str] | str]:
    """Each fsync: of a file its content then, of the directory the files in it and theirs."""
    seen: list[dict[str, str] | str] = []

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append({each.name: each.read_text() for each in path.iterdir()} if path == tmp_path else path.read_text())

    monkeypatch.setattr(os, "fsync", sync)
    return seen


def test_replaced_file_is_synced_whole_and_then_its_name(tmp_path: Path, synced: list[dict[str, str] | str]) -> None:
    (tmp_path / "file").write_text("old")
    durable.replace(tmp_path / "file", "new", 0o644, "file")
    assert synced == ["new", {"file": "new"}]


def test_removed_file_is_gone_when_its_directory_is_synced(tmp_path: Path, synced: list[dict[str, str] | str]) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "other").write_text("stays")
    durable.remove(tmp_path / "file", "file")
    assert synced == [{"other": "stays"}]
