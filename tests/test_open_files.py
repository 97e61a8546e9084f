"""The limit of open files."""

import resource
import subprocess
import sys

import pytest
import structlog

from gateway import open_files

SAID = """
import resource, structlog
from gateway.open_files import allow_all
with structlog.testing.capture_logs() as logs:
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
    allow_all()
    allow_all()
print([entry["event"] for entry in logs], resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_soft_limit_becomes_the_hard_one_and_is_told_once() -> None:
    """In a process of its own: a hard limit cannot be raised again."""
    done = subprocess.run([sys.executable, "-c", SAID], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "['open files allowed'] (200, 200)\n"


def test_limit_that_the_kernel_does_not_grant_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_what: int, _limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _what: (1024, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    with structlog.testing.capture_logs() as logs:
        open_files.allow_all()
    assert [(entry["event"], entry["log_level"], entry["limit"]) for entry in logs] == [
        ("open files stay limited", "warning", 1024)
    ]
