"""build.sh: what it refuses before any engine is asked."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.image.podman import ROOT

ENGINE = """#!/bin/sh
if [ "$1" = images ]; then case "$*" in *label=*) echo "$MADE" ;; esac; exit; fi
printf "%s\\n" "$@" >>"$ENGINE.log"
"""
"""Says of an image that it is there with the same inputs, where MADE names one."""

PINNED = f"docker.io/library/debian:bookworm-slim@sha256:{'0' * 64}"


def build(root: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """With an engine that says what it was called with."""
    engine = root / "engine"
    engine.write_text(ENGINE)
    engine.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "ENGINE": str(engine), "ISOLATION": "chroot", "IMAGE": "tried:1"}
    return subprocess.run(
        ["sh", str(root / "daemonset/image/build.sh")],
        env=environment | settings,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A clean work tree with the script in it, and a commit."""
    script = tmp_path / "daemonset/image/build.sh"
    script.parent.mkdir(parents=True)
    script.write_text((ROOT / "daemonset/image/build.sh").read_text())
    (tmp_path / ".dockerignore").write_text("*\n!gateway\n")
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway/app.py").write_text("1\n")
    (tmp_path / ".gitignore").write_text("engine*\n*.conf\n")
    who = ["-c", "user.name=n", "-c", "user.email=e@example"]
    for command in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True, timeout=30)
    return tmp_path


def called_with(root: Path) -> list[str]:
    log = root / "engine.log"
    return log.read_text().splitlines() if log.exists() else []


def test_release_without_a_digest_is_refused(root: Path) -> None:
    ended = build(root, RELEASE="1", BASE_IMAGE="docker.io/library/debian:bookworm-slim")
    assert ended.returncode == 1
    assert "RELEASE wants a base that cannot change" in ended.stderr
    assert called_with(root) == []


def test_release_with_changes_that_are_not_committed_is_refused(root: Path) -> None:
    (root / "more").touch()
    ended = build(root, RELEASE="1", BASE_IMAGE=PINNED)
    assert ended.returncode == 1
    assert "clean work tree" in ended.stderr
    assert called_with(root) == []


def test_release_with_a_digest_is_built_of_it(root: Path) -> None:
    ended = build(root, RELEASE="1", BASE_IMAGE=PINNED)
    assert ended.returncode == 0, ended.stderr
    assert f"BASE_IMAGE={PINNED}" in called_with(root)
    assert {"--no-cache", "--timestamp"} <= set(called_with(root))


def test_labels_say_which_commit_it_is_of(root: Path) -> None:
    head = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert build(root, BASE_IMAGE=PINNED).returncode == 0
    assert f"org.opencontainers.image.revision={head.stdout.strip()}" in called_with(root)


def test_labels_say_that_there_were_changes(root: Path) -> None:
    (root / "more").touch()
    assert build(root, BASE_IMAGE=PINNED).returncode == 0
    assert any(word.endswith("-dirty") for word in called_with(root))


def test_only_secrets_that_are_files_are_handed_over(root: Path, tmp_path: Path) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\n")
    assert build(root, BASE_IMAGE=PINNED, PIP_CONF=str(settings), CA_BUNDLE="/nowhere", NPMRC="").returncode == 0
    assert [word for word in called_with(root) if word.startswith("id=")] == [f"id=pip,src={settings}"]


def test_platform_is_handed_over_and_its_base_is_pulled(root: Path) -> None:
    """Whatever base of that name is in the store."""
    assert build(root, BASE_IMAGE=PINNED, PLATFORM="linux/arm64").returncode == 0
    words = called_with(root)
    assert words[words.index("--platform") + 1] == "linux/arm64"
    assert "--pull=always" in words


def test_platform_is_the_machines_own_where_none_is_named(root: Path) -> None:
    assert build(root, BASE_IMAGE=PINNED, PLATFORM="").returncode == 0
    assert "--platform" not in called_with(root)
    assert "--pull=missing" in called_with(root)


def inputs(root: Path, **settings: str) -> str:
    assert build(root, BASE_IMAGE=PINNED, **settings).returncode == 0
    return next(word for word in reversed(called_with(root)) if word.startswith("io.railbird.inputs="))


def test_nothing_is_built_where_nothing_changed(root: Path) -> None:
    assert build(root, BASE_IMAGE=PINNED, MADE="f7fe632c9785").returncode == 0
    assert "build" not in called_with(root)


@pytest.mark.parametrize("insisting", ["NO_CACHE", "RELEASE"])
def test_all_is_built_where_that_is_asked_for(root: Path, insisting: str) -> None:
    assert build(root, BASE_IMAGE=PINNED, MADE="f7fe632c9785", **{insisting: "1"}).returncode == 0
    assert {"build", "--no-cache"} <= set(called_with(root))


def test_changed_source_is_another_input(root: Path) -> None:
    before = inputs(root)
    assert inputs(root) == before
    (root / "gateway/app.py").write_text("2\n")
    assert inputs(root) != before


def test_new_source_is_another_input(root: Path) -> None:
    (root / "gateway/app.py").write_text("2\n")
    before = inputs(root)
    (root / "gateway/new.py").touch()
    assert inputs(root) != before


def test_platform_is_another_input(root: Path) -> None:
    assert inputs(root, PLATFORM="") == inputs(root)
    assert inputs(root, PLATFORM="linux/arm64") != inputs(root)
