"""Ring sizes and coalescing of a card that is made up.

No interface that can be made without hardware has ring sizes or rx_usecs: the card answers the bytes that are sent, as
numbered in include/uapi/linux/ethtool_netlink.h, and rounds as drivers do.
"""

import socket
from collections.abc import Mapping
from typing import Any

import pytest

from node_tuner.contract import Value
from node_tuner.controls import ethtool_netlink
from node_tuner.controls.ethtool import Coalescing, Rings
from node_tuner.errors import UnavailableError
from node_tuner.machine.link import Link
from tests.node_tuner.controls.card import Card

LOOPBACK = Link("lo", socket.if_nametoindex("lo"))
"""The kernel has it, and the card answers for it."""


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    made = Card()
    monkeypatch.setattr(ethtool_netlink, "GenericNetlinkSocket", made.socket)
    return made


def test_rings_of_a_card_are_the_most_and_then_as_before(card: Card) -> None:
    rings = Rings(LOOPBACK, ["rx", "tx"])
    assert rings.limits() == {"rx": 4096, "tx": 2048}
    before = rings.read()
    assert before == {"rx": 512, "tx": 512}
    rings.write(rings.limits())
    assert rings.read() == {"rx": 4096, "tx": 2048}
    rings.write(before)
    assert rings.read() == before
    assert card.rings[card.RX_JUMBO] == 64, "what is not named was set"


def test_rings_that_the_driver_rounds_read_as_it_made_them(card: Card) -> None:
    rings = Rings(LOOPBACK, ["rx"])
    rings.write({"rx": 1000})
    assert rings.read() == {"rx": 1024}


def test_rings_beyond_the_most_are_refused_by_name(card: Card) -> None:
    rings = Rings(LOOPBACK, {"rx": 4096, "tx": 4096})
    reason = "the driver of lo (of unknown name) has at most 2048 tx ring sizes, not 4096"
    assert rings.obstacle() == reason
    with pytest.raises(UnavailableError, match="at most 2048 tx"):
        rings.write({"rx": 4096, "tx": 4096})
    assert card.rings[card.RX] == 512


def test_only_what_differs_is_told_to_the_card(card: Card) -> None:
    Rings(LOOPBACK, ["rx", "tx"]).write({"rx": 512, "tx": 256})
    assert card.told == [{card.TX: 256}]
    Rings(LOOPBACK, ["rx", "tx"]).write({"rx": 512, "tx": 256})
    assert len(card.told) == 1


def test_coalescing_of_a_card_is_numbers_and_switches(card: Card) -> None:
    coalescing = Coalescing(LOOPBACK, ["adaptive_rx", "rx_usecs", "tx_usecs"])
    before = coalescing.read()
    assert before == {"adaptive_rx": True, "rx_usecs": 50, "tx_usecs": 50}
    coalescing.write({"adaptive_rx": False, "rx_usecs": 16, "tx_usecs": 64})
    assert coalescing.read() == {"adaptive_rx": False, "rx_usecs": 16, "tx_usecs": 64}
    assert card.told == [{card.USE_ADAPTIVE_RX: 0, card.RX_USECS: 16, card.TX_USECS: 64}]
    coalescing.write(before)
    assert coalescing.read() == before


def test_coalescing_that_is_refused_at_once_is_set_in_turn(card: Card) -> None:
    coalescing = Coalescing(LOOPBACK, ["adaptive_rx", "rx_usecs"])
    coalescing.write({"adaptive_rx": False, "rx_usecs": 16})
    coalescing.write({"adaptive_rx": True, "rx_usecs": 50})
    assert coalescing.read() == {"adaptive_rx": True, "rx_usecs": 50}
    assert card.told[1:] == [{card.RX_USECS: 50}, {card.USE_ADAPTIVE_RX: 1}]


def test_coalescing_that_fails_half_way_is_undone(card: Card) -> None:
    coalescing = Coalescing(LOOPBACK, ["adaptive_rx", "rx_usecs"])
    coalescing.write({"adaptive_rx": False, "rx_usecs": 16})
    card.broken_switch = 1
    with pytest.raises(UnavailableError, match="refuses to set its coalescing: Input/output error"):
        coalescing.write({"adaptive_rx": True, "rx_usecs": 50})
    assert coalescing.read() == {"adaptive_rx": False, "rx_usecs": 16}


@pytest.mark.parametrize("values", [{"rx_usecs": 16}, {"adaptive_rx": False}])
def test_coalescing_that_is_refused_as_such_says_so(card: Card, values: Mapping[str, Any]) -> None:
    card.broken_switch = 0
    with pytest.raises(UnavailableError, match="refuses to set its coalescing"):
        Coalescing(LOOPBACK, values).write(values)
    assert card.told == []


@pytest.mark.parametrize("value", [None, "max", 5, ["rx"]])
def test_value_of_another_shape_is_refused(card: Card, value: Value) -> None:
    with pytest.raises(UnavailableError, match="values by key were expected"):
        Rings(LOOPBACK).write(value)
    assert card.told == []
