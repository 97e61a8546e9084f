"""What the tuner writes, the gateway reads: the one place where both are known. Of the tuner the gateway knows the file
alone."""

import asyncio
import itertools
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.clock import unix_s
from gateway.node import result
from gateway.node.node import BOOT_ID, Node
from gateway.node.verdict import NodeState, Verdict
from node_tuner import result as tuner
from node_tuner.machine.namespace import identity
from tests.node_tuner.namespaces import Pair, pair

PROFILE = """
schema: 1
name: small
summary: One sysctl that any network namespace has.
interface: {name: media0}
media_ports: 8189
sysctls:
  net.ipv4.udp_rmem_min:
    at_least: 8192
    required: true
    why: it is there
    source: this test
"""

TOO_MUCH = """
  net.core.rmem_max:
    at_least: 2147483647
    required: true
    why: to be failed
    source: this test
"""


def knob(name: str, state: tuner.State, required: bool) -> tuner.KnobResult:
    return tuner.KnobResult(
        name=name,
        kind="sysctl",
        required=required,
        state=state,
        wanted="at least 2",
        found={"rx-0": ["ff", 1, None, True]},
        original=None,
        changed=False,
        why="why",
        note="note",
    )


def written(path: Path, knobs: Iterable[tuner.KnobResult]) -> tuner.Result:
    made = tuner.Result(
        command="apply",
        written_at="2026-11-21T18:00:00Z",
        boot_id=BOOT_ID.read_text().strip(),
        namespace=identity(),
        kernel="6.18.0",
        interface="eth0",
        profile=tuner.ProfileId("media-edge", "0123456789ab"),
        knobs=tuple(knobs),
    )
    made.write(path)
    return made


def test_both_know_the_same_words() -> None:
    assert result.SCHEMA == tuner.SCHEMA
    assert {each.value for each in result.KnobState} == {each.value for each in tuner.State}
    assert {each.value for each in result.Overall} == {each.value for each in tuner.Overall}


@pytest.mark.parametrize(("state", "required"), list(itertools.product(tuner.State, (True, False))))
async def test_gateway_makes_of_each_state_what_the_tuner_does(
    tmp_path: Path, state: tuner.State, required: bool
) -> None:
    path = tmp_path / "node.json"
    made = written(path, [knob("qdisc", tuner.State.TUNED, True), knob("nic.rings", state, required)])
    node = Node(path)
    await node.start()
    assert node.verdict(unix_s()).state.value == made.overall.value
    assert ("railbird_node_tuned", ("nic.rings", state.value), 1.0) in list(node.samples())


async def test_gateway_that_was_ready_is_not_when_the_result_is_withdrawn(tmp_path: Path) -> None:
    path = tmp_path / "node.json"
    written(path, [knob("qdisc", tuner.State.TUNED, True)])
    node = Node(path)
    await node.start()
    assert node.verdict(unix_s()).is_fit
    tuner.withdraw(path)
    await node.start()
    assert node.verdict(unix_s()).state is NodeState.MISSING


@pytest.mark.netns
def test_node_that_the_tuner_has_tuned_is_fit(tmp_path: Path) -> None:
    with pair() as joined:
        verdict = _verdict(tmp_path, joined, PROFILE)
    assert verdict.state is NodeState.TUNED
    assert verdict.lines[0].startswith("tuned: profile small, written ")


@pytest.mark.netns
def test_node_that_cannot_be_tuned_is_not_fit_and_the_gateway_says_why(tmp_path: Path) -> None:
    """A network namespace of its own cannot set what is the host's."""
    with pair() as joined:
        verdict = _verdict(tmp_path, joined, PROFILE + TOO_MUCH)
    assert verdict.state is NodeState.FAILED
    (line,) = [line for line in verdict.lines if line.startswith("net.core.rmem_max: failed: found ")]
    assert ", wanted at least 2147483647: " in line
    assert not line.endswith(": ")


@pytest.mark.netns
def test_node_that_was_tuned_in_another_namespace_is_not_fit(tmp_path: Path) -> None:
    """As with a tuner on the host, and a gateway in a container with a network of its own."""
    with pair() as joined:
        _verdict(tmp_path, joined, PROFILE)
        there = joined.far.namespace.call(lambda: _look(tmp_path / "node.json"))
    assert there.state is NodeState.STALE
    assert "of another network namespace" in there.lines[0]


def _verdict(directory: Path, joined: Pair, profile: str) -> Verdict:
    """The gateway's, after the tuner has run in the same namespace."""
    (directory / "profile.yml").write_text(profile)
    path = directory / "node.json"
    files = {"profile": directory / "profile.yml", "state": directory / "state.json", "result": path}
    flags = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    inside = joined.near.namespace
    inside.run(sys.executable, "-m", "node_tuner", "apply", *flags, is_checked=False)
    return inside.call(lambda: _look(path))


def _look(path: Path) -> Verdict:
    """Of a gateway in the namespace of the caller."""
    node = Node(path)
    asyncio.run(node.start())
    return node.verdict(unix_s())
