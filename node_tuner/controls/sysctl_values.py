"""Values that a setting cannot have here though it could have others: a write would fail, or do more than it says."""

import socket
from collections.abc import Callable, Mapping

from node_tuner.controls.qdisc import OUR_HANDLE
from node_tuner.controls.qdisc_netlink import is_unknown
from node_tuner.errors import UnavailableError
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots

_ALLOWED = "net.ipv4.tcp_allowed_congestion_control"


def obstacle(name: str, value: str, roots: Roots) -> str | None:
    """Why this setting cannot be made `value`; None: nothing that is known, or no value. Nothing is changed."""
    return _WHY_NOT[name](value, roots) if value and name in _WHY_NOT else None


def _qdisc(value: str, roots: Roots) -> str | None:
    """Any interface will do to ask for it, and this one is everywhere."""
    try:
        lacking = is_unknown(Link("lo", socket.if_nametoindex("lo")), OUR_HANDLE, value)
    except (OSError, UnavailableError):
        return None
    return f"this kernel has no qdisc {value}" if lacking else None


def _congestion_control(value: str, roots: Roots) -> str | None:
    """net/ipv4/tcp_cong.c `tcp_set_default_congestion_control`: it makes the algorithm one that every program may
    choose, for good; in another namespace than the host's it refuses one that is not yet."""
    try:
        allowed = roots.setting(_ALLOWED).read_text().split()
    except OSError:
        return None
    if value in allowed:
        return None
    return (
        f"{value} is not in {_ALLOWED} ({' '.join(allowed)}): to set it would allow it to every program, also after"
        " a restore; put it there first"
    )


_WHY_NOT: Mapping[str, Callable[[str, Roots], str | None]] = {
    "net.core.default_qdisc": _qdisc,
    "net.ipv4.tcp_congestion_control": _congestion_control,
}
