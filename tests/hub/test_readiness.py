"""Whether new sessions should be sent here: what counts, and what is only told."""

import json
from pathlib import Path

import pytest

from gateway.hub.readiness import Readiness
from gateway.node.node import Node
from tests.hub.desk import Desk
from tests.node.results import BOOT_ID, RINGS, RMEM_MAX, WRITTEN_UNIX_S, written

NOW_UNIX_S = WRITTEN_UNIX_S + 7


async def _node(directory: Path, data: bytes) -> Node:
    (directory / "boot_id").write_text(BOOT_ID)
    (directory / "node.json").write_bytes(data)
    node = Node(directory / "node.json", None, directory / "boot_id")
    await node.start()
    return node


@pytest.fixture
def buffers_as_asked(desk: Desk) -> None:
    desk.socket.buffers = desk.socket.buffers._replace(receive_asked_bytes=1, send_asked_bytes=1)


async def test_ready_node_is_told_line_by_line(desk: Desk, tmp_path: Path, buffers_as_asked: None) -> None:
    node = await _node(tmp_path, written(RMEM_MAX, RINGS | {"state": "skipped"}, overall="degraded"))
    answer = Readiness(desk.hub.admission, desk.socket, node).answer(NOW_UNIX_S)
    assert answer.is_ready
    assert answer.lines == (
        "ok",
        "node: degraded: profile media-edge, written 7 s ago",
        f"node: nic.rings: skipped: found {json.dumps(RINGS['found'])}, wanted at least 26214400: {RINGS['why']}",
        "buffers: as asked for",
        "dscp: off",
    )


async def test_node_that_is_not_fit_is_not_ready(desk: Desk, tmp_path: Path, buffers_as_asked: None) -> None:
    node = await _node(tmp_path, written(RMEM_MAX | {"state": "foreign", "found": "1"}, overall="failed"))
    answer = Readiness(desk.hub.admission, desk.socket, node).answer(NOW_UNIX_S)
    assert not answer.is_ready
    assert answer.lines[0] == "not ready"
    assert answer.lines[1].startswith("node: net.core.rmem_max: foreign: found 1, wanted at least 26214400: ")


async def test_draining_gateway_says_nothing_else(desk: Desk, tmp_path: Path) -> None:
    node = await _node(tmp_path, written())
    desk.hub.admission.is_draining = True
    answer = Readiness(desk.hub.admission, desk.socket, node).answer(NOW_UNIX_S)
    assert (answer.is_ready, answer.lines) == (False, ("draining",))
