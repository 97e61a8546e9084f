"""podman as the image's build uses it, and the image: built by `make image` once for all tests of a run."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
IMAGE: Final = os.environ.get("IMAGE", "localhost/railbird:dev")
"""What `make image` makes, by the same variable."""

CONFINED: Final = (
    "--network=none",
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
)
"""As the gateway's container is confined, and without a network. By itself podman would mount a tmpfs at /tmp, /run
and /var/tmp."""

BUILD_LIMIT_S: Final = 900
"""With a cold store and on a busy machine; under two minutes where nothing else runs."""
LIMIT_S: Final = 60


def podman(*arguments: str, limit_s: float = LIMIT_S) -> subprocess.CompletedProcess[str]:
    """podman with the settings of the build, and with what it said."""
    environment = {"CONTAINERS_CONF": str(ROOT / "daemonset/image/containers.conf")} | os.environ
    return subprocess.run(
        ["podman", *arguments], env=environment, capture_output=True, text=True, timeout=limit_s, check=False
    )


def run(*command: str, image: str = IMAGE, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """A confined container of the image that runs `command`, to its end."""
    return podman("run", "--rm", *CONFINED, *options, image, *command)


@cache
def built_image() -> str:
    """The image's name, after `make image`, which is soon over where neither sources nor locks changed.

    With RAILBIRD_IMAGE_BUILT=1 whatever has the name is taken, as it is.
    """
    if os.environ.get("RAILBIRD_IMAGE_BUILT") != "1":
        with _alone():
            build = subprocess.run(
                ["make", "--no-print-directory", "image", f"IMAGE={IMAGE}"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=BUILD_LIMIT_S,
                check=False,
            )
        assert build.returncode == 0, f"make image: {build.stdout}{build.stderr}"
    return IMAGE


@contextmanager
def _alone() -> Iterator[None]:
    """Workers of one run, and runs beside one another, would build the same at the same time."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build/image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
