"""What the command line refuses: by one line, an exit status, and nothing changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.node.result import parse_result
from node_tuner.state.lock import lock
from node_tuner.state.record import Record
from node_tuner.state.store import Store
from tests.node_tuner.media_profile import write_profile
from tests.node_tuner.privileges import NOBODY
from tests.node_tuner.shell import Shell, boot_id, shell_in

pytestmark = [pytest.mark.netns, pytest.mark.nft]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with shell_in(tmp_path) as made:
        yield made


def test_required_knob_that_cannot_be_had_refuses_all_and_says_so_in_the_result(shell: Shell) -> None:
    before = shell.look()
    profile = write_profile(shell.directory, rmem_max=1 << 30, rmem_max_required=True)
    planned = shell.tuner("plan", profile=profile)
    assert planned.status == 1
    applied = shell.tuner("apply", profile=profile)
    assert applied.status == 1
    assert applied.out.splitlines()[-1].startswith(
        "Nothing was changed, because it is required and cannot be had: net.core.rmem_max (not the host's network"
    )
    assert (shell.look(), shell.state.exists()) == (before, False)
    result = parse_result(shell.result.read_bytes())
    assert result.is_failed
    assert "net.core.rmem_max" in [knob.name for knob in result.failures]


@pytest.mark.parametrize("command", ["plan", "apply", "verify", "watch"])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--profile", "/nowhere.yml"], "/nowhere.yml: there is no such file"),
        (["--interface", "nothing0"], "nothing0"),
        (["--interface", "192.0.2.77"], "192.0.2.77"),
        (["--proc", "/nowhere"], "/nowhere"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_what_is_refused_changes_nothing_and_is_status_2(
    shell: Shell, command: str, options: list[str], sentence: str
) -> None:
    refused = shell.tuner(command, *options)
    assert (refused.status, refused.out) == (2, "")
    assert sentence in refused.err
    assert "Traceback" not in refused.err
    assert not shell.state.parent.exists()


@pytest.mark.parametrize("command", ["apply", "verify", "restore"])
def test_result_that_is_a_device_is_refused_and_left(shell: Shell, command: str) -> None:
    shell.tuner("apply", profile=write_profile(shell.directory))
    device = shell.directory / "null"
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    refused = shell.tuner(command, "--result", str(device), profile=write_profile(shell.directory))
    assert refused.status == 1
    assert f"{device}: the result c" in refused.err
    assert "it is no file" in refused.err
    assert stat.S_ISCHR(device.lstat().st_mode)


def test_typo_in_a_profile_is_refused_by_its_line(shell: Shell) -> None:
    profile = write_profile(shell.directory)
    profile.write_text(profile.read_text().replace("udp_rmem_min", "udp_rmem_mim"))
    refused = shell.tuner("apply", profile=profile)
    assert refused.status == 2
    assert f"{profile}:8: " in refused.err
    assert not shell.state.exists()


def test_spoilt_record_is_one_line_and_status_1(shell: Shell) -> None:
    shell.state.parent.mkdir()
    shell.state.write_text("{")
    before = shell.look()
    for command in ("plan", "apply", "verify", "restore"):
        refused = shell.tuner(command)
        assert (refused.status, len(refused.err.splitlines())) == (1, 1), refused.err
        assert "cannot be relied on" in refused.err
    assert (shell.look(), shell.state.read_text()) == (before, "{")


def test_record_of_another_namespace_is_refused(shell: Shell) -> None:
    Store(shell.state).save(Record(boot_id(), "cookie-0"))
    refused = shell.tuner("apply")
    assert (refused.status, "another network namespace" in refused.err) == (1, True)


@pytest.mark.parametrize("command", ["apply", "restore"])
def test_second_tuner_is_sent_away(shell: Shell, command: str) -> None:
    with lock(shell.state):
        refused = shell.tuner(command)
    assert refused.status == 1
    assert f"another tuner is at work: process {os.getpid()}" in refused.err


def test_unwritable_result_is_an_error(shell: Shell) -> None:
    shell.result.parent.write_text("no directory")
    refused = shell.tuner("verify")
    assert (refused.status, refused.out) == (1, "")
    assert f"{shell.result}: the result cannot be written: " in refused.err


def test_privileges_that_lack_are_said_once_and_nothing_is_changed(shell: Shell) -> None:
    before = shell.look()
    shell.directory.chmod(0o777)
    write_profile(shell.directory)
    for parent in shell.directory.parents:
        if parent.owner() == "root" and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    applied = shell.tuner("apply", user=NOBODY)
    assert applied.status == 1
    lines = [line for line in applied.err.splitlines() if "CAP_NET_ADMIN:" in line]
    assert len(lines) == 1
    assert "net.ipv4.udp_rmem_min" in lines[0]
    assert (shell.look(), shell.state.exists()) == (before, False)
