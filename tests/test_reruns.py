"""Tests that run once more: some in a pytest of their own, with the hooks and the plugins of this project."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reruns import Kept, is_rerun

ROOT = Path(__file__).parent.parent
HANG_S = 60
TESTS = f"""
import itertools
import time

import pytest

from tests.reruns import Kept


@pytest.fixture(scope="module")
def recordings():
    return Kept(itertools.count(1).__next__)


@pytest.fixture
def recording(recordings, request):
    return recordings.of(request.node)


def test_first_recording_is_kept(recording):
    assert recording == 1


def test_rerun_has_another(recording):
    assert recording == 2


def test_newest_recording_is_kept(recording):
    assert recording == 2


@pytest.mark.timeout(2)
def test_rerun_hangs(request):
    assert request.node.execution_count == 2
    time.sleep({HANG_S})
"""


def _told(directory: Path) -> str:
    """What pytest says of TESTS."""
    (directory / "pytest.ini").write_text("[pytest]\n")
    (directory / "test_made.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--reruns", "1", "-rA"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr


def test_rerun_makes_anew_what_was_kept_and_is_ended_by_its_timeout(tmp_path: Path) -> None:
    told = _told(tmp_path)
    assert "Timeout (>2.0s) from pytest-timeout." in told
    assert "1 failed, 3 passed, 2 rerun in" in told


def _once_more(item: pytest.Item, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item, "execution_count", 2, raising=False)


def test_first_try_is_no_rerun(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_rerun(request.node)
    _once_more(request.node, monkeypatch)
    assert is_rerun(request.node)


def test_what_could_not_be_made_is_tried_again_only_in_a_rerun(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def make() -> str:
        tries.append("a try")
        if len(tries) < 3:
            raise OSError("no port is free")
        return "made"

    kept = Kept(make)
    with pytest.raises(OSError, match="no port"):
        kept.of(request.node)
    with pytest.raises(AssertionError, match="could not be made"):
        kept.of(request.node)
    assert len(tries) == 1
    _once_more(request.node, monkeypatch)
    with pytest.raises(OSError, match="no port"):
        kept.of(request.node)
    assert kept.of(request.node) == "made"
