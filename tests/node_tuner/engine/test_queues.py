"""Masks of the queues that there are, also where the channels that were to be cannot be had."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from node_tuner.aims import EachQueue
from node_tuner.contract import Knob
from node_tuner.controls import control_of
from node_tuner.engine.apply import apply
from node_tuner.engine.node import Node
from node_tuner.engine.restore import restore
from node_tuner.engine.verify import verify
from node_tuner.result import State
from node_tuner.state.store import Store
from tests.node_tuner.card_limits import card_limits
from tests.node_tuner.engine.fakes import BOOT, NAMESPACE, FakeNode, card, node_of, queues_of
from tests.node_tuner.trees import FakeMachine
from tests.node_tuner.wishes import WHY, wanted

CORES = 4
NIC = {"channels": {**WHY, "combined": "cores"}}
STEERED: dict[str, Any] = {kind: {**WHY, "steer": "where_queues_below_cores"} for kind in ("rps", "xps")}


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "node-state.json"


def steered(fake: FakeNode, channels: int) -> list[Knob]:
    """As `where_queues_below_cores`."""
    aim = EachQueue(lambda count: queues_of(count, "f") if count < CORES else None, "f at each queue")
    return [fake.knob("channels", channels), fake.knob("rps", aim)]


@pytest.mark.parametrize("most", [3, 8])
def test_queues_of_a_card_whose_channels_cannot_be_had_are_steered_as_they_are(
    tmp_path: Path, record: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    card_limits(monkeypatch)(channels={"combined": most})
    machine = FakeMachine(cores=CORES, rx_queues=2, tx_queues=2)
    roots = machine.build(tmp_path / "node")
    node = Node(Store(record), BOOT, NAMESPACE, partial(control_of, roots=roots))
    knobs = list(wanted(machine, roots, nic=NIC, queues=STEERED).values())
    found = {row.name: (row.state, row.found) for row in apply(knobs, node).knobs}
    assert found["nic.channels"][0] is State.SKIPPED, "there is no such card"
    assert found["queues.rps"] == (State.TUNED, {"rx-0": "f", "rx-1": "f"})
    assert found["queues.xps"] == (State.TUNED, {"tx-0": "5", "tx-1": "a"})
    assert apply(knobs, node).changed == ()
    assert {row.name: (row.state, row.found) for row in verify(knobs, node).knobs} == found


def test_queues_of_channels_that_the_driver_refuses_are_steered(record: Path) -> None:
    fake = card("0", "0")
    fake.refusing["channels"] = "Invalid argument"
    knobs = steered(fake, CORES)
    assert [row.state for row in apply(knobs, node_of(fake, record)).knobs] == [State.FAILED, State.TUNED]
    assert fake.values["rps"] == queues_of(2, "f")
    assert apply(knobs, node_of(fake, record)).changed == ()
    restore(node_of(fake, record))
    assert fake.values == card("0", "0").values


@pytest.mark.parametrize("mask", ["0", "7"])
def test_queues_that_are_enough_once_the_channels_are_set_are_left_as_they_are(record: Path, mask: str) -> None:
    fake = card(mask, mask)
    applied = apply(steered(fake, CORES), node_of(fake, record))
    assert (applied.changed, [row.state for row in applied.knobs]) == (("channels",), [State.TUNED] * 2)
    assert fake.values["rps"] == {**queues_of(CORES, "0"), **queues_of(2, mask)}
    assert apply(steered(fake, CORES), node_of(fake, record)).changed == ()
    restore(node_of(fake, record))
    assert fake.values == card(mask, mask).values


def test_queues_that_become_fewer_than_cores_are_steered_in_the_same_apply(record: Path) -> None:
    fake = card(*"1234")
    applied = apply(steered(fake, 2), node_of(fake, record))
    assert applied.changed == ("channels", "rps")
    assert fake.values["rps"] == queues_of(2, "f")
    restore(node_of(fake, record))
    assert fake.values == card(*"1234").values
