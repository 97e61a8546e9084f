"""Which interface is meant, and what is known of it: in namespaces of their own."""

import os
import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from node_tuner.errors import MissingError
from node_tuner.machine import interfaces
from node_tuner.machine.choice import ByAddress, ByDefaultRoute, ByName, Choice
from node_tuner.machine.facts import Interface
from node_tuner.machine.interfaces import find, index_in_sysfs
from node_tuner.machine.roots import Roots
from tests.node_tuner.namespaces import LINK, call_libc, in_child, namespace, pair

HERE = Roots()
LO = Interface("lo", 1, None, 1, 1)
_CLONE_NEWNET = 0x4000_0000


@pytest.fixture
def card(tmp_path: Path) -> Roots:
    """A sysfs in which `lo` is a fast network card."""
    directory = tmp_path / "class/net/lo"
    for queue in ("rx-0", "rx-1", "rx-2", "tx-0", "tx-1"):
        (directory / "queues" / queue).mkdir(parents=True)
    (directory / "ifindex").write_text("1\n")
    (directory / "address").write_text("00:00:00:00:00:00\n")
    (directory / "speed").write_text("25000\n")
    return Roots(sys=tmp_path)


def test_loopback_by_its_name_is_found() -> None:
    assert find(HERE, ByName("lo")) == LO


def test_queues_and_speed_are_those_of_sysfs(card: Roots) -> None:
    assert find(card, ByName("lo")) == Interface("lo", 1, 25_000_000_000, 3, 2)


@pytest.mark.parametrize("speed", ["-1\n", "0\n", "\n", None])
def test_speed_that_the_driver_does_not_say_is_none(card: Roots, speed: str | None) -> None:
    path = card.sys / "class/net/lo/speed"
    path.unlink() if speed is None else path.write_text(speed)
    assert find(card, ByName("lo")).speed_bps is None


@pytest.mark.parametrize(("file", "text"), [("ifindex", "2\n"), ("address", "02:00:00:00:00:01\n")])
def test_sysfs_of_another_namespace_is_refused(card: Roots, file: str, text: str) -> None:
    (card.sys / "class/net/lo" / file).write_text(text)
    with pytest.raises(MissingError, match="shows another network namespace than this one, so nothing is known of lo"):
        find(card, ByName("lo"))


def test_address_of_another_form_than_ethernets_is_not_compared(card: Roots) -> None:
    (card.sys / "class/net/lo/address").write_text("80:00:02:08:fe:80:00:00:00:00:00:00:f4:52:14:03:00:7b:cb:a1\n")
    assert find(card, ByName("lo")).index == 1


def test_interface_that_goes_while_it_is_looked_at_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(interfaces._FINDERS, ByName, lambda netlink, choice: 999_999)
    with pytest.raises(MissingError, match="gone again"):
        find(HERE, ByName("lo"))


def test_index_of_what_sysfs_does_not_show_is_none(card: Roots) -> None:
    assert index_in_sysfs(card, "lo") == 1
    assert index_in_sysfs(card, "eth9") is None


@pytest.mark.netns
@pytest.mark.parametrize(
    "choice",
    [
        ByName(LINK),
        ByDefaultRoute(),
        ByAddress(ip_address("10.199.0.1")),
        ByAddress(ip_address("fd00:199::1")),
        ByAddress(ip_address("fd00:199:0::0:1")),
    ],
)
def test_interface_is_found_by_name_route_and_address(choice: Choice) -> None:
    with pair(queues=3) as joined:
        found = joined.near.namespace.call(lambda: find(HERE, choice))
        index = joined.near.namespace.call(lambda: socket.if_nametoindex(LINK))
    # A veth says that it has 10 Gbit/s.
    assert found == Interface(LINK, index, 10_000_000_000, 3, 3)


LINKS = """
ip link add one type veth peer name two
ip link add three type veth peer name four
ip link set one up; ip link set two up; ip link set three up; ip link set four up
ip address add 10.1.0.1/24 dev one; ip address add 10.3.0.1/24 dev three
ip -6 address add fd01::1/64 dev one nodad; ip -6 address add fd03::1/64 dev three nodad
"""


@pytest.mark.netns
@pytest.mark.parametrize(
    ("routes", "name"),
    [
        (["default via 10.1.0.9 metric 300", "default via 10.3.0.9 metric 200"], "three"),
        (["default via 10.1.0.9 metric 300", "default via 10.3.0.9"], "three"),
        (["default via 10.1.0.9 metric 300", "-6 default via fd03::9 metric 1"], "one"),
        (["-6 default via fd01::9 metric 30", "-6 default via fd03::9 metric 20"], "three"),
        (["unreachable default metric 1", "-6 default via fd03::9"], "three"),
        (["-6 unreachable default metric 1", "-6 default via fd03::9"], "three"),
        (["default via 10.1.0.9 tos 0x10 metric 300", "default via 10.3.0.9 metric 200"], "three"),
        (["default metric 5 nexthop via 10.3.0.9 nexthop via 10.1.0.9"], "three"),
        (["default via 10.1.0.9 metric 5", "default via 10.3.0.9 metric 1 table 77"], "one"),
    ],
)
def test_default_route_is_ipv4s_with_the_lowest_metric(routes: list[str], name: str) -> None:
    with namespace() as inside:
        inside.run("sh", "-ec", LINKS + "".join(map(added, routes)))
        assert inside.call(lambda: find(HERE, ByDefaultRoute())).name == name


def added(route: str) -> str:
    family = "-6" if route.startswith("-6 ") else "-4"
    return f"ip {family} route add {route.removeprefix('-6 ')}\n"


@pytest.mark.netns
@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (ByName("wlan0"), "there is no interface wlan0 here; there are lo, one, two, three, four"),
        (ByAddress(ip_address("10.1.0.2")), "no interface has the address 10.1.0.2 here; there are lo, "),
        (ByDefaultRoute(), "there is no default route here that would say which interface is meant; there are lo, "),
    ],
)
def test_missing_interface_says_what_is_not_there_and_what_is(choice: Choice, sentence: str) -> None:
    with namespace() as inside:
        inside.run("sh", "-ec", LINKS + "ip route add unreachable default\n")
        with pytest.raises(MissingError) as raised:
            inside.call(lambda: find(HERE, choice))
    links, said = {"lo", "one", "two", "three", "four"}, str(raised.value)
    assert said.startswith(sentence.partition("; ")[0])
    assert set(said.partition("there are ")[2].split(", ")) == links


@pytest.mark.netns
def test_missing_interface_among_many_names_some() -> None:
    with namespace() as inside:
        inside.run("sh", "-ec", "for i in $(seq 15); do ip link add a$i type veth peer name b$i; done")
        with pytest.raises(MissingError, match=r", [ab]\d+ and 11 more$"):
            inside.call(lambda: find(HERE, ByName("wlan0")))


@pytest.mark.netns
def test_interface_without_mac_is_found_by_its_own_end_of_the_link() -> None:
    with namespace() as inside:
        inside.run("ip", "tuntap", "add", "tun7", "mode", "tun")
        inside.run("ip", "address", "add", "10.5.0.1", "peer", "10.5.0.2", "dev", "tun7")
        found = inside.call(lambda: find(HERE, ByAddress(ip_address("10.5.0.1"))))
        with pytest.raises(MissingError, match=r"no interface has the address 10\.5\.0\.2"):
            inside.call(lambda: find(HERE, ByAddress(ip_address("10.5.0.2"))))
    assert found.name == "tun7"


@pytest.mark.netns
def test_namespace_that_was_entered_without_its_sysfs_is_refused() -> None:
    with pair() as joined:
        handle = os.open(Path("/run/netns", joined.near.namespace.name), os.O_RDONLY)
        try:
            with pytest.raises(MissingError, match="/sys shows another network namespace"):
                in_child(entered(handle))
        finally:
            os.close(handle)


def entered(handle: int) -> Callable[[], Interface]:
    def inside() -> Interface:
        call_libc("setns", handle, _CLONE_NEWNET)
        return find(HERE, ByName(LINK))

    return inside
