"""clsact, in a namespace's kernel: who made it, who uses it, and who may take it away."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from node_tuner.controls import control_of
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.controls.clsact import Clsact
from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import LINK, Namespace, namespace
from tests.node_tuner.privileges import NOBODY, become

pytestmark = pytest.mark.netns


@pytest.fixture
def node() -> Iterator[Namespace]:
    """With a TUN interface, which needs no other end."""
    with namespace() as made:
        made.run("ip", "tuntap", "add", LINK, "mode", "tun")
        yield made


def test_clsact_that_nobody_made_is_made_and_removed(node: Namespace) -> None:
    assert node.call(lambda: _clsact().read()) is None
    node.call(lambda: _clsact().write("there"))
    assert "qdisc clsact ffff:" in node.run("tc", "qdisc", "show", "dev", LINK)
    assert node.call(lambda: _clsact().read()) == "there"
    node.call(lambda: _clsact().write(None))
    assert "clsact" not in node.run("tc", "qdisc", "show", "dev", LINK)


@pytest.mark.parametrize("value", ["there", None])
def test_second_write_changes_nothing(node: Namespace, value: str | None) -> None:
    for _ in range(2):
        node.call(lambda: _clsact().write(value))
        assert node.call(lambda: _clsact().read()) == value


def test_clsact_of_somebody_else_is_found_there(node: Namespace) -> None:
    node.run("tc", "qdisc", "add", "dev", LINK, "clsact")
    assert node.call(lambda: (_clsact().read(), _clsact().obstacle(), _clsact().is_own)) == ("there", None, False)


def test_clsact_of_another_interface_is_not_this_ones(node: Namespace) -> None:
    node.run("tc", "qdisc", "add", "dev", "lo", "clsact")
    assert node.call(lambda: _clsact().read()) is None
    node.call(lambda: _clsact().write("there"))
    node.call(lambda: _clsact().write(None))
    assert "clsact" in node.run("tc", "qdisc", "show", "dev", "lo")


@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_clsact_with_a_filter_of_somebody_else_is_left(node: Namespace, way: str) -> None:
    node.call(lambda: _clsact().write("there"))
    node.run("tc", "filter", "add", "dev", LINK, way, "prio", "7", "protocol", "all", "u32", "match", "u32", "0", "0")
    before = node.run("tc", "filter", "show", "dev", LINK, way)
    with pytest.raises(UnavailableError, match=f"^left on {LINK}: filters of others are in it \\(u32\\)"):
        node.call(lambda: _clsact().write(None))
    assert node.run("tc", "filter", "show", "dev", LINK, way) == before
    assert node.call(lambda: _clsact().read()) == "there"


def test_qdisc_ingress_of_somebody_else_is_in_the_way_and_stays(node: Namespace) -> None:
    node.run("tc", "qdisc", "add", "dev", LINK, "ingress")
    in_the_way = f"{LINK} has a qdisc `ingress` of somebody else's, in whose place clsact would be"
    assert node.call(lambda: (_clsact().read(), _clsact().obstacle())) == (None, in_the_way)
    with pytest.raises(UnavailableError, match="in whose place clsact would be"):
        node.call(lambda: _clsact().write("there"))
    node.call(lambda: _clsact().write(None))
    assert "qdisc ingress" in node.run("tc", "qdisc", "show", "dev", LINK)


def test_clsact_is_not_to_be_had_without_what_is_to_hang_in_it(node: Namespace) -> None:
    def refused() -> tuple[str | None, str | None]:
        become(0, "CAP_NET_ADMIN")
        link = _clsact()._link
        return Clsact(link, BpfMarking(link)).obstacle(), _clsact().obstacle()

    content, alone = node.call(refused)
    assert "CAP_BPF" in str(content)
    assert alone is None
    assert node.call(lambda: Clsact(_clsact()._link, BpfMarking(_clsact()._link)).obstacle()) is None


def test_process_without_privileges_reads_and_is_told_what_it_lacks(node: Namespace) -> None:
    node.call(lambda: _clsact().write("there"))

    def unprivileged() -> tuple[object, ...]:
        become(NOBODY)
        with pytest.raises(UnavailableError, match="needs CAP_NET_ADMIN"):
            _clsact().write(None)
        return _clsact().read(), _clsact().obstacle()

    assert node.call(unprivileged) == ("there", "needs CAP_NET_ADMIN")


def test_interface_that_is_gone_is_told_so(node: Namespace) -> None:
    gone = Link(LINK, 4711)
    for ask in (Clsact(gone).read, lambda: Clsact(gone).write("there")):
        with pytest.raises(GoneError, match=f"there is no interface {LINK} "):
            node.call(ask)
    assert f"there is no interface {LINK} " in str(node.call(Clsact(gone).obstacle))


def test_clsact_is_found_again_by_its_record() -> None:
    found = control_of("clsact", Clsact(Link(LINK, 7)).where, Roots())
    assert (type(found), found.kind, found.where) == (Clsact, "clsact", {"interface": LINK, "index": 7})


def _clsact() -> Clsact:
    return Clsact(Link(LINK, socket.if_nametoindex(LINK)))
