"""Marks what this node sends with its class's DSCP, by nftables.

What has a port of ours, and no mark yet where marks are to be kept, goes to the chain of its family; the first rule
there that fits sets the mark and ends it. `dscp set` keeps the two bits of ECN and mends the IPv4 header's checksum.

In the hook `output`: what the node forwards for others is neither marked nor slowed; a run of segments (UDP_SEGMENT) is
marked once, before it is cut; and so is a datagram that is fragmented afterwards, while a later fragment by itself, in
which nftables would take payload for ports, does not pass there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, ClassVar, Final

from node_tuner.controls.nft_expressions import ACCEPT, Expression, any_of, field, matches, transport_bytes
from node_tuner.controls.nft_table import Chain, NftTable
from node_tuner.errors import UnavailableError
from node_tuner.marking import FIRST_BYTES, Marking, MarkRule, Payload, Transport

_MANGLE: Final = -150
"""NF_IP_PRI_MANGLE."""

_FAMILIES: Final = {"ipv4": "ip", "ipv6": "ip6"}
"""meta nfproto -> the header's name."""

_UNMARKED: Final = 0
_FIRST_BYTE: Final = 8
"""Of the payload, counted from the start of the UDP header."""
_SECOND_BYTE: Final = 9
_PAYLOAD_TYPE_BITS: Final = 0x7F
"""RFC 3550 section 5.1: the bit above them is the marker."""


class NftMarking(NftTable):
    """Table `inet railbird_dscp`; spec: `Marking.as_json()`."""

    kind = "nft_marking"
    table = "railbird_dscp"
    example: ClassVar[Mapping[str, Any]] = {
        "only_unmarked": True,
        "rules": [
            {
                "class": "audio",
                "transport": "udp",
                "ports": "9,11-12",
                "payload": "media",
                "payload_types": [96, 98],
                "dscp": 46,
            }
        ],
    }

    def chains(self, spec: Mapping[str, Any]) -> Sequence[Chain]:
        """See `NftTable`."""
        marking = Marking.parse(spec)
        entrance = [
            _entrance(marking, family, transport)
            for family, transport in product(_FAMILIES, Transport)
            if _ports(marking, transport)
        ]
        return [
            Chain("output", entrance, "output", _MANGLE),
            *(Chain(family, [_rule(rule, header) for rule in marking.rules]) for family, header in _FAMILIES.items()),
        ]


def _entrance(marking: Marking, family: str, transport: Transport) -> Sequence[Expression]:
    unmarked = [matches(field(_FAMILIES[family], "dscp"), _UNMARKED)] if marking.only_unmarked else []
    return [
        matches({"meta": {"key": "nfproto"}}, family),
        matches(field(transport.value, "sport"), any_of(_ports(marking, transport))),
        *unmarked,
        {"goto": {"target": family}},
    ]


def _ports(marking: Marking, transport: Transport) -> frozenset[int]:
    return frozenset().union(*(rule.ports for rule in marking.rules if rule.transport is transport))


def _rule(rule: MarkRule, header: str) -> Sequence[Expression]:
    return [
        matches(field(rule.transport.value, "sport"), any_of(rule.ports)),
        *_payload(rule),
        {"mangle": {"key": field(header, "dscp"), "value": rule.dscp}},
        ACCEPT,
    ]


def _payload(rule: MarkRule) -> Iterator[Expression]:
    if rule.payload is Payload.ANY:
        return
    if rule.transport is not Transport.UDP:
        raise UnavailableError(f"{rule.traffic_class}: only a datagram of UDP says by its first byte what it is")
    yield matches(transport_bytes(_FIRST_BYTE), {"range": list(FIRST_BYTES[rule.payload])})
    if rule.payload_types:
        payload_type = {"&": [transport_bytes(_SECOND_BYTE), _PAYLOAD_TYPE_BITS]}
        yield matches(payload_type, {"set": sorted(rule.payload_types)})
