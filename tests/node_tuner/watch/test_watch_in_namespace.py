"""`python -m node_tuner watch` as a process in a namespace, beside somebody who changes the node."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from node_tuner.machine.namespace import NAMESPACE_FILE
from node_tuner.state.lock import lock
from tests.node_tuner.namespaces import LINK, Namespace, pair

pytestmark = pytest.mark.netns

SETTING = "net.ipv4.tcp_notsent_lowat"
PROFILE = f"""\
schema: 1
name: watched
interface: {{name: {LINK}}}
media_ports: "8189"
sysctls:
  {SETTING}:
    exactly: 131072
    required: true
    why: a test
    source: a test
  net.ipv4.tcp_slow_start_after_idle:
    exactly: 0
    required: false
    why: a test
    source: a test
"""
EVERY_S = 1.0
PORT = 9108
WITHIN_S = 30.0
"""Of anything that is waited for; a machine may be busy."""

Scrape = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Node:
    """A namespace that was tuned, and is watched."""

    namespace: Namespace
    process: "subprocess.Popen[str]"
    result: Path

    def scrape(self) -> Scrape:
        """/metrics now."""
        return self.namespace.call(_scrape)

    def overall(self) -> Any:
        """Of the result file."""
        return json.loads(self.result.read_text())["overall"]

    def end(self, number: signal.Signals) -> int:
        """Its exit status."""
        self.process.send_signal(number)
        return self.process.wait(WITHIN_S)


def _scrape() -> Scrape:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with pair() as both, _watched(both.near.namespace, tmp_path) as watched:
        yield watched


@contextmanager
def _watched(namespace: Namespace, directory: Path) -> Iterator[Node]:
    profile, result = directory / "profile.yml", directory / "run/node.json"
    profile.write_text(PROFILE)
    tuner = [sys.executable, "-m", "node_tuner"]
    options = ["--profile", str(profile), "--state", str(directory / "state.json"), "--result", str(result)]
    namespace.run(*tuner, "apply", *options)
    process = namespace.start(*tuner, "watch", *options, "--every", str(EVERY_S), "--listen", f"127.0.0.1:{PORT}")
    try:
        node = Node(namespace, process, result)
        _until(lambda: _is_up(node))
        yield node
    finally:
        process.kill()
        process.communicate()


def _is_up(node: Node) -> bool:
    assert node.process.poll() is None, node.process.communicate()
    try:
        return _done(node.scrape()) > 0
    except OSError:
        return False


def _until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline_s, f"not within {WITHIN_S:.0f} s"
        time.sleep(0.05)


def _done(scrape: Scrape) -> float:
    return scrape["railbird_tuner_verifications_total", "done"]


def _turns(node: Node, count: int) -> Scrape:
    """The scrape once it has verified so often from now on: of the first it may have read before now."""
    before = _done(node.scrape())
    _until(lambda: _done(node.scrape()) >= before + count)
    return node.scrape()


def _set(namespace: Namespace, value: int) -> None:
    namespace.run("tee", f"/proc/sys/{SETTING.replace('.', '/')}", stdin=str(value))


def test_watch_says_that_somebody_changed_a_setting(node: Node) -> None:
    assert node.overall() == "tuned"
    assert node.scrape()["railbird_tuner_overall", "tuned"] == 1
    _set(node.namespace, 4096)
    scraped = _turns(node, 2)
    assert scraped["railbird_tuner_knob", SETTING, "foreign"] == 1
    assert scraped["railbird_tuner_knob", SETTING, "tuned"] == 0
    assert scraped["railbird_tuner_overall", "failed"] == 1
    assert node.overall() == "failed"
    assert node.namespace.run("cat", f"/proc/sys/{SETTING.replace('.', '/')}") == "4096\n", "it changes nothing"
    _set(node.namespace, 131072)
    assert _turns(node, 2)["railbird_tuner_overall", "tuned"] == 1
    assert node.overall() == "tuned"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_ends_by_a_signal_with_status_0(node: Node, number: signal.Signals) -> None:
    assert node.end(number) == 0
    assert node.overall() == "tuned"


def test_watch_goes_on_without_a_directory_for_its_result(node: Node) -> None:
    aside = node.result.parent.with_name("aside")
    node.result.parent.rename(aside)
    node.result.parent.write_text("somebody's file")
    _until(lambda: node.scrape()["railbird_tuner_result_write_failures_total",] > 0)
    assert _turns(node, 2)["railbird_tuner_overall", "tuned"] == 1
    node.result.parent.unlink()
    _until(node.result.exists)
    assert node.overall() == "tuned"


def test_watch_whose_record_is_spoilt_says_failed_and_goes_on(node: Node, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    record = state.read_text()
    state.write_text("{")
    _until(lambda: node.scrape()["railbird_tuner_verifications_total", "broken_off"] > 0)
    _until(lambda: node.overall() == "failed")
    assert node.scrape()["railbird_tuner_overall", "failed"] == 1
    state.write_text(record)
    _until(lambda: node.overall() == "tuned")


def test_watch_writes_no_result_while_a_tuner_is_at_work(node: Node, tmp_path: Path) -> None:
    def tune() -> bool:
        with lock(tmp_path / "another", NAMESPACE_FILE):
            node.result.unlink()
            time.sleep(3 * EVERY_S)
            return node.result.exists()

    assert not node.namespace.call(tune)
    _until(node.result.exists)
    assert node.overall() == "tuned"


def test_watch_shows_what_sockets_of_the_namespace_lost(node: Node) -> None:
    lost = node.scrape()["railbird_node_udp_receive_buffer_errors_total", "4"]
    assert lost == 0
    node.namespace.call(partial(_overflow, 300))
    assert node.scrape()["railbird_node_udp_receive_buffer_errors_total", "4"] > 250


def _overflow(datagrams: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(datagrams):
                sender.sendto(bytes(1000), reader.getsockname())


def test_watch_whose_port_is_taken_is_refused(node: Node, tmp_path: Path) -> None:
    again = node.namespace.start(
        *(sys.executable, "-m", "node_tuner", "watch", "--profile", str(tmp_path / "profile.yml")),
        *("--state", str(tmp_path / "state.json"), "--result", str(tmp_path / "other.json")),
    )
    _, said = again.communicate(timeout=WITHIN_S)
    assert again.returncode == 2
    assert f"127.0.0.1:{PORT}" in said
    assert not (tmp_path / "other.json").exists()
