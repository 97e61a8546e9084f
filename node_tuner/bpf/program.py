"""From a `Marking` to the program of a classifier (BPF_PROG_TYPE_SCHED_CLS) that writes the marks, in bytes.

How a packet goes through it: its IP header is read (IPv4 with options; IPv6 without extension headers) and its
transport header; a search among the source ports says which rules may fit, as bits of a mask; foreign traffic is done
here. Then the payload's kind picks a chain with its rules in their order, and the first that fits says the DSCP. ECN is
kept, IPv4's header checksum is put right. What is no such packet, or too short for its headers, stays as it is; and so
does every fragment: only the first says whose it is, and no datagram is to be in two classes.

It answers TC_ACT_UNSPEC to all: the filters after it have their turn, whatever it did.
"""

from __future__ import annotations

from collections.abc import Iterable

from node_tuner.bpf.chains import PAYLOAD_TYPES, mark_label, rules_of
from node_tuner.bpf.instructions import (
    Instruction,
    Label,
    Line,
    Size,
    call,
    compute,
    encode,
    from_network_order,
    jump,
    jump_if,
    leave,
    load,
    store,
)
from node_tuner.bpf.packet import AT, HEADER, OUT, R0, R1, R2, R3, R4, R5, SKB, STACK, read
from node_tuner.marking import Marking, MarkRule, Payload, Transport

MAX_RULES = 32
"""Each is a bit of an immediate."""

MAX_PORT_RANGES = 512
"""Of all rules together: the verifier walks each way through the search, and was seen to walk less than half of what it
does at most."""

# include/uapi/linux/bpf.h: helpers, a flag, and where struct __sk_buff has `protocol`.
_STORE_BYTES, _L3_CSUM_REPLACE = 9, 10
_RECOMPUTE_CSUM = 1
_PROTOCOL = 16
_TC_ACT_UNSPEC = -1

# As a little-endian machine reads them out of the packet.
_IPV4, _IPV6 = 0x0008, 0xDD86

_IPV4_BYTES, _IPV6_BYTES = 20, 40
_CHECKSUM = 10
_MORE_FRAGMENTS, _FRAGMENT_OFFSET = 0x2000, 0x1FFF
_PROTOCOLS = {Transport.UDP: 17, Transport.TCP: 6}


def assemble(marking: Marking, link_header_bytes: int) -> bytes:
    """The program for an interface whose packets begin with `link_header_bytes`: 14 for Ethernet, 0 for TUN.

    ValueError, with a sentence, where there are more rules or ports than a program may hold, or a rule makes no sense.
    """
    check(marking)
    return encode(
        [
            *_ip(marking, link_header_bytes),
            *(line for transport in Transport for line in rules_of(marking, transport)),
            *_marks(marking, link_header_bytes),
        ]
    )


def check(marking: Marking) -> None:
    """ValueError for what `assemble` refuses."""
    if not marking.rules:
        raise ValueError("there are no rules")
    if len(marking.rules) > MAX_RULES:
        raise ValueError(f"{len(marking.rules)} rules are more than the {MAX_RULES} that an eBPF program may have")
    ranges = sum(len(list(rule.ports.ranges())) for rule in marking.rules)
    if ranges > MAX_PORT_RANGES:
        raise ValueError(f"{ranges} ranges of ports are more than the {MAX_PORT_RANGES} that an eBPF program may have")
    for rule in marking.rules:
        _check(rule)


def _check(rule: MarkRule) -> None:
    if not rule.ports:
        raise ValueError(f"{rule.traffic_class}: it has no ports")
    if rule.transport is Transport.TCP and rule.payload is not Payload.ANY:
        raise ValueError(f"{rule.traffic_class}: what the first byte says is true of datagrams, not of TCP")
    if rule.payload_types and rule.payload is not Payload.MEDIA:
        raise ValueError(f"{rule.traffic_class}: only media has RTP payload types")
    if not all(0 <= payload_type < PAYLOAD_TYPES for payload_type in rule.payload_types):
        raise ValueError(f"{rule.traffic_class}: RTP payload types are 0 to {PAYLOAD_TYPES - 1}")
    if not 0 <= rule.dscp <= 63:
        raise ValueError(f"{rule.traffic_class}: a DSCP is 0 to 63")


def _ip(marking: Marking, link_header_bytes: int) -> Iterable[Line]:
    """To the rules of the transport, with AT where its header is."""
    return [
        compute(SKB, "=", R1),
        load(R1, Size.WORD, SKB, _PROTOCOL),
        jump_if(R1, "==", _IPV4, "ipv4"),
        jump_if(R1, "!=", _IPV6, OUT),
        *_ipv6(marking, link_header_bytes),
        jump("transport"),
        Label("ipv4"),
        *_ipv4(marking, link_header_bytes),
        Label("transport"),
        *(jump_if(R1, "==", _PROTOCOLS[transport], transport.value) for transport in _used(marking)),
        jump(OUT),
    ]


def _ipv6(marking: Marking, link_header_bytes: int) -> Iterable[Line]:
    return [
        *read(link_header_bytes, HEADER, _IPV6_BYTES, OUT),
        load(R1, Size.HALF, STACK, HEADER),
        from_network_order(R1),
        *_unless_marked(marking, 0x0FC0),
        compute(R1, ">>=", 12),
        jump_if(R1, "!=", 6, OUT),
        compute(AT, "=", link_header_bytes + _IPV6_BYTES),
        load(R1, Size.BYTE, STACK, HEADER + 6),
    ]


def _ipv4(marking: Marking, link_header_bytes: int) -> Iterable[Line]:
    return [
        *read(link_header_bytes, HEADER, _IPV4_BYTES, OUT),
        load(R1, Size.HALF, STACK, HEADER + 6),
        from_network_order(R1),
        jump_if(R1, "&", _MORE_FRAGMENTS | _FRAGMENT_OFFSET, OUT),
        load(R1, Size.HALF, STACK, HEADER),
        from_network_order(R1),
        *_unless_marked(marking, 0x00FC),
        compute(R1, ">>=", 8),
        jump_if(R1, "<", 0x45, OUT),
        jump_if(R1, ">", 0x4F, OUT),
        compute(AT, "=", R1),
        compute(AT, "&=", 0x0F),
        compute(AT, "<<=", 2),
        compute(AT, "+=", link_header_bytes),
        load(R1, Size.BYTE, STACK, HEADER + 9),
    ]


def _unless_marked(marking: Marking, dscp_bits: int) -> list[Line]:
    return [jump_if(R1, "&", dscp_bits, OUT)] if marking.only_unmarked else []


def _used(marking: Marking) -> list[Transport]:
    return [transport for transport in Transport if any(rule.transport is transport for rule in marking.rules)]


def _marks(marking: Marking, link_header_bytes: int) -> Iterable[Line]:
    """Writes the DSCP that the rule said (in R0, where TOS has it), and leaves."""
    dscps = sorted({rule.dscp for rule in marking.rules})
    return [
        *(line for dscp in dscps for line in (Label(mark_label(dscp)), compute(R0, "=", dscp << 2), jump("mark"))),
        Label("mark"),
        load(R1, Size.HALF, STACK, HEADER),
        compute(R3, "=", R1),
        from_network_order(R1),
        load(R2, Size.WORD, SKB, _PROTOCOL),
        jump_if(R2, "==", _IPV6, "mark-ipv6"),
        compute(R1, "&=", 0xFF03),
        *_changed_word(),
        compute(R1, "=", SKB),
        compute(R2, "=", link_header_bytes + _CHECKSUM),
        compute(R5, "=", 2),
        call(_L3_CSUM_REPLACE),
        jump_if(R0, "!=", 0, OUT),
        *_write(link_header_bytes, 0),
        jump(OUT),
        Label("mark-ipv6"),
        compute(R0, "<<=", 4),
        compute(R1, "&=", 0xF03F),
        *_changed_word(),
        *_write(link_header_bytes, _RECOMPUTE_CSUM),
        Label(OUT),
        compute(R0, "=", _TC_ACT_UNSPEC),
        leave(),
    ]


def _changed_word() -> Iterable[Line]:
    """Version, (IHL,) DSCP, ECN: the first two bytes of both headers, in R4 and on the stack; R3 is what they were."""
    return [
        compute(R1, "|=", R0),
        from_network_order(R1),
        jump_if(R1, "==", R3, OUT),  # a write may copy the packet's head
        store(STACK, HEADER, Size.HALF, R1),
        compute(R4, "=", R1),
    ]


def _write(link_header_bytes: int, flags: int) -> list[Instruction]:
    return [
        compute(R1, "=", SKB),
        compute(R2, "=", link_header_bytes),
        compute(R3, "=", STACK),
        compute(R3, "+=", HEADER),
        compute(R4, "=", 2),
        compute(R5, "=", flags),
        call(_STORE_BYTES),
    ]
