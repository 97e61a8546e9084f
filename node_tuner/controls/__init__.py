"""One file a kind of control: how the kernel is asked for a value, and told one; and how each is found again."""

from collections.abc import Callable, Mapping, Sequence

from node_tuner.contract import Control, Where
from node_tuner.controls.bpf_marking import BpfMarking
from node_tuner.controls.clsact import Clsact
from node_tuner.controls.conntrack_bypass import ConntrackBypass
from node_tuner.controls.ethtool import Channels, Coalescing, Offloads, Rings
from node_tuner.controls.nft_marking import NftMarking
from node_tuner.controls.qdisc import RootQdisc
from node_tuner.controls.steering import Rps, Xps
from node_tuner.controls.sysctl import Sysctl
from node_tuner.errors import StateError
from node_tuner.machine.link import Link
from node_tuner.machine.roots import Roots

_BY_KIND: Mapping[str, Callable[[Where, Roots], Control]] = {
    "bpf_marking": lambda where, roots: BpfMarking(Link.parse(where)),
    "channels": lambda where, roots: Channels.parse(where),
    "clsact": lambda where, roots: Clsact(Link.parse(where)),
    "coalescing": lambda where, roots: Coalescing.parse(where),
    "offloads": lambda where, roots: Offloads.parse(where),
    "qdisc": lambda where, roots: RootQdisc(Link.parse(where)),
    "rings": lambda where, roots: Rings.parse(where),
    "conntrack_bypass": lambda where, roots: ConntrackBypass(),
    "nft_marking": lambda where, roots: NftMarking(),
    "rps": lambda where, roots: Rps(Link.parse(where), roots),
    "sysctl": lambda where, roots: Sysctl(str(where["name"]), roots),
    "xps": lambda where, roots: Xps(Link.parse(where), roots),
}

_MOVES: Mapping[str, Sequence[str]] = {"channels": ("rps", "xps")}
"""Queues take their masks with them when they go, and come without any."""


def moves(kind: str, where: Where) -> Sequence[tuple[str, Where]]:
    """Kind and place of the controls whose values may become others by a write of the one of that kind and place."""
    link = {name: where[name] for name in ("interface", "index") if name in where}
    return [(moved, link) for moved in _MOVES.get(kind, ())]


def overlap(where: Where, other: Where) -> bool:
    """Whether two places of one kind have values in common: of one card, where each is about keys of its own."""
    keys, others = (set(str(each.get("keys", "")).split(",")) - {""} for each in (where, other))
    return where.get("index") == other.get("index") and not keys.isdisjoint(others)


def control_of(kind: str, where: Where, roots: Roots) -> Control:
    """The control of which a record says `kind` and `where`. StateError for a kind or a place that there is none of."""
    try:
        return _BY_KIND[kind](where, roots)
    except (KeyError, ValueError) as error:
        raise StateError(f"the record names a control that this version does not know: {kind} {dict(where)}") from error
