"""The command line, end to end: files, exit status and what is said, in a namespace with real knobs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.node.result import parse_result
from node_tuner import watch
from node_tuner.__main__ import main
from node_tuner.errors import StateError
from node_tuner.machine.namespace import NAMESPACE_FILE
from node_tuner.state.lock import lock
from node_tuner.state.record import Record
from node_tuner.state.store import Store
from tests.node_tuner.host_sysctls import kept
from tests.node_tuner.media_profile import write_profile
from tests.node_tuner.namespaces import LINK
from tests.node_tuner.shell import Shell, boot_id, shell_in

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


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with shell_in(tmp_path) as made:
        yield made


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
    assert (result.overall.value, result.is_failed, result.boot_id) == ("tuned", False, boot_id())
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


def test_apply_that_cannot_record_what_it_puts_back_fails_and_says_so(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(store: Store, _record: Record) -> None:
        raise StateError(f"{store.path}: No space left on device")

    shell.tuner("apply")
    monkeypatch.setattr(Store, "save", full)
    applied = shell.tuner("apply", "--json", profile=write_profile(shell.directory, mechanism="none"))
    assert (applied.status, applied.json["overall"], applied.json["put_back"]) == (1, "degraded", [])
    (row,) = [knob for knob in applied.json["knobs"] if knob["name"] == "dscp.nft.unwanted"]
    assert (row["state"], row["note"]) == ("failed", f"{shell.state}: No space left on device")
    assert shell.states()["dscp.nft.unwanted"] == "failed"


@pytest.mark.parametrize("command", ["apply", "verify", "restore"])
def test_dry_run_writes_nothing(shell: Shell, command: str) -> None:
    before = shell.look()
    shell.tuner(command, "--dry-run")
    assert (shell.look(), sorted(path.name for path in shell.directory.iterdir())) == (before, ["namespace.yml"])


def test_verify_while_a_tuner_is_at_work_leaves_the_result(shell: Shell) -> None:
    shell.tuner("apply")
    before = shell.result.read_bytes()

    def verify_beside_a_tuner(*options: str) -> tuple[int, str]:
        profile = str(write_profile(shell.directory))
        with lock(shell.state, NAMESPACE_FILE):
            done = CliRunner().invoke(main, ["verify", "--profile", profile, *shell.files, *options])
        return done.exit_code, done.stderr

    assert shell.namespace.call(verify_beside_a_tuner) == (
        1,
        "Error: another tuner is at work in this network namespace\n",
    )
    assert shell.result.read_bytes() == before
    assert shell.namespace.call(partial(verify_beside_a_tuner, "--dry-run")) == (0, "")


def test_dry_run_of_restore_leaves_all_as_it_is(shell: Shell) -> None:
    shell.tuner("apply")
    during = shell.look()
    restored = shell.tuner("restore", "--dry-run")
    assert (restored.status, restored.out.splitlines()[-1]) == (0, "restore would come to: 9 put back.")
    assert (shell.look(), shell.state.exists(), shell.result.exists()) == (during, True, True)


def test_root_with_net_admin_alone_is_enough_for_all_but_ebpf(shell: Shell) -> None:
    before = shell.look()
    applied = shell.tuner("apply", "--strict", user=0, capabilities=["CAP_NET_ADMIN"])
    assert (applied.status, applied.err) == (0, "")
    assert shell.tuner("restore", user=0, capabilities=["CAP_NET_ADMIN"]).status == 0
    assert shell.look() == before
    profile = write_profile(shell.directory, mechanism="bpf")
    refused = shell.tuner("apply", profile=profile, user=0, capabilities=["CAP_NET_ADMIN"])
    assert refused.status == 1
    assert refused.err.startswith("This process needs CAP_BPF")
    assert refused.err.endswith("dscp.bpf\n")
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


def test_watch_goes_on_with_a_profile_that_was_applied(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def three_turns(verify: Any, write: Any, *_: Any, **_options: Any) -> None:
        write(verify())
        write_profile(shell.directory, udp_rmem_min=16384)
        write(verify())
        assert shell.states()["net.ipv4.udp_rmem_min"] == "tuned", "it was edited, not applied"
        done = CliRunner().invoke(main, ["apply", "--profile", str(profile), *shell.files], catch_exceptions=False)
        assert done.exit_code == 0
        write(verify())

    profile = write_profile(shell.directory)
    shell.tuner("apply", profile=profile)
    monkeypatch.setattr(watch, "run", three_turns)
    assert shell.tuner("watch", profile=profile).status == 0
    document = json.loads(shell.result.read_text())
    (knob,) = [knob for knob in document["knobs"] if knob["name"] == "net.ipv4.udp_rmem_min"]
    assert (document["command"], knob["state"], knob["wanted"]) == ("watch", "tuned", "at least 16384")


def test_watch_that_is_dry_writes_no_result(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_turn(verify: Any, write: Any, *_: Any, **_options: Any) -> None:
        write(verify())

    monkeypatch.setattr(watch, "run", one_turn)
    assert shell.tuner("watch", "--dry-run").status == 0
    assert not shell.result.exists()
    assert shell.tuner("watch").status == 0
    assert json.loads(shell.result.read_text())["command"] == "watch"


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


def test_restore_that_is_sent_away_leaves_the_result(shell: Shell) -> None:
    shell.tuner("apply")
    record = json.loads(shell.state.read_text())
    shell.state.write_text(json.dumps({**record, "namespace": "another"}))
    refused = shell.tuner("restore")
    assert (refused.status, shell.result.exists()) == (1, True)
    shell.state.write_text(json.dumps(record))
    shell.tuner("restore")
    assert not shell.result.exists()


def test_result_that_could_not_be_written_is_found_out_before_anything_is_changed(shell: Shell) -> None:
    before = shell.look()
    refused = shell.tuner("apply", "--result", "/proc/nowhere/node.json")
    assert (refused.status, shell.look(), shell.state.exists()) == (1, before, False)
    assert refused.err.endswith("Nothing was changed.\n")


def test_apply_has_no_result_while_it_changes_the_node(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.tuner("apply")
    inode = shell.result.stat().st_ino

    def end(*_arguments: object) -> None:
        raise SystemExit(9)

    monkeypatch.setattr("node_tuner.result.Result.write", end)
    assert shell.tuner("apply").status == 9
    assert shell.result.stat().st_ino == inode, "nothing was to be changed"
    shell.tuner("apply", profile=write_profile(shell.directory, udp_rmem_min=16384))
    assert not shell.result.exists()


def test_lacking_privilege_names_the_knobs_that_cannot_even_be_read(shell: Shell) -> None:
    options = ["--interface", LINK, "--state", "/nowhere/node-state.json"]
    refused = shell.tuner("plan", *options, profile="media-edge", user=65532)
    assert refused.status == 1, refused.err
    (line,) = [line for line in refused.err.splitlines() if line.startswith("This process needs CAP_NET_ADMIN: ")]
    assert {"conntrack.bypass", "dscp.nft"} <= set(line.split(": ", 1)[1].split(", "))


def test_port_that_somebody_reserved_since_stays_reserved_and_ours_do_not(shell: Shell) -> None:
    name = "net/ipv4/ip_local_reserved_ports"
    shell.tuner("apply")
    _set(shell, name, "8189,9000-9010,30000")
    assert shell.tuner("verify", "--strict").status == 0
    restored = shell.tuner("restore")
    assert restored.out.splitlines()[-1] == "9 put back; nothing is left on record."
    assert shell.namespace.call(Path("/proc/sys", name).read_text) == "30000\n"
