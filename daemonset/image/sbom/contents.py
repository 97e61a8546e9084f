"""The image's files, once through: what is needed of them to say what is there, and the size of each part."""

from __future__ import annotations

import tarfile
from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import IO, Final

READ: Final = (
    "*/site-packages/*.dist-info/METADATA",
    "*/site-packages/*.dist-info/RECORD",
    "*/site-packages/*.dist-info/sboms/*.json",
    "var/lib/dpkg/status.d/*",
    "usr/share/doc/*/copyright",
    "opt/railbird/share/node_modules/*/package.json",
    "usr/lib/os-release",
)
"""Patterns of the paths whose bytes are kept; `*` also stands for slashes."""

HASHED: Final = ("*/site-packages/*.so", "*/site-packages/*.so.*")
"""Likewise, of the paths that are hashed: machine code."""

SITE_PACKAGES: Final = "opt/railbird/lib/python3.11/site-packages/"
SIZES: Final = (
    (
        "railbird",
        (
            *(f"{SITE_PACKAGES}{name}" for name in ("gateway", "loadgen", "node_tuner", "qos", "railbird-")),
            "opt/railbird/bin/",
            "opt/railbird/share/",
        ),
    ),
    ("Python dependencies", ("opt/railbird/",)),
    ("Debian", ("",)),
)
"""Whose a file is: the first row that has a beginning of its path."""


@dataclass(slots=True)
class Contents:
    """`files`: path without a leading slash -> bytes; `links`: path -> where a symbolic link points, unresolved;
    `sha256`: path -> hexadecimal."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)
    sizes_bytes: Counter[str] = field(default_factory=Counter)

    def matching(self, pattern: str) -> dict[str, bytes]:
        return {path: content for path, content in sorted(self.files.items()) if fnmatchcase(path, pattern)}


def read(archive: IO[bytes]) -> Contents:
    """`archive`: tar of the image's root, as `podman export` and `docker export` write it; read to its end."""
    contents = Contents()
    with tarfile.open(fileobj=archive, mode="r|") as entries:
        for entry in entries:
            path = entry.name.removeprefix("./").lstrip("/")
            if entry.issym():
                contents.links[path] = entry.linkname
            elif entry.isreg():
                contents.sizes_bytes[_owner(path)] += entry.size
                if _is_one_of(READ, path):
                    contents.files[path] = _bytes(entries, entry)
                elif _is_one_of(HASHED, path):
                    contents.sha256[path] = sha256(_bytes(entries, entry)).hexdigest()
    return contents


def _is_one_of(patterns: tuple[str, ...], path: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _bytes(entries: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = entries.extractfile(entry)
    return file.read() if file else b""


def _owner(path: str) -> str:
    return next(name for name, beginnings in SIZES if path.startswith(beginnings))
