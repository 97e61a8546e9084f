"""`npm ci` for packages without scripts and dependencies: fetches what package-lock.json names, by its hashes.

    python3 npm_ci.py PACKAGE_LOCK NODE_MODULES [NPMRC]

Debian's npm is 400 packages, to unpack two archives: this stage of the build would be its longest. NPMRC may name
another `registry=` and a `//host/path/:_authToken=` for it.
"""

import base64
import hashlib
import io
import json
import sys
import tarfile
import urllib.request
from pathlib import Path, PurePosixPath

REGISTRY = "https://registry.npmjs.org/"
TIMEOUT_S = 60.0
MAX_ARCHIVE_BYTES = 64 << 20
"""hls.js, with all its builds and their maps, is 6 MB."""


def main(lock: Path, node_modules: Path, npmrc: Path | None) -> None:
    settings = _settings(npmrc)
    for place, package in json.loads(lock.read_text())["packages"].items():
        if place:
            name = place.removeprefix("node_modules/")
            archive = _fetch(name, package["version"], settings)
            _check(name, archive, package["integrity"])
            _unpack(archive, node_modules / name)


def _settings(npmrc: Path | None) -> dict[str, str]:
    lines = npmrc.read_text().splitlines() if npmrc and npmrc.exists() else []
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith(("#", ";")))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _fetch(name: str, version: str, settings: dict[str, str]) -> bytes:
    registry = settings.get("registry", REGISTRY).rstrip("/") + "/"
    request = urllib.request.Request(f"{registry}{name}/-/{name.rpartition('/')[2]}-{version}.tgz")
    token = settings.get(f"//{registry.partition('//')[2]}:_authToken")
    if token:
        # Of the registry alone: where it sends us for the archive is another host, such as a bucket with its own proof.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        archive: bytes = response.read(MAX_ARCHIVE_BYTES)
    return archive


def _check(name: str, archive: bytes, integrity: str) -> None:
    algorithm, _, wanted = integrity.partition("-")
    if algorithm != "sha512" or base64.b64encode(hashlib.sha512(archive).digest()).decode() != wanted:
        sys.exit(f"{name}: what the registry sent is not what package-lock.json names ({integrity})")


def _unpack(archive: bytes, directory: Path) -> None:
    """npm's archives have one directory at their top, whatever its name."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            parts = PurePosixPath(member.name).parts[1:]
            content = files.extractfile(member)
            if content is None or not parts or ".." in parts:
                continue
            path = directory.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
