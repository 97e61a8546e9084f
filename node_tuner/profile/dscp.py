"""Marks of a profile: which packets get which DSCP (RFC 8837), and by what means."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from node_tuner.profile.fields import KnobSection, PortsOrReference, Section, refuse

MAX_RULES = 32
"""Each is some twenty instructions of the eBPF program."""

DSCP_NAMES: Mapping[str, int] = {
    "DF": 0,
    "LE": 1,
    "VA": 44,
    "EF": 46,
    **{f"CS{number}": 8 * number for number in range(8)},
    **{f"AF{number}{drop}": 8 * number + 2 * drop for number in range(1, 5) for drop in range(1, 4)},
}
"""RFC 2474, 2597, 3246, 5865 and 8622."""


def name_of(dscp: int) -> str:
    """`EF` for 46; `DSCP 45` for a number that has no name."""
    return next((name for name, number in DSCP_NAMES.items() if number == dscp), f"DSCP {dscp}")


_RTCP = range(64, 96)
"""Payload types that RTCP's packet types look like where both share a port (RFC 5761 section 4)."""


def _dscp(given: object) -> object:
    if isinstance(given, str):
        if given not in DSCP_NAMES:
            raise ValueError(f"expected 0 to 63, or one of {', '.join(DSCP_NAMES)}")
        return DSCP_NAMES[given]
    return given


class MarkRuleSpec(Section):
    """One rule; the first that fits a packet says its mark."""

    traffic_class: Annotated[Literal["bet_signals", "audio", "video", "retransmission", "other"], Field(alias="class")]
    """What it is for: it stands in plans."""
    transport: Literal["udp", "tcp"] = "udp"
    ports: PortsOrReference = "media_ports"
    """Source ports: what this node sends."""
    payload: Literal["any", "dtls", "media"] = "any"
    """By a datagram's first byte (RFC 7983): `dtls` is also all that data channels carry, `media` is SRTP and SRTCP."""
    payload_types: Annotated[tuple[Annotated[int, Field(strict=True, ge=0, le=127)], ...], Field(max_length=64)] = ()
    """Of RTP, so only with `payload: media`; none: all of them, and RTCP. 64 to 95 are RTCP's."""
    dscp: Annotated[int, BeforeValidator(_dscp), Field(strict=True, ge=0, le=63)]
    """By name (EF, AF41, CS0 ...), or its number."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.payload_types and self.payload != "media":
            refuse((("payload_types",), "only `payload: media` has payload types"))
        if self.payload != "any" and self.transport == "tcp":
            refuse((("payload",), "only datagrams are told apart by their first byte: say `payload: any`"))
        refuse(
            *(
                (("payload_types", index), "64 to 95 are RTCP's where it shares the port (RFC 5761 section 4)")
                for index, payload_type in enumerate(self.payload_types)
                if payload_type in _RTCP
            )
        )
        return self


class DscpSpec(KnobSection):
    """Marks what this node sends."""

    mechanism: Literal["nft", "bpf", "none"]
    """`nft` needs CAP_NET_ADMIN; `bpf` is cheaper, and needs CAP_BPF or CAP_SYS_ADMIN as well; `none` marks nothing."""
    only_unmarked: Annotated[bool, Field(strict=True)] = True
    """Whether a mark that a program gave its own packet stays."""
    priority: Annotated[int, Field(strict=True, ge=1, le=65_535)] = 100
    """Of the eBPF filter among others of the interface, the smallest runs first. 1 is often taken (Cilium)."""
    rules: Annotated[tuple[MarkRuleSpec, ...], Field(max_length=MAX_RULES)] = ()
    """Top to bottom."""

    @model_validator(mode="after")
    def _has_rules(self) -> Self:
        if self.mechanism != "none" and not self.rules:
            refuse((("mechanism",), "there are no `rules` to mark by"))
        return self
