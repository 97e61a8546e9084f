"""npm_ci.py against a registry on the loopback interface."""

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from daemonset.image import npm_ci


def archive(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def integrity(content: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


class Registry:
    """What it has by path, there or where `stored` leads to, and the `Authorization` of each request."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/npm/"
        self.archives: dict[str, bytes] = {}
        self.stored: dict[str, str] = {}
        self.authorizations: list[str | None] = []


@pytest.fixture(name="registry")
def started_registry() -> Iterator[Registry]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.authorizations.append(self.headers["Authorization"])
            elsewhere = registry.stored.get(self.path)
            self.send_response(302 if elsewhere else 200)
            if elsewhere:
                self.send_header("Location", elsewhere)
            self.end_headers()
            self.wfile.write(registry.archives.get(self.path, b""))

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry = Registry(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield registry
        server.shutdown()
        thread.join()


@pytest.fixture
def npmrc(tmp_path: Path, registry: Registry) -> Path:
    path = tmp_path / "npmrc"
    path.write_text(f"; ours\nregistry={registry.url}\n//{registry.url.removeprefix('http://')}:_authToken=t0ken\n")
    return path


def lock(tmp_path: Path, hashed: str) -> Path:
    path = tmp_path / "package-lock.json"
    packages = {"": {"name": "pages"}, "node_modules/@a/b.js": {"version": "1.2.3", "integrity": hashed}}
    path.write_text(json.dumps({"packages": packages}))
    return path


def test_package_with_its_hash_is_unpacked(tmp_path: Path, registry: Registry, npmrc: Path) -> None:
    content = archive({"package/package.json": b"{}", "package/dist/b.mjs": b"export {}", "package/../../out": b"no"})
    registry.archives["/npm/@a/b.js/-/b.js-1.2.3.tgz"] = content
    npm_ci.main(lock(tmp_path, integrity(content)), tmp_path / "node_modules", npmrc)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "node_modules" in path.parts]
    there = {str(path.relative_to(tmp_path / "node_modules")): path.read_bytes() for path in files}
    assert there == {"@a/b.js/package.json": b"{}", "@a/b.js/dist/b.mjs": b"export {}"}
    assert not list(tmp_path.rglob("out"))
    assert registry.authorizations == ["Bearer t0ken"]


def test_token_is_told_to_the_registry_and_not_to_where_it_leads(
    tmp_path: Path, registry: Registry, npmrc: Path
) -> None:
    content = archive({"package/package.json": b"{}"})
    registry.stored["/npm/@a/b.js/-/b.js-1.2.3.tgz"] = "/bucket/b.tgz?proof=of-its-own"
    registry.archives["/bucket/b.tgz?proof=of-its-own"] = content
    npm_ci.main(lock(tmp_path, integrity(content)), tmp_path / "node_modules", npmrc)
    assert (tmp_path / "node_modules/@a/b.js/package.json").read_bytes() == b"{}"
    assert registry.authorizations == ["Bearer t0ken", None]


def test_package_with_another_hash_is_refused(tmp_path: Path, registry: Registry, npmrc: Path) -> None:
    registry.archives["/npm/@a/b.js/-/b.js-1.2.3.tgz"] = archive({"package/package.json": b"{}"})
    with pytest.raises(SystemExit, match=r"@a/b\.js: what the registry sent is not what package-lock"):
        npm_ci.main(lock(tmp_path, integrity(b"another")), tmp_path / "node_modules", npmrc)
    assert not (tmp_path / "node_modules").exists()


def test_weaker_hash_is_refused(tmp_path: Path, registry: Registry, npmrc: Path) -> None:
    content = archive({"package/package.json": b"{}"})
    registry.archives["/npm/@a/b.js/-/b.js-1.2.3.tgz"] = content
    sha1 = "sha1-" + base64.b64encode(hashlib.sha1(content).digest()).decode()
    with pytest.raises(SystemExit):
        npm_ci.main(lock(tmp_path, sha1), tmp_path / "node_modules", npmrc)


def test_settings_without_a_file_are_none(tmp_path: Path) -> None:
    assert npm_ci._settings(tmp_path / "npmrc") == {}
