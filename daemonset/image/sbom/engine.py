"""podman or docker, as far as the bill needs one: what an image is, and its files."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

EXPORTERS = {"podman": "podman", "buildah": "podman", "docker": "docker"}
"""buildah has no export; it keeps its images where podman does."""


@dataclass(frozen=True, slots=True)
class Image:
    """`id`: of its configuration, hexadecimal; `size_bytes`: of all its layers, unpacked."""

    name: str
    id: str
    architecture: str
    size_bytes: int
    labels: dict[str, str]


def inspect(engine: str, name: str) -> Image:
    """CalledProcessError where there is no such image."""
    described: dict[str, Any] = json.loads(_run(engine, "image", "inspect", name))[0]
    labels = described["Config"].get("Labels") or {}
    image_id = described["Id"].removeprefix("sha256:")
    return Image(name, image_id, described["Architecture"], described["Size"], labels)


@contextmanager
def exported(engine: str, image: Image) -> Iterator[IO[bytes]]:
    """The image's files as a tar archive, from a container that is never started and gone afterwards."""
    container = _run(engine, "create", "--network=none", image.id).strip()
    try:
        with subprocess.Popen(
            [EXPORTERS[engine], "export", container], stdout=subprocess.PIPE, env=_SETTINGS
        ) as export:
            assert export.stdout is not None
            yield export.stdout
        if export.returncode:
            raise subprocess.CalledProcessError(export.returncode, export.args)
    finally:
        _run(engine, "rm", container)


_SETTINGS = {"CONTAINERS_CONF": str(Path(__file__).parents[1] / "containers.conf")} | os.environ


def _run(engine: str, *arguments: str) -> str:
    return subprocess.run(
        [EXPORTERS[engine], *arguments], env=_SETTINGS, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
