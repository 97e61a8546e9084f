"""The front's image, confined as components/front confines it, with that component's site."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.demo.certificate import write_certificate
from tests.image.podman import CONFINED, ROOT, podman

pytestmark = pytest.mark.podman

BASE = "docker.io/library/debian:bookworm-slim"
DAEMONSET = ROOT / "daemonset"
NAME = f"railbird-front-test-{os.getpid()}"
IMAGE = f"localhost/{NAME}:1"
NOBODY = 65532
BUILD_LIMIT_S = 600
START_WITHIN_S = 30.0


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """Built from a base that is made here where the store has none."""
    if podman("image", "exists", BASE).returncode != 0:
        subprocess.run(["sh", str(DAEMONSET / "image/base.sh"), "podman", BASE], timeout=BUILD_LIMIT_S, check=True)
    file = str(DAEMONSET / "front/Dockerfile")
    build = podman(
        *("build", "--isolation", "chroot", "--pull=never", "--file", file, "--tag", IMAGE, str(DAEMONSET)),
        limit_s=BUILD_LIMIT_S,
    )
    assert build.returncode == 0, build.stderr
    yield IMAGE
    podman("rmi", "--force", IMAGE)


class Front:
    """A container of it, without a gateway behind."""

    def __init__(self, process: str) -> None:
        self._process = process

    @property
    def answers(self) -> bool:
        return self.get("/").startswith("2 ")

    def get(self, path: str) -> str:
        """Protocol and status, such as `2 404`."""
        says = ("--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_version} %{http_code}")
        return self._within("curl", *says, "--max-time", "5", f"https://127.0.0.1:8443{path}")

    def certificate(self) -> str:
        """That it shows to who connects anew."""
        shown = self._within("openssl", "s_client", "-connect", "127.0.0.1:8443")
        return shown[shown.index("-----BEGIN") : shown.index("-----END")]

    def _within(self, *command: str) -> str:
        inside = ["nsenter", "--target", self._process, "--net", *command]
        return subprocess.run(
            inside, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        ).stdout


@contextmanager
def started(image: str, site: Path) -> Iterator[Front]:
    """Not root, without a capability, on a read-only root but for run/; gone afterwards."""
    run = site.parent / "run"  # as kubelet makes an emptyDir
    run.mkdir()
    run.chmod(0o777)
    where = ("--volume", f"{site}:/etc/railbird-front/site:ro", "--volume", f"{run}:/etc/railbird-front/run")
    try:
        begun = podman("run", "--detach", "--name", NAME, *CONFINED, "--read-only-tmpfs=false", *where, image)
        assert begun.returncode == 0, begun.stderr
        front = Front(podman("inspect", "--format", "{{.State.Pid}}", NAME).stdout.strip())
        deadline_s = time.monotonic() + START_WITHIN_S
        while not front.answers and time.monotonic() < deadline_s:
            time.sleep(0.2)
        assert front.answers, podman("logs", NAME).stderr
        yield front
    finally:
        podman("rm", "--force", "--time", "2", NAME)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The component's files and a certificate, as a projected volume has them."""
    volume = tmp_path / "site"
    shutil.copytree(DAEMONSET / "components/front/site", volume / "..1")
    _certify(volume / "..1")
    (volume / "..data").symlink_to("..1")
    for each in (volume / "..1").iterdir():
        (volume / each.name).symlink_to(f"..data/{each.name}")
    return volume


def _certify(directory: Path) -> None:
    files = write_certificate(directory)
    for file in files:
        os.chown(file, 0, NOBODY)
        file.chmod(0o440)


def test_front_serves_as_nobody_on_a_read_only_root(image: str, site: Path) -> None:
    with started(image, site) as front:
        processes = podman("top", NAME, "huser", "args").stdout.splitlines()[1:]
        assert {line.split()[0] for line in processes} == {str(NOBODY)}
        assert sum("worker process" in line for line in processes) == 2  # not one for each core
        assert front.get("/watch/table") == "2 502"  # there is no gateway
        assert front.get("/metrics") == "2 404"


def test_renewed_certificate_counts_without_a_reload(image: str, site: Path) -> None:
    with started(image, site) as front:
        before = front.certificate()
        shutil.copytree(site / "..1", site / "..2")
        for name in ("certificate.pem", "key.pem"):
            (site / "..2" / name).unlink()
        _certify(site / "..2")
        (site / "..new").symlink_to("..2")
        (site / "..new").rename(site / "..data")
        assert front.certificate() != before


def test_image_is_refused_where_workers_are_said_elsewhere(image: str, tmp_path: Path) -> None:
    """Or it would go on with one worker for each core of its node."""
    tree = tmp_path / "daemonset"
    for name in ("front", "image"):
        shutil.copytree(DAEMONSET / name, tree / name)
    main = tree / "front/main.conf"
    main.write_text(main.read_text().replace("worker_processes auto;", "worker_processes 4;"))
    file = str(tree / "front/Dockerfile")
    build = podman(
        *("build", "--isolation", "chroot", "--pull=never", "--file", file, str(tree)), limit_s=BUILD_LIMIT_S
    )
    assert build.returncode != 0
