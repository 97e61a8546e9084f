"""What holds for every test: one marked with a need that this machine lacks says so, and is not silently green."""

import gc
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import pytest

from tests.daemonset import models, rendering
from tests.reruns import is_rerun

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
NGINX_LUA = Path("/usr/lib/nginx/modules/ngx_http_lua_module.so")
SEARCHED = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
"""Debian keeps servers where an account that is not root does not look."""

_TIMEOUT = pytest.StashKey[object]()
"""Of a test, as pytest-timeout read it from its marker and the configuration."""


@cache
def chromium_path() -> str | None:
    """Absolute path of the installed Chromium, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def lacking_browser() -> str | None:
    return None if chromium_path() else "no Chromium is installed (make browser)"


@cache
def lacking_netns() -> str | None:
    if not shutil.which("ip") or not shutil.which("unshare"):
        return "no network namespaces: ip(8) or unshare(1) is missing"
    attempt = subprocess.run(["unshare", "--net", "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    return "no network namespaces: the kernel refuses one to this account" if attempt.returncode else None


def lacking_nft() -> str | None:
    return None if shutil.which("nft", path=SEARCHED) else "no nft is installed (make nftables)"


def lacking_nginx() -> str | None:
    missing = [command for command in ("nginx", "curl") if not shutil.which(command, path=SEARCHED)]
    if not NGINX_LUA.exists():
        missing.append(NGINX_LUA.name)
    return f"no {', '.join(missing)} is installed (make nginx)" if missing else None


def lacking_podman() -> str | None:
    commands = ("podman", "buildah", "runc", "mmdebstrap")
    missing = [command for command in commands if not shutil.which(command, path=SEARCHED)]
    return f"no {', '.join(missing)} is installed (make podman)" if missing else None


def lacking_promtool() -> str | None:
    return None if shutil.which("promtool") else "no promtool is installed (make promtool)"


def lacking_kubectl() -> str | None:
    return None if rendering.command() else "neither kubectl from 1.27 on nor kustomize 5 is installed (make kubectl)"


# Marker -> (why this machine cannot run such a test or None, whether that is an error where CI=true).
NEEDS: dict[str, tuple[Callable[[], str | None], bool]] = {
    "browser": (lacking_browser, True),
    "crds": (models.lacking, True),
    "kubectl": (lacking_kubectl, True),
    "netns": (lacking_netns, True),
    "nft": (lacking_nft, True),
    "nginx": (lacking_nginx, True),
    "podman": (lacking_podman, True),
    "promtool": (lacking_promtool, True),
}


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """A worker's count of tries does not wait 40 ms a test for an acknowledgement, which is minutes of a run."""
    counts = getattr(getattr(config, "failures_db", None), "sock", None)
    if counts is not None:
        counts.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def pytest_collection_finish() -> None:
    """No full collection of all tests, 0.4 s each, in which peers of this process stand still."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: object) -> None:
    """Keep the settings; None leaves the timer to pytest-timeout."""
    item.stash[_TIMEOUT] = settings


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _limit_rerun(item)
    for reason, is_error in _lacks(item):
        if is_error and os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def _limit_rerun(item: pytest.Item) -> None:
    """pytest-timeout stops its timer when a test fails and sets it once a test, within which pytest-rerunfailures runs
    that once more: nothing else would end a second try that hangs."""
    if is_rerun(item) and _TIMEOUT in item.stash:
        item.config.hook.pytest_timeout_set_timer(item=item, settings=item.stash[_TIMEOUT])


def _lacks(item: pytest.Item) -> Iterable[tuple[str, bool]]:
    for marker, (lacking, is_error_in_ci) in NEEDS.items():
        if item.get_closest_marker(marker) and (reason := lacking()):
            yield reason, is_error_in_ci


@pytest.fixture(scope="session")
def chromium_executable() -> str:
    """Path of Chromium, for playwright's `executable_path`; a test that asks for it is also marked `browser`."""
    path = chromium_path()
    assert path is not None, "mark this test with pytest.mark.browser"
    return path
