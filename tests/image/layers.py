"""The image as whoever pulls it has it: every layer, with what later ones would hide, and its configuration."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.image.podman import podman


@dataclass(frozen=True, slots=True)
class File:
    """`kind` as in `stat`, with the permissions: `st_mode`. `content` is empty but for regular files."""

    path: str
    mode: int
    uid: int
    link: str
    content: bytes

    @property
    def is_regular(self) -> bool:
        return stat.S_ISREG(self.mode)

    @property
    def is_program(self) -> bool:
        return self.is_regular and bool(self.mode & 0o111)


class Archive:
    """`podman save` of an image."""

    def __init__(self, image: str, directory: Path) -> None:
        self._path = directory / "image.tar"
        saved = podman("save", "--format=docker-archive", f"--output={self._path}", image, limit_s=180)
        assert saved.returncode == 0, saved.stderr

    @cached_property
    def description(self) -> dict[str, Any]:
        """The whole of the image's configuration, with the history of its layers."""
        described: dict[str, Any] = json.loads(self._member(self._manifest["Config"]))
        return described

    @cached_property
    def files(self) -> list[File]:
        return [file for layer in self._manifest["Layers"] for file in _files(self._member(layer))]

    @cached_property
    def paths(self) -> set[str]:
        return {file.path for file in self.files}

    @property
    def _manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(self._member("manifest.json"))[0]
        return manifest

    def _member(self, name: str) -> bytes:
        with tarfile.open(self._path) as archive:
            member = archive.extractfile(name)
            assert member is not None
            return member.read()


KINDS = {tarfile.REGTYPE: stat.S_IFREG, tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK}


def _files(layer: bytes) -> list[File]:
    with tarfile.open(fileobj=io.BytesIO(layer)) as entries:
        return [_file(entries, entry) for entry in entries]


def _file(entries: tarfile.TarFile, entry: tarfile.TarInfo) -> File:
    content = entries.extractfile(entry) if entry.isfile() else None
    mode = KINDS.get(entry.type, stat.S_IFREG) | entry.mode
    return File(entry.name.rstrip("/"), mode, entry.uid, entry.linkname, content.read() if content else b"")
