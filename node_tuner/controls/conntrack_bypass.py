"""Spares media the connection tracking: its time a datagram, and a table that a crowd of viewers fills.

Only what this node sends and receives itself: what it forwards, such as pods' traffic to other nodes' media ports, may
be somebody's to translate. A datagram that a process here sends to media ports of this node is met twice, by its
destination on its way out too: or else it would be tracked there.

Its price: what other people masquerade behind this node's address and such a port gets no answers. And to their rules
media is `ct state untracked`, neither new nor established.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from node_tuner.controls.nft_expressions import NOTRACK, TO_THIS_NODE, any_of, field, matches
from node_tuner.controls.nft_table import Chain, NftTable
from node_tuner.ports import Ports

_RAW: Final = -300
"""NF_IP_PRI_RAW: before connection tracking, at -200."""


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
        return [
            Chain("prerouting", [to_here], "prerouting", _RAW),
            Chain("output", [(sent, NOTRACK), to_here], "output", _RAW),
        ]
