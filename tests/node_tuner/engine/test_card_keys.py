"""Profiles that name other keys of one card: two entries on record, of which each may be about the same ring."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from node_tuner.aims import Exactly
from node_tuner.contract import Knob
from node_tuner.controls import control_of, ethtool_netlink
from node_tuner.controls.ethtool import Rings
from node_tuner.engine.apply import apply
from node_tuner.engine.node import Node
from node_tuner.engine.restore import Fate, restore
from node_tuner.engine.verify import verify
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from node_tuner.result import State
from node_tuner.state.store import Store
from tests.node_tuner.controls.card import Card

LOOPBACK = Link("lo", socket.if_nametoindex("lo"))


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    made = Card()
    monkeypatch.setattr(ethtool_netlink, "GenericNetlinkSocket", made.socket)
    monkeypatch.setattr("node_tuner.controls.ethtool.effective", lambda roots: {"CAP_NET_ADMIN"})
    return made


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(Store(tmp_path / "record"), "boot-1", "cookie-1", partial(control_of, roots=Roots()))


def rings(**values: int) -> Knob:
    return Knob("nic.rings", Rings(LOOPBACK, values), Exactly(values), True, "why", "test")


def sizes(card: Card) -> Mapping[str, int]:
    return {"rx": card.rings[card.RX], "tx": card.rings[card.TX]}


def test_stranger_s_ring_is_left_by_a_profile_of_more_rings(card: Card, node: Node) -> None:
    apply([rings(rx=4096)], node)
    card.rings[card.RX] = 1024
    for _ in range(2):
        left, row = apply([rings(rx=4096, tx=2048)], node).knobs
        assert (left.name, left.state) == ("nic.rings.unwanted", State.NOT_NEEDED)
        assert (row.state, row.changed, row.found) == (State.FOREIGN, False, {"rx": 1024, "tx": 512})
        assert row.note.startswith("the tuner set it to {'rx': 4096}, and somebody else to {'rx': 1024}: left as it is")
    assert verify([rings(rx=4096, tx=2048)], node).knobs[1] == row
    rows, _ = restore(node)
    assert ([row.fate for row in rows], sizes(card)) == ([Fate.FOREIGN], {"rx": 1024, "tx": 512})


def test_other_ring_than_the_stranger_s_is_set(card: Card, node: Node) -> None:
    apply([rings(rx=4096)], node)
    card.rings[card.RX] = 1024
    assert apply([rings(tx=2048)], node).knobs[1].state is State.TUNED
    assert sizes(card) == {"rx": 1024, "tx": 2048}


def test_stranger_s_ring_is_taken_over_when_asked_for_and_restored_exactly(card: Card, node: Node) -> None:
    apply([rings(rx=4096)], node)
    card.rings[card.RX] = 1024
    (row,) = apply([rings(rx=4096, tx=2048)], node, is_takeover=True).knobs
    assert (row.state, sizes(card)) == (State.TUNED, {"rx": 4096, "tx": 2048})
    restore(node)
    assert (sizes(card), node.store.path.exists()) == ({"rx": 512, "tx": 512}, False)
