"""The result file, looked at again and again."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.clock import unix_s
from gateway.metrics import Sample
from gateway.node.node import BOOT_ID as OF_THIS_MACHINE
from gateway.node.node import Node
from gateway.node.result import MAX_RESULT_BYTES
from gateway.node.verdict import NodeState
from tests.node.results import BOOT_ID, RINGS, RMEM_MAX, WRITTEN_UNIX_S, written


class Bench:
    """A node whose files a test writes."""

    def __init__(self, directory: Path) -> None:
        self.path, self.boot_id = directory / "node.json", directory / "boot_id"
        self.boot_id.write_text(f"{BOOT_ID}\n")
        self.node = Node(self.path, None, self.boot_id)

    def write(self, data: bytes) -> None:
        """Atomically, as the tuner does."""
        fresh = self.path.with_suffix(".new")
        fresh.write_bytes(data)
        fresh.rename(self.path)

    async def look(self) -> NodeState:
        """One more look, as the ticker has it."""
        self.node.tick(0.0)
        await self.node._look.wait()
        return self.state

    @property
    def state(self) -> NodeState:
        return self.node.verdict(WRITTEN_UNIX_S).state

    @property
    def lines(self) -> tuple[str, ...]:
        return self.node.verdict(WRITTEN_UNIX_S).lines

    def samples(self) -> Iterator[Sample]:
        return self.node.samples()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_first_look_is_over_when_it_has_started(bench: Bench) -> None:
    assert not bench.node.verdict(WRITTEN_UNIX_S).is_fit
    bench.write(written())
    await bench.node.start()
    assert bench.state is NodeState.TUNED


async def test_missing_file_is_told_by_its_name(bench: Bench) -> None:
    assert await bench.look() is NodeState.MISSING
    assert bench.lines == (f"{bench.path} is missing",)


async def test_broken_file_is_believed_in_nothing_and_a_good_one_recovers(bench: Bench) -> None:
    bench.write(written())
    assert await bench.look() is NodeState.TUNED
    bench.write(written()[:-30])
    assert await bench.look() is NodeState.UNREADABLE
    assert bench.lines[0].startswith(f"{bench.path} is no result: ")
    bench.write(written())
    assert await bench.look() is NodeState.TUNED
    bench.path.unlink()
    assert await bench.look() is NodeState.MISSING


async def test_newer_result_takes_the_place_of_the_one_before(bench: Bench) -> None:
    bench.write(written())
    await bench.look()
    bench.write(written(RMEM_MAX | {"state": "foreign"}, overall="failed"))
    assert await bench.look() is NodeState.FAILED


async def test_result_of_another_boot_is_stale_until_the_tuner_has_run(bench: Bench) -> None:
    bench.write(written())
    bench.boot_id.write_text("another\n")
    assert await bench.look() is NodeState.STALE
    bench.write(written(boot_id="another"))
    assert await bench.look() is NodeState.TUNED


async def test_boot_of_this_machine_is_what_its_kernel_says(tmp_path: Path) -> None:
    node, path = Node(tmp_path / "node.json"), tmp_path / "node.json"
    path.write_bytes(written(boot_id=OF_THIS_MACHINE.read_text().strip()))
    await node.start()
    assert node.verdict(unix_s()).is_fit


async def test_machine_without_a_boot_id_cannot_be_judged(bench: Bench) -> None:
    bench.write(written())
    bench.boot_id.unlink()
    assert await bench.look() is NodeState.MISSING
    assert bench.lines == (f"{bench.boot_id} is missing",)


async def test_file_too_large_is_refused_and_not_read_whole(bench: Bench) -> None:
    bench.write(written() + b" " * MAX_RESULT_BYTES)
    assert await bench.look() is NodeState.UNREADABLE
    assert f"more than {MAX_RESULT_BYTES} bytes" in bench.lines[0]


async def test_pipe_of_that_name_is_not_waited_for(bench: Bench) -> None:
    os.mkfifo(bench.path)
    async with asyncio.timeout(5):
        assert await bench.look() is NodeState.UNREADABLE
    assert bench.lines == (f"{bench.path} cannot be read: it is no file",)


async def test_directory_of_that_name_is_unreadable(bench: Bench) -> None:
    bench.path.mkdir()
    assert await bench.look() is NodeState.UNREADABLE


async def test_log_tells_a_change_once(bench: Bench) -> None:
    with capture_logs() as logs:
        await bench.look()
        await bench.look()
        bench.write(written())
        await bench.look()
    assert [(entry["state"], entry["log_level"]) for entry in logs] == [("missing", "warning"), ("tuned", "info")]


async def test_samples_have_each_knob_at_its_state(bench: Bench) -> None:
    bench.write(written(RMEM_MAX, RINGS | {"state": "skipped"}, RINGS | {"state": "skipped"}, overall="degraded"))
    await bench.look()
    samples = list(bench.samples())
    assert [labels for name, labels, _ in samples if name == "railbird_node_tuned"] == [
        ("net.core.rmem_max", "tuned"),
        ("nic.rings", "skipped"),
    ]
    overall = {labels[0]: value for name, labels, value in samples if name == "railbird_node_overall"}
    assert overall == {state.value: float(state is NodeState.DEGRADED) for state in NodeState}
    (age_s,) = [value for name, _, value in samples if name == "railbird_node_result_age_seconds"]
    assert age_s == pytest.approx(max(unix_s() - WRITTEN_UNIX_S, 0.0), abs=60)


async def test_samples_of_a_stale_result_are_its_state_and_age_alone(bench: Bench) -> None:
    bench.write(written(boot_id="another"))
    await bench.look()
    samples = list(bench.samples())
    assert {name for name, _, _ in samples} == {"railbird_node_overall", "railbird_node_result_age_seconds"}
    assert {labels for name, labels, value in samples if name == "railbird_node_overall" and value} == {("stale",)}


async def test_samples_of_a_missing_result_are_its_state_alone(bench: Bench) -> None:
    await bench.look()
    assert {(name, labels) for name, labels, value in bench.samples() if value} == {
        ("railbird_node_overall", ("missing",))
    }
    assert {name for name, _, _ in bench.samples()} == {"railbird_node_overall"}


async def test_look_that_is_under_way_is_not_doubled_and_ends_with_the_node(bench: Bench) -> None:
    bench.node.tick(0.0)
    first = bench.node._look._task
    bench.node.tick(0.0)
    assert bench.node._look._task is first
    await bench.node.stop()
    assert first is not None
    assert first.done()
