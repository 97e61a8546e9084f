"""Which packets get which DSCP (RFC 8837): what nftables and the eBPF program are both written from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from node_tuner.ports import Ports


class Transport(Enum):
    """What carries it."""

    UDP = "udp"
    TCP = "tcp"


class Payload(Enum):
    """What a datagram's first byte says it is (RFC 7983 section 7)."""

    ANY = "any"
    DTLS = "dtls"
    """20 to 63: handshakes, and all that data channels carry."""
    MEDIA = "media"
    """128 to 191: SRTP and SRTCP."""


FIRST_BYTES: Mapping[Payload, tuple[int, int]] = {Payload.DTLS: (20, 63), Payload.MEDIA: (128, 191)}
"""First and last value of a kind's first byte."""


@dataclass(frozen=True, slots=True)
class MarkRule:
    """One line: the first that fits a packet says its mark."""

    traffic_class: str
    """`bet_signals`, `audio`, `video`, `retransmission`, `other`: for people."""
    transport: Transport
    ports: Ports
    """Source ports: what this node sends."""
    payload: Payload
    payload_types: frozenset[int]
    """Of RTP (MEDIA alone); empty: all, and RTCP."""
    dscp: int
    """0 to 63."""


@dataclass(frozen=True, slots=True)
class Marking:
    """All rules, top to bottom. Packets that already have a mark other than 0 keep it where `only_unmarked` says so."""

    rules: tuple[MarkRule, ...]
    only_unmarked: bool

    def as_json(self) -> dict[str, Any]:
        """The value of a control that marks; `parse` is its inverse."""
        return {
            "only_unmarked": self.only_unmarked,
            "rules": [
                {
                    "class": rule.traffic_class,
                    "transport": rule.transport.value,
                    "ports": str(rule.ports),
                    "payload": rule.payload.value,
                    "payload_types": sorted(rule.payload_types),
                    "dscp": rule.dscp,
                }
                for rule in self.rules
            ],
        }

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Marking:
        """Inverse of `as_json`; KeyError or ValueError for anything else."""
        return cls(tuple(_rule(each) for each in value["rules"]), bool(value["only_unmarked"]))


def _rule(value: Mapping[str, Any]) -> MarkRule:
    return MarkRule(
        value["class"],
        Transport(value["transport"]),
        Ports.parse(value["ports"]),
        Payload(value["payload"]),
        frozenset(value["payload_types"]),
        int(value["dscp"]),
    )


def digest_of(spec: Mapping[str, Any] | Sequence[Any]) -> str:
    """Twelve hexadecimal digits that change when `spec` (JSON) does: what our things in the kernel are called by."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:12]
