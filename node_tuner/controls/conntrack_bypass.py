"""Spares media the connection tracking: its time a datagram, and a table that a crowd of viewers fills.

Only what this node sends and receives itself: what it forwards, such as pods' traffic to other nodes' media ports, may
be somebody's to translate. A datagram that a process here sends to media ports of this node is met twice, by its
destination on its way out too: or else it would be tracked there. Errors of ICMP about media belong to no flow that is
known any more, and many a firewall drops what is `ct state invalid`: with them the news that a path has a small MTU. So
they are let go as well.

Its price: what other people masquerade behind this node's address and such a port gets no answers. And to their rules
media is `ct state untracked`, neither new nor established.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from node_tuner.controls.nft_expressions import (
    NOTRACK,
    TO_THIS_NODE,
    Expression,
    any_of,
    field,
    matches,
    transport_bytes,
)
from node_tuner.controls.nft_table import Chain, NftTable
from node_tuner.ports import Ports

_RAW: Final = -300
"""NF_IP_PRI_RAW: before connection tracking, at -200."""

_ICMP_HEADER_BYTES: Final = 8
"""Behind it an error quotes the packet that it is about: RFC 792, RFC 4443 section 3."""

_IPV4_OF_20_BYTES: Final = 0x45
_UDP: Final = 17


class ConntrackBypass(NftTable):
    """Table `inet railbird_conntrack`; spec {"ports": "8189,9000-9010"}: UDP ports of this node."""

    kind = "conntrack_bypass"
    table = "railbird_conntrack"
    example: ClassVar[Mapping[str, Any]] = {"ports": "9,11-12"}

    def chains(self, spec: Mapping[str, Any]) -> Sequence[Chain]:
        """See `NftTable`."""
        ports = any_of(Ports.parse(spec["ports"]))
        sent, received = (matches(field("udp", name), ports) for name in ("sport", "dport"))
        to_here = (received, TO_THIS_NODE, NOTRACK)
        errors = [(*error, TO_THIS_NODE, NOTRACK) for error in (_error_of_ipv4(ports), _error_of_ipv6(ports))]
        return [
            Chain("prerouting", [to_here, *errors], "prerouting", _RAW),
            Chain("output", [(sent, NOTRACK), to_here], "output", _RAW),
        ]


def _error_of_ipv4(ports: Expression) -> Sequence[Expression]:
    """About what was sent from these ports; where its header has options, it stays `invalid`."""
    types = ["destination-unreachable", "time-exceeded", "parameter-problem"]
    return [
        matches(field("icmp", "type"), {"set": types}),
        matches(_quoted(0), _IPV4_OF_20_BYTES),
        matches(_quoted(9), _UDP),
        matches(_quoted(20, 2), ports),
    ]


def _error_of_ipv6(ports: Expression) -> Sequence[Expression]:
    types = ["destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"]
    return [
        matches(field("icmpv6", "type"), {"set": types}),
        matches(_quoted(6), _UDP),
        matches(_quoted(40, 2), ports),
    ]


def _quoted(start: int, count: int = 1) -> Expression:
    return transport_bytes(_ICMP_HEADER_BYTES + start, count)
