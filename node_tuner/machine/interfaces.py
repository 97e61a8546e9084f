"""Finds the media's interface by netlink; what netlink does not tell of it is read from sysfs."""

import socket
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute, NetlinkError  # type: ignore[import-untyped]

from node_tuner.errors import MissingError
from node_tuner.machine.choice import ByAddress, ByDefaultRoute, ByName, Choice
from node_tuner.machine.facts import Interface
from node_tuner.machine.roots import Roots

_MAX_NAMED = 20
"""Of the interfaces that a message names: a node has one or two for each pod."""

_UNICAST = 1
"""RTN_UNICAST; an unreachable or blackhole default route leads to no interface."""

_MAIN_TABLE = 254
"""RT_TABLE_MAIN."""

_MAC_LETTERS = len("02:00:00:00:00:01")
_BPS_OF_MBPS = 1_000_000


def find(roots: Roots, choice: Choice) -> Interface:
    """The interface that is meant, as it is now. MissingError where there is none, or where sysfs shows others."""
    try:
        with IPRoute() as netlink:
            index = _FINDERS[type(choice)](netlink, choice)
            link = netlink.get_links(index)[0]
    except NetlinkError as error:
        raise MissingError(f"the interface that was meant is gone again: {error}") from None
    name, mac = str(link.get_attr("IFLA_IFNAME")), str(link.get_attr("IFLA_ADDRESS") or "")
    if index_in_sysfs(roots, name) != index or not _has_mac(roots, name, mac):
        raise MissingError(
            f"{roots.sys} shows another network namespace than this one, so nothing is known of {name}: enter it by"
            " `ip netns exec`, or mount a sysfs inside"
        )
    directory = _directory(roots, name)
    return Interface(name, index, _speed_bps(directory), _queues(directory, "rx"), _queues(directory, "tx"))


def index_in_sysfs(roots: Roots, name: str) -> int | None:
    """Of the interface that sysfs shows under this name; None: it shows none. A sysfs shows the interfaces of the
    network namespace that it was mounted in."""
    try:
        return int((_directory(roots, name) / "ifindex").read_text())
    except (OSError, ValueError):
        return None


def _has_mac(roots: Roots, name: str, mac: str) -> bool:
    """Two namespaces' `eth0` easily have the same index. What is no Ethernet card has addresses of other forms."""
    try:
        shown = (_directory(roots, name) / "address").read_text().strip()
    except OSError:
        return True
    return shown == mac or len(shown) != _MAC_LETTERS


def _by_name(netlink: IPRoute, choice: ByName) -> int:
    indices = netlink.link_lookup(ifname=choice.name)
    if not indices:
        raise MissingError(f"there is no interface {choice.name} here{_there_are(netlink)}")
    return int(indices[0])


def _by_address(netlink: IPRoute, choice: ByAddress) -> int:
    for each in netlink.get_addr():
        # An end of a point-to-point link has its own address in IFA_LOCAL, and the other's in IFA_ADDRESS.
        text = each.get_attr("IFA_LOCAL") or each.get_attr("IFA_ADDRESS")
        if text is not None and ip_address(text) == choice.address:
            return int(each["index"])
    raise MissingError(f"no interface has the address {choice.address} here{_there_are(netlink)}")


def _by_default_route(netlink: IPRoute, choice: ByDefaultRoute) -> int:
    for family in (socket.AF_INET, socket.AF_INET6):
        routes = filter(_leads_somewhere, netlink.get_default_routes(family=family))
        for route in sorted(routes, key=lambda each: each.get_attr("RTA_PRIORITY") or 0):
            for index in _outgoing(route):
                return index
    raise MissingError(f"there is no default route here that would say which interface is meant{_there_are(netlink)}")


_FINDERS: Mapping[type[Choice], Callable[[IPRoute, Any], int]] = {
    ByAddress: _by_address,
    ByDefaultRoute: _by_default_route,
    ByName: _by_name,
}


def _leads_somewhere(route: Any) -> bool:
    """Other tables than the main one hold what policy routing chooses between; netlink lists them all."""
    return bool(route["type"] == _UNICAST and route.get_attr("RTA_TABLE") == _MAIN_TABLE)


def _outgoing(route: Any) -> Iterable[int]:
    """Of a route by several hops that of the first."""
    alone = route.get_attr("RTA_OIF")
    return (int(alone),) if alone else (int(hop["oif"]) for hop in route.get_attr("RTA_MULTIPATH") or ())


def _there_are(netlink: IPRoute) -> str:
    names = [str(link.get_attr("IFLA_IFNAME")) for link in netlink.get_links()]
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"; there are {', '.join(names[:_MAX_NAMED])}{more}" if names else "; there is none at all"


def _directory(roots: Roots, name: str) -> Path:
    return roots.sys / "class/net" / name


def _speed_bps(directory: Path) -> int | None:
    try:
        mbps = int((directory / "speed").read_text())
    except (OSError, ValueError):
        return None
    return mbps * _BPS_OF_MBPS if mbps > 0 else None


def _queues(directory: Path, direction: str) -> int:
    return len(list((directory / "queues").glob(f"{direction}-*")))
