"""The command line, end to end: files, exit status and what is said, in a namespace with real knobs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.node.result import parse_result
from node_tuner.__main__ import main
from node_tuner.state.lock import lock
from node_tuner.state.record import Record
from node_tuner.state.store import Store
from tests.node_tuner.host_sysctls import kept
from tests.node_tuner.media_profile import write_profile
from tests.node_tuner.namespaces import LINK, Namespace, pair
from tests.node_tuner.privileges import NOBODY, become
from tests.node_tuner.snapshot import Snapshot, snapshot

pytestmark = [pytest.mark.netns, pytest.mark.nft]

_PATIENCE_S = 60
_CHANGED = [
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.udp_rmem_min",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_wmem",
    "nic.offloads",
    "queues.rps",
    "qdisc",
    "conntrack.bypass",
    "dscp.nft",
]


@dataclass(frozen=True)
class Said:
    """What became of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass(frozen=True)
class Shell:
    """In a namespace with a media interface; each command is a process of its own."""

    namespace: Namespace
    index: int
    directory: Path

    @property
    def state(self) -> Path:
        return self.directory / "lib" / "node-state.json"

    @property
    def result(self) -> Path:
        return self.directory / "run" / "node.json"

    @property
    def files(self) -> list[str]:
        return ["--state", str(self.state), "--result", str(self.result)]

    def tuner(self, command: str, *options: str, profile: Path | str | None = None, user: int | None = None) -> Said:
        """Of the ordinary profile where none is named; without any privilege where there is a `user`."""
        arguments = [command, "--profile", str(profile or write_profile(self.directory)), *self.files, *options]

        def run() -> Said:
            if user is not None:
                become(user)
            done = CliRunner().invoke(main, arguments, catch_exceptions=False)
            return Said(done.exit_code, done.stdout, done.stderr)

        return self.namespace.call(run)

    def look(self) -> Snapshot:
        return self.namespace.call(lambda: snapshot(self.index))

    def states(self) -> dict[str, str]:
        """Of the result file."""
        return {knob["name"]: knob["state"] for knob in json.loads(self.result.read_text())["knobs"]}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with pair() as joined:
        namespace = joined.near.namespace
        yield Shell(namespace, namespace.call(lambda: socket.if_nametoindex(LINK)), tmp_path)


def test_plan_says_what_would_change_and_changes_nothing(shell: Shell) -> None:
    before = shell.look()
    planned = shell.tuner("plan", "--json")
    assert (planned.status, planned.err) == (0, "")
    steps = planned.json["steps"]
    assert [step["name"] for step in steps if step["action"] == "change"] == _CHANGED
    assert steps[1] == {
        "name": "net.ipv4.udp_rmem_min",
        "kind": "sysctl",
        "required": False,
        "action": "change",
        "found": "4096",
        "target": "8192",
        "wanted": "at least 8192",
        "why": "memory",
        "source": "test",
        "note": "",
    }
    assert (shell.look(), shell.state.exists(), shell.result.exists()) == (before, False, False)


def test_plan_for_people_ends_with_a_sentence(shell: Shell) -> None:
    planned = shell.tuner("plan")
    assert planned.out.splitlines()[-1] == "1 as wanted already, 9 to be changed."


def test_apply_verify_restore(shell: Shell) -> None:
    before = shell.look()
    applied = shell.tuner("apply", "--json", "--strict")
    assert (applied.status, applied.err, applied.json["changed"]) == (0, "", _CHANGED)
    result = parse_result(shell.result.read_bytes())
    assert (result.overall.value, result.is_failed, result.boot_id) == ("tuned", False, _boot_id())
    again = shell.tuner("apply", "--json")
    assert (again.status, again.json["changed"], again.json["overall"]) == (0, [], "tuned")
    verified = shell.tuner("verify", "--strict")
    assert verified.status == 0
    assert verified.out.splitlines()[-1] == "The node is tuned: 10 as wanted."
    assert json.loads(shell.result.read_text())["command"] == "verify"
    restored = shell.tuner("restore")
    assert restored.status == 0
    assert restored.out.splitlines()[-1] == "9 put back; nothing is left on record."
    assert (shell.look(), shell.state.exists(), shell.result.exists()) == (before, False, False)


def test_restore_needs_neither_profile_nor_interface(shell: Shell) -> None:
    shell.tuner("apply")
    shell.namespace.run("ip", "link", "delete", LINK)
    restored = shell.tuner("restore", "--json", profile="/nowhere.yml")
    assert restored.status == 0
    fates = {entry["name"]: entry["fate"] for entry in restored.json["entries"]}
    assert {name: fate for name, fate in fates.items() if fate != "put back"} == {
        "nic.offloads": "gone",
        "queues.rps": "gone",
        "qdisc": "gone",
    }
    assert shell.namespace.run("nft", "list", "ruleset") == ""


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


def test_optional_knob_that_cannot_be_had_degrades(shell: Shell) -> None:
    profile = write_profile(shell.directory, rmem_max=1 << 30)
    assert shell.tuner("apply", profile=profile).status == 0
    assert shell.states()["net.core.rmem_max"] == "skipped"
    assert shell.tuner("apply", "--strict", profile=profile).status == 1
    assert shell.tuner("verify", "--strict", profile=profile).status == 1


def test_stranger_s_change_is_said_left_and_taken_over(shell: Shell) -> None:
    shell.tuner("apply")
    _set(shell, "net/ipv4/tcp_notsent_lowat", "4711")
    for command in ("verify", "apply"):
        assert shell.tuner(command).status == 0
        assert shell.states()["net.ipv4.tcp_notsent_lowat"] == "foreign"
        assert shell.tuner(command, "--strict").status == 1
    assert shell.tuner("restore", "--dry-run", "--json").json["entries"][-3]["fate"] == "foreign"
    assert shell.tuner("apply", "--take-over", "--strict").status == 0
    shell.tuner("restore")
    assert shell.namespace.call(Path("/proc/sys/net/ipv4/tcp_notsent_lowat").read_text) == "4711\n"


def test_another_profile_puts_back_what_it_does_not_want(shell: Shell) -> None:
    before = shell.look()
    shell.tuner("apply")
    applied = shell.tuner(
        "apply", "--json", profile=write_profile(shell.directory, mechanism="bpf", udp_rmem_min=16384)
    )
    assert (applied.status, applied.json["put_back"]) == (0, ["dscp.nft"])
    assert applied.json["changed"] == ["net.ipv4.udp_rmem_min", "dscp.clsact", "dscp.bpf"]
    assert "railbird_dscp" not in shell.look()["nft"]
    shell.tuner("restore")
    assert shell.look() == before


@pytest.mark.parametrize("command", ["apply", "verify", "restore"])
def test_dry_run_writes_nothing(shell: Shell, command: str) -> None:
    before = shell.look()
    shell.tuner(command, "--dry-run")
    assert (shell.look(), sorted(path.name for path in shell.directory.iterdir())) == (before, ["namespace.yml"])


def test_dry_run_of_restore_leaves_all_as_it_is(shell: Shell) -> None:
    shell.tuner("apply")
    during = shell.look()
    restored = shell.tuner("restore", "--dry-run")
    assert (restored.status, restored.out.splitlines()[-1]) == (0, "restore would come to: 9 put back.")
    assert (shell.look(), shell.state.exists(), shell.result.exists()) == (during, True, True)


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
    Store(shell.state).save(Record(_boot_id(), "cookie-0"))
    refused = shell.tuner("apply")
    assert (refused.status, "another network namespace" in refused.err) == (1, True)


@pytest.mark.parametrize("command", ["apply", "restore"])
def test_second_tuner_is_sent_away(shell: Shell, command: str) -> None:
    with lock(shell.state):
        refused = shell.tuner(command)
    assert refused.status == 1
    assert f"another tuner is at work: process {os.getpid()}" in refused.err


def test_unwritable_result_is_an_error_after_the_deed(shell: Shell) -> None:
    shell.result.parent.write_text("no directory")
    refused = shell.tuner("apply")
    assert (refused.status, refused.out) == (1, "")
    assert f"{shell.result}: the result cannot be written: " in refused.err
    assert shell.tuner("restore", "--json").json["entries"] != []


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


def test_settings_of_the_whole_host_are_applied_and_put_back(tmp_path: Path) -> None:
    names = ("net.core.rmem_max", "net.core.wmem_max", "net.core.netdev_max_backlog", "net.core.optmem_max")
    profile = tmp_path / "host.yml"
    lines = "".join(f"  {name}: {{at_least: 99999999, required: true, why: w, source: s}}\n" for name in names)
    profile.write_text(f"schema: 1\nname: host\ninterface: {{name: lo}}\nmedia_ports: 8189\nsysctls:\n{lines}")
    paths = [Path("/proc/sys", *name.split(".")) for name in names]
    options = ["--profile", str(profile), "--state", str(tmp_path / "state"), "--result", str(tmp_path / "result")]
    with kept(*names):
        originals = [path.read_text() for path in paths]
        applied = CliRunner().invoke(main, ["apply", *options], catch_exceptions=False)
        during = [path.read_text() for path in paths]
        restored = CliRunner().invoke(main, ["restore", *options], catch_exceptions=False)
        assert (applied.exit_code, restored.exit_code) == (0, 0), applied.output
        assert during == ["99999999\n"] * 4
        assert [path.read_text() for path in paths] == originals


def test_address_chooses_the_interface(shell: Shell) -> None:
    assert shell.tuner("plan", "--json", "--interface", "fd00:199::1").json["interface"] == LINK


def test_report_says_what_this_kernel_allows(shell: Shell) -> None:
    reported = shell.tuner("report", "--json")
    assert reported.status == 0
    assert "privileges" in reported.json["sections"]
    assert "CAP_NET_ADMIN" in shell.tuner("report").out


def test_watch_keeps_the_result_fresh_until_it_is_ended(shell: Shell) -> None:
    profile = write_profile(shell.directory)
    options = ["--profile", str(profile), *shell.files, "--every", "1", "--listen", "127.0.0.1:0"]
    process = shell.namespace.start(sys.executable, "-m", "node_tuner", "watch", *options)
    try:
        _wait_for(shell, "failed")
        assert shell.tuner("apply", profile=profile).status == 0
        shell.result.unlink()
        _wait_for(shell, "tuned")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=_PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, "Traceback" in said) == (0, False)


def test_module_is_a_command(shell: Shell) -> None:
    profile = write_profile(shell.directory)
    command = (sys.executable, "-m", "node_tuner")
    applied = shell.namespace.run(*command, "apply", "--profile", str(profile), *shell.files)
    assert applied.splitlines()[-1] == "The node is tuned: 10 as wanted."
    help_text = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(name in help_text for name in ("plan", "apply", "verify", "restore", "watch", "report"))


def _wait_for(shell: Shell, overall: str) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        if shell.result.exists():
            document = json.loads(shell.result.read_text())
            if (document["command"], document["overall"]) == ("watch", overall):
                return
        time.sleep(0.05)
    raise AssertionError(f"no result of watch that is {overall} within {_PATIENCE_S} s")


def _set(shell: Shell, name: str, value: str) -> None:
    shell.namespace.run("tee", f"/proc/sys/{name}", stdin=value)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
