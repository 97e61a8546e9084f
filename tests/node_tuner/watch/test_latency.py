"""A limit on how deep cores sleep, held and let go."""

import os
from pathlib import Path

import pytest

from node_tuner.result import State
from node_tuner.watch.latency import KNOB, HeldLatency, with_held
from tests.node_tuner.watch.rows import row


def test_latency_is_written_as_the_kernel_reads_it(tmp_path: Path) -> None:
    device = tmp_path / "cpu_dma_latency"
    device.touch()
    held = HeldLatency(20, device)
    assert held.is_held
    assert device.read_bytes() == b"\x14\0\0\0"
    held.close()
    assert not held.is_held


def test_latency_is_held_open_until_it_is_closed(tmp_path: Path) -> None:
    device = tmp_path / "cpu_dma_latency"
    os.mkfifo(device)
    reader = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
    try:
        held = HeldLatency(0, device)
        assert os.read(reader, 16) == bytes(4)
        with_writer = _is_at_its_end(reader)
        held.close()
        assert (with_writer, _is_at_its_end(reader)) == (False, True)
    finally:
        os.close(reader)


def _is_at_its_end(reader: int) -> bool:
    """Whether nobody holds the other end open."""
    try:
        return os.read(reader, 1) == b""
    except BlockingIOError:
        return False


def test_latency_of_a_machine_without_the_device_is_not_held(tmp_path: Path) -> None:
    held = HeldLatency(0, tmp_path / "cpu_dma_latency")
    assert not held.is_held
    held.close()


@pytest.mark.parametrize(("is_held", "state"), [(True, State.TUNED), (False, State.SKIPPED)])
def test_with_held_tells_the_limit_as_it_is(is_held: bool, state: State) -> None:
    rows = (row("a", State.NOT_NEEDED), row(KNOB, State.NOT_NEEDED, required=False))
    other, latency = with_held(rows, is_held)
    assert other == rows[0]
    assert latency.state is state
    assert latency.note
