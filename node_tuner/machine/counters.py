"""What the kernel counts where datagrams are lost before anybody reads them, and how full connection tracking is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from node_tuner.machine.roots import Roots


@dataclass(frozen=True, slots=True)
class Softnet:
    """/proc/net/softnet_stat, over all cores since boot; the whole node's, whatever the namespace."""

    dropped: int
    """Column 2: datagrams that net.core.netdev_max_backlog had no room for."""
    squeezed: int
    """Column 3: times that net.core.netdev_budget was used up before the work was done."""


@dataclass(frozen=True, slots=True)
class Conntrack:
    """Connection tracking: entries of this namespace, and how many there may be."""

    entries: int
    most: int


def softnet(roots: Roots) -> Softnet | None:
    """None where the kernel does not say, or not in this form."""
    rows = [line.split() for line in _lines(roots, "softnet_stat")]
    try:
        return Softnet(sum(int(row[1], 16) for row in rows), sum(int(row[2], 16) for row in rows)) if rows else None
    except (IndexError, ValueError):
        return None


def udp_receive_buffer_errors(roots: Roots) -> Mapping[str, int]:
    """Datagrams that a full socket had no room for, by IP version (`4`, `6`), since this namespace was made; without
    those versions that the kernel does not count."""
    counted = {"4": _udp(roots), "6": _udp6(roots)}
    return {version: count for version, count in counted.items() if count is not None}


def conntrack(roots: Roots) -> Conntrack | None:
    """None where the kernel has none."""
    names = ("net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max")
    try:
        return Conntrack(*(int((roots.proc / "sys" / name.replace(".", "/")).read_text()) for name in names))
    except (OSError, ValueError):
        return None


def _udp(roots: Roots) -> int | None:
    """Two lines begin with `Udp:`, of names and of values."""
    rows = [line.split()[1:] for line in _lines(roots, "snmp") if line.startswith("Udp: ")]
    return _number(dict(zip(*rows, strict=False)) if len(rows) == 2 else {}, "RcvbufErrors")


def _udp6(roots: Roots) -> int | None:
    rows = [line.split() for line in _lines(roots, "snmp6")]
    return _number({row[0]: row[1] for row in rows if len(row) == 2}, "Udp6RcvbufErrors")


def _number(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name, "")
    return int(text) if text.isdecimal() else None


def _lines(roots: Roots, name: str) -> Iterator[str]:
    try:
        yield from (roots.proc / "net" / name).read_text().splitlines()
    except OSError:
        return
