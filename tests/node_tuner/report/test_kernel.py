"""Kernel and namespace."""

import platform
from pathlib import Path

import pytest

from node_tuner.machine.roots import Roots
from node_tuner.report.kernel import kernel


@pytest.mark.parametrize(("is_host", "words"), [(True, "the host's"), (False, "another")])
def test_kernel_tells_the_hosts_namespace(tmp_path: Path, is_host: bool, words: str) -> None:
    core = tmp_path / "sys/net/core"
    core.mkdir(parents=True)
    if is_host:
        (core / "netdev_max_backlog").touch()
    (section,) = kernel(Roots(proc=tmp_path))
    found = {each.name: each for each in section.findings}
    assert found["network namespace"].value == words
    assert bool(found["network namespace"].note) is not is_host
    assert found["release"].value == platform.release()
