"""Network interfaces of this namespace, and what their drivers let be tuned; cards first, before hundreds of veths."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from node_tuner.contract import Value
from node_tuner.controls.ethtool import Channels, Coalescing, Offloads, Rings
from node_tuner.controls.ethtool_netlink import driver
from node_tuner.errors import TunerError, UnavailableError
from node_tuner.machine.choice import ByName
from node_tuner.machine.interfaces import find
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding, Section

MAX_INTERFACES = 16
"""Told one by one."""

_UDP_SEGMENTATION = "tx-udp-segmentation"
_UNIT_BPS = 1_000_000


def interfaces(roots: Roots) -> Iterator[Section]:
    """See `finding.Probe`."""
    links = [Link(name, index) for index, name in socket.if_nameindex()]
    ordered = sorted(links, key=lambda link: (not _is_card(roots, link), link.index))
    for link in ordered[:MAX_INTERFACES]:
        yield _section(roots, link)
    if len(ordered) > MAX_INTERFACES:
        yield Section("more interfaces", [Finding("not told", len(ordered) - MAX_INTERFACES, "none of them a card")])


def _is_card(roots: Roots, link: Link) -> bool:
    return (roots.sys / "class/net" / link.name / "device").exists()


def _section(roots: Roots, link: Link) -> Section:
    title = f"interface {link.name}"
    try:
        return Section(title, list(_findings(roots, link)))
    except TunerError as error:  # it is gone meanwhile, or sysfs shows another namespace
        return Section(title, [Finding("state", None, str(error))])


def _findings(roots: Roots, link: Link) -> Iterator[Finding]:
    interface = find(roots, ByName(link.name))
    speed_bps = interface.speed_bps
    yield Finding("driver", driver(link))
    yield Finding("speed Mb/s", speed_bps and speed_bps // _UNIT_BPS, "" if speed_bps else "the driver does not say")
    yield Finding("queues", {"rx": interface.rx_queues, "tx": interface.tx_queues})
    for name, ask in _QUESTIONS.items():
        yield _asked(name, ask, link)


def _asked(name: str, ask: Callable[[Link], tuple[Value, str]], link: Link) -> Finding:
    try:
        return Finding(name, *ask(link))
    except UnavailableError as error:
        return Finding(name, None, str(error))


def _limited(control: Channels | Rings) -> tuple[Value, str]:
    limits = {key: most for key, most in control.limits().items() if most}
    return control.read(), f"at most {_listed(limits)}" if limits else ""


def _segmentation(link: Link) -> tuple[Value, str]:
    control = Offloads(link, [_UDP_SEGMENTATION])
    obstacle = control.obstacle()
    fixed = f"; it cannot be changed: {obstacle}" if obstacle else ""
    return control.read()[_UDP_SEGMENTATION], f"a run of datagrams is one send, cut by the card{fixed}"


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())


_QUESTIONS: Mapping[str, Callable[[Link], tuple[Value, str]]] = {
    "channels": lambda link: _limited(Channels(link)),
    "rings": lambda link: _limited(Rings(link)),
    "coalescing": lambda link: (Coalescing(link).read(), ""),
    "UDP segmentation offload": _segmentation,
}
