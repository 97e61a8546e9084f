"""What of ours is there is found without a record; what is others' is not."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from node_tuner.contract import Value
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.controls.clsact import Clsact
from node_tuner.controls.conntrack_bypass import ConntrackBypass
from node_tuner.controls.leftovers import leftovers
from node_tuner.controls.nft_marking import NftMarking
from node_tuner.controls.qdisc import RootQdisc
from node_tuner.machine.link import Link
from node_tuner.marking import Marking, MarkRule, Payload, Transport, digest_of
from node_tuner.ports import Ports
from tests.node_tuner.namespaces import LINK, Namespace, pair

pytestmark = [pytest.mark.netns, pytest.mark.nft]

RULE = MarkRule("other", Transport.UDP, Ports.parse("8189"), Payload.ANY, frozenset(), 34)
MARKING = Marking((RULE,), False).as_json()


@pytest.fixture
def inside() -> Iterator[Namespace]:
    with pair() as joined:
        yield joined.near.namespace


def found() -> list[tuple[str, str, object]]:
    return [(each.name, each.control.kind, each.original) for each in leftovers()]


def made_of(spec: Mapping[str, Any]) -> Value:
    return {"digest": digest_of(spec), "spec": dict(spec)}


def make_all() -> None:
    link = Link(LINK, socket.if_nametoindex(LINK))
    ConntrackBypass().write(made_of({"ports": "8189"}))
    NftMarking().write(made_of(MARKING))
    RootQdisc(link).write({"kind": "pfifo", "limit_packets": 500, "owner": "railbird"})
    Clsact(link).write("there")
    BpfMarking(link).write(made_of({"marking": MARKING, "priority": 100}))


def test_all_that_is_known_by_name_or_handle_is_found(inside: Namespace) -> None:
    assert inside.call(found) == []
    inside.call(make_all)
    assert sorted(inside.call(found)) == [
        ("conntrack.bypass", "conntrack_bypass", None),
        ("dscp.bpf", "bpf_marking", None),
        ("dscp.nft", "nft_marking", None),
        ("qdisc", "qdisc", {"owner": "kernel"}),
    ]


def test_others_are_not(inside: Namespace) -> None:
    inside.run("nft", "add table inet mine")
    inside.run("tc", "qdisc", "add", "dev", LINK, "root", "handle", "1:", "pfifo")
    inside.run("tc", "qdisc", "add", "dev", LINK, "clsact")
    inside.run("tc", "filter", "add", "dev", LINK, "egress", "u32", "match", "u32", "0", "0")
    assert inside.call(found) == []
