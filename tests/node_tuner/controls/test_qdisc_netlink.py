"""Qdiscs as the kernel is told them and tells them, and which sentence each of its refusals becomes."""

import socket
import struct
from collections.abc import Iterator

import pytest

from node_tuner.controls import qdisc_netlink as netlink
from node_tuner.controls.qdisc_netlink import ROOT, Qdisc
from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link
from tests.node_tuner.host_sysctls import kept
from tests.node_tuner.namespaces import Namespace, namespace
from tests.node_tuner.privileges import NOBODY, become

HANDLE = 0x0005_0000
CARD = "card0"


@pytest.fixture
def inside() -> Iterator[Namespace]:
    """A namespace with an interface that has the kernel's own qdiscs at three queues, by the host's default."""
    with kept("net.core.default_qdisc"), namespace() as made:
        made.run("ip", "link", "add", CARD, "numtxqueues", "3", "type", "ifb")
        made.run("ip", "link", "set", CARD, "up")
        yield made


def card() -> Link:
    return Link(CARD, socket.if_nametoindex(CARD))


def shown(inside: Namespace) -> str:
    return inside.run("tc", "-j", "qdisc", "show", "dev", CARD)


def test_addition_is_as_the_kernel_numbers_it() -> None:
    message = netlink.addition(Link(CARD, 7), ROOT, HANDLE, "fq", struct.pack("=HHI", 8, 1, 10_000))
    message.encode()
    told = bytes(message.data)
    # RTM_NEWQDISC; NLM_F_REQUEST, _ACK, _EXCL, _CREATE
    assert told[4:8] == struct.pack("=HH", 36, 0x1 | 0x4 | 0x200 | 0x400)
    assert told[16:36] == struct.pack("=BBHiIII", 0, 0, 0, 7, HANDLE, ROOT, 0)
    assert told[36:] == struct.pack("=HH4s", 7, 1, b"fq\0") + struct.pack("=HHHHI", 12, 2, 8, 1, 10_000)


def test_deletion_names_the_handle_so_that_no_other_is_meant() -> None:
    message = netlink.deletion(Link(CARD, 7), HANDLE)
    message.encode()
    told = bytes(message.data)
    assert told[4:8] == struct.pack("=HH", 37, 0x1 | 0x4)  # RTM_DELQDISC; NLM_F_REQUEST, _ACK
    assert told[16:] == struct.pack("=BBHiIII", 0, 0, 0, 7, HANDLE, ROOT, 0)


def test_handle_is_said_as_tc_says_it() -> None:
    assert netlink.handle_text(0x8001_0000) == "8001:"


@pytest.mark.netns
def test_qdiscs_are_those_of_the_interface_alone(inside: Namespace) -> None:
    inside.run("ip", "link", "add", "other0", "type", "ifb")
    inside.run("ip", "link", "set", "other0", "up")
    inside.run("tc", "qdisc", "add", "dev", "other0", "root", "handle", "5:", "pfifo", "limit", "9")

    def found(name: str) -> list[Qdisc]:
        return list(netlink.qdiscs(Link(name, socket.if_nametoindex(name))))

    assert inside.call(lambda: found("other0")) == [Qdisc("pfifo", HANDLE, ROOT, struct.pack("=I", 9))]
    assert sorted((each.kind, each.parent) for each in inside.call(lambda: found(CARD)))[0] == ("mq", ROOT)
    assert {each.parent for each in inside.call(lambda: found(CARD))} == {ROOT, 1, 2, 3}


@pytest.mark.netns
def test_tx_queues_are_those_that_could_be(inside: Namespace) -> None:
    assert inside.call(lambda: netlink.tx_queues(card())) == 3


@pytest.mark.netns
def test_addition_where_there_is_one_of_somebody_is_refused(inside: Namespace) -> None:
    inside.run("tc", "qdisc", "add", "dev", CARD, "root", "handle", "6:", "pfifo")
    before = shown(inside)
    for handle in (HANDLE, 0x0006_0000):
        with pytest.raises(UnavailableError, match="the kernel refuses to change the qdisc of card0: "):
            inside.call(lambda handle=handle: netlink.change(card(), netlink.addition(card(), ROOT, handle, "bfifo")))  # type: ignore[misc]
    assert shown(inside) == before


@pytest.mark.netns
def test_deletion_of_another_handle_is_refused(inside: Namespace) -> None:
    inside.run("tc", "qdisc", "add", "dev", CARD, "root", "handle", "6:", "pfifo")
    before = shown(inside)
    with pytest.raises(UnavailableError, match="the kernel refuses to change the qdisc of card0: "):
        inside.call(lambda: netlink.change(card(), netlink.deletion(card(), HANDLE)))
    assert shown(inside) == before


@pytest.mark.netns
def test_kind_that_is_lacking_is_told_from_a_parent_that_is(inside: Namespace) -> None:
    with pytest.raises(UnavailableError, match="this kernel has no qdisc nosuch"):
        inside.call(lambda: netlink.change(card(), netlink.addition(card(), ROOT, HANDLE, "nosuch")))
    with pytest.raises(UnavailableError, match="the kernel refuses to change the qdisc of card0: "):
        inside.call(lambda: netlink.change(card(), netlink.addition(card(), HANDLE | 1, 0, "pfifo")))


@pytest.mark.netns
def test_look_whether_the_kernel_has_a_kind_changes_nothing(inside: Namespace) -> None:
    before = shown(inside)
    found = {}
    for kind in ("pfifo", "bfifo", "pfifo_fast", "mq", "noqueue", "tbf", "htb", "fq", "cake", "fq_codel", "nosuch"):
        found[kind] = inside.call(lambda kind=kind: netlink.is_unknown(card(), HANDLE, kind))  # type: ignore[misc]
        assert shown(inside) == before, kind
    assert (found["pfifo"], found["bfifo"], found["mq"], found["nosuch"]) == (False, False, False, True)


@pytest.mark.netns
def test_look_that_made_a_qdisc_after_all_takes_it_away(inside: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shown(inside)
    exchange = netlink._exchange

    def without_fault(message: netlink.QdiscMessage) -> object:
        monkeypatch.setattr(netlink, "_exchange", exchange)
        message["attrs"] = [each for each in message["attrs"] if each[0] != "rate"]
        return exchange(message)

    def turn() -> None:
        monkeypatch.setattr(netlink, "_exchange", without_fault)
        assert not netlink.is_unknown(card(), HANDLE, "pfifo")

    inside.call(turn)
    assert shown(inside) == before


@pytest.mark.netns
def test_who_may_not_is_told_which_capability_is_missing(inside: Namespace) -> None:
    def turn() -> None:
        become(NOBODY)
        with pytest.raises(UnavailableError, match=r"^needs CAP_NET_ADMIN$"):
            netlink.change(card(), netlink.addition(card(), ROOT, HANDLE, "pfifo"))
        assert len(netlink.qdiscs(card())) == 4, "reading needs no privilege"

    inside.call(turn)


@pytest.mark.netns
def test_interface_that_goes_between_the_look_and_the_request_is_gone(
    inside: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Link, "check", lambda self: None)
    nowhere = Link("media0", 4711)
    with pytest.raises(GoneError, match="there is no interface media0 here any more"):
        inside.call(lambda: netlink.change(nowhere, netlink.deletion(nowhere, HANDLE)))
    with pytest.raises(GoneError, match="there is no interface media0 here any more"):
        inside.call(lambda: netlink.tx_queues(nowhere))
