"""From a `Marking` to the program of a classifier (BPF_PROG_TYPE_SCHED_CLS) that writes the marks, in bytes.

How a packet goes through it: its IP header is read (IPv4 with options; IPv6 without extension headers) and its
transport header; a search among the source ports says which rules may fit, as bits of a mask; foreign traffic is done
here. Then the payload's kind picks a chain with its rules in their order, and the first that fits says the DSCP. ECN is
kept, IPv4's header checksum is put right. What is no such packet, a later fragment, or too short for its headers, stays
as it is.

It answers TC_ACT_UNSPEC to all: the filters after it have their turn, whatever it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from node_tuner.bpf.instructions import (
    Instruction,
    Label,
    Line,
    Register,
    Size,
    call,
    compute,
    encode,
    from_network_order,
    jump,
    jump_if,
    leave,
    load,
    move_wide,
    store,
)
from node_tuner.marking import FIRST_BYTES, Marking, MarkRule, Payload, Transport

MAX_RULES = 32
"""Each is a bit of an immediate."""

MAX_PORT_RANGES = 128
"""Of all rules together: the verifier walks each way through the search, and the longest was seen to be a tenth of what
it walks at most."""

# include/uapi/linux/bpf.h: helpers, a flag, and where struct __sk_buff has `protocol`.
_STORE_BYTES, _L3_CSUM_REPLACE, _LOAD_BYTES = 9, 10, 26
_RECOMPUTE_CSUM = 1
_PROTOCOL = 16
_TC_ACT_UNSPEC = -1

# As a little-endian machine reads them out of the packet.
_IPV4, _IPV6 = 0x0008, 0xDD86

_HEADER, _TRANSPORT = -40, -64
"""Where on the stack the IP header and the transport header, later the payload's first bytes, are."""
_IPV4_BYTES, _IPV6_BYTES = 20, 40
_CHECKSUM = 10
_PROTOCOLS = {Transport.UDP: 17, Transport.TCP: 6}
_TRANSPORT_BYTES = {Transport.UDP: 8, Transport.TCP: 20}
_NO_PAYLOAD_TYPE = 128
_PORTS = 65_536

# What is kept in which register, over calls.
_SKB, _PORT, _AT, _PAYLOAD_TYPE = Register.R6, Register.R7, Register.R8, Register.R9
_FITTING = _PORT
"""After the search: bit n for the n-th rule, if its ports fit."""
_R0, _R1, _R2, _R3, _R4, _R5, _STACK = (*list(Register)[:6], Register.R10)
_OUT = "out"


class _Interval(NamedTuple):
    """Ports from `first` to before the next interval's: which rules they fit."""

    first: int
    fitting: int


def assemble(marking: Marking, link_header_bytes: int) -> bytes:
    """The program for an interface whose packets begin with `link_header_bytes`: 14 for Ethernet, 0 for TUN.

    ValueError, with a sentence, where there are more rules or ports than a program may hold, or a rule makes no sense.
    """
    check(marking)
    return encode(
        [
            *_ip(marking, link_header_bytes),
            *(line for transport in Transport for line in _transport(marking, transport)),
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
    if not all(0 <= payload_type < _NO_PAYLOAD_TYPE for payload_type in rule.payload_types):
        raise ValueError(f"{rule.traffic_class}: RTP payload types are 0 to 127")
    if not 0 <= rule.dscp <= 63:
        raise ValueError(f"{rule.traffic_class}: a DSCP is 0 to 63")


def _ip(marking: Marking, link_header_bytes: int) -> Iterable[Line]:
    return [
        compute(_SKB, "=", _R1),
        load(_R1, Size.WORD, _SKB, _PROTOCOL),
        jump_if(_R1, "==", _IPV4, "ipv4"),
        jump_if(_R1, "!=", _IPV6, _OUT),
        *_read(link_header_bytes, _HEADER, _IPV6_BYTES, _OUT),
        load(_R1, Size.HALF, _STACK, _HEADER),
        from_network_order(_R1),
        *_unless_marked(marking, 0x0FC0),
        compute(_R1, ">>=", 12),
        jump_if(_R1, "!=", 6, _OUT),
        compute(_AT, "=", link_header_bytes + _IPV6_BYTES),
        load(_R1, Size.BYTE, _STACK, _HEADER + 6),
        jump("transport"),
        Label("ipv4"),
        *_read(link_header_bytes, _HEADER, _IPV4_BYTES, _OUT),
        load(_R1, Size.HALF, _STACK, _HEADER + 6),
        from_network_order(_R1),
        jump_if(_R1, "&", 0x1FFF, _OUT),  # a later fragment: what follows is no transport header
        load(_R1, Size.HALF, _STACK, _HEADER),
        from_network_order(_R1),
        *_unless_marked(marking, 0x00FC),
        compute(_R1, ">>=", 8),
        jump_if(_R1, "<", 0x45, _OUT),
        jump_if(_R1, ">", 0x4F, _OUT),
        compute(_AT, "=", _R1),
        compute(_AT, "&=", 0x0F),
        compute(_AT, "<<=", 2),
        compute(_AT, "+=", link_header_bytes),
        load(_R1, Size.BYTE, _STACK, _HEADER + 9),
        Label("transport"),
        *(jump_if(_R1, "==", _PROTOCOLS[transport], transport.value) for transport in _used(marking)),
        jump(_OUT),
    ]


def _unless_marked(marking: Marking, dscp_bits: int) -> list[Line]:
    return [jump_if(_R1, "&", dscp_bits, _OUT)] if marking.only_unmarked else []


def _used(marking: Marking) -> list[Transport]:
    return [transport for transport in Transport if any(rule.transport is transport for rule in marking.rules)]


def _transport(marking: Marking, transport: Transport) -> Iterable[Line]:
    """The rules of UDP, or of TCP."""
    name = transport.value
    rules = [(index, rule) for index, rule in enumerate(marking.rules) if rule.transport is transport]
    if not rules:
        return []
    return [
        Label(name),
        *_read(_AT, _TRANSPORT, _TRANSPORT_BYTES[transport], _OUT),
        load(_PORT, Size.HALF, _STACK, _TRANSPORT),
        from_network_order(_PORT),
        *_search(_intervals(rules), f"{name}-fits"),
        Label(f"{name}-fits"),
        *(_kinds(name) if any(rule.payload is not Payload.ANY for _, rule in rules) else []),
        *(line for kind in _kinds_of(rules) for line in _chain(rules, kind, f"{name}-{kind.value}")),
    ]


def _kinds_of(rules: Sequence[tuple[int, MarkRule]]) -> list[Payload]:
    """ANY is first: where the kind is none of the others it is what the program comes to."""
    return list(Payload) if any(rule.payload is not Payload.ANY for _, rule in rules) else [Payload.ANY]


def _intervals(rules: Sequence[tuple[int, MarkRule]]) -> list[_Interval]:
    """All ports, cut where another set of rules begins to fit."""
    ranges = [(1 << index, first, last) for index, rule in rules for first, last in rule.ports.ranges()]
    starts = sorted({0, *(first for _, first, _ in ranges), *(last + 1 for _, _, last in ranges)} - {_PORTS})
    fitting = [sum({bit for bit, first, last in ranges if first <= start <= last}) for start in starts]
    changes = [True, *(before != after for before, after in pairwise(fitting))]
    return [_Interval(*each) for each, is_new in zip(zip(starts, fitting, strict=True), changes, strict=True) if is_new]


def _search(intervals: Sequence[_Interval], found: str) -> list[Line]:
    """Halve until one is left; leave at once where no rule fits."""
    if len(intervals) == 1:
        return [compute(_FITTING, "=", intervals[0].fitting), jump(found)] if intervals[0].fitting else [jump(_OUT)]
    middle = len(intervals) // 2
    below, above = intervals[:middle], intervals[middle:]
    first = above[0].first
    if not any(each.fitting for each in below):
        return [jump_if(_PORT, "<", first, _OUT), *_search(above, found)]
    if not any(each.fitting for each in above):
        return [jump_if(_PORT, ">=", first, _OUT), *_search(below, found)]
    label = f"{found}-from-{first}"
    return [jump_if(_PORT, ">=", first, label), *_search(below, found), Label(label), *_search(above, found)]


def _kinds(name: str) -> Iterable[Line]:
    """To the chain of the payload's kind. A payload may be empty, or a single byte."""
    return [
        compute(_AT, "+=", _TRANSPORT_BYTES[Transport.UDP]),
        *_read(_AT, _TRANSPORT, 2, "one-byte"),
        load(_PAYLOAD_TYPE, Size.BYTE, _STACK, _TRANSPORT + 1),
        compute(_PAYLOAD_TYPE, "&=", 0x7F),  # without RTP's marker bit
        jump("kinds"),
        Label("one-byte"),
        *_read(_AT, _TRANSPORT, 1, f"{name}-{Payload.ANY.value}"),
        compute(_PAYLOAD_TYPE, "=", _NO_PAYLOAD_TYPE),
        Label("kinds"),
        load(_R1, Size.BYTE, _STACK, _TRANSPORT),
        *(line for kind in FIRST_BYTES for line in _to_kind(kind, f"{name}-{kind.value}")),
    ]


def _to_kind(kind: Payload, chain: str) -> Iterable[Line]:
    first, last = FIRST_BYTES[kind]
    other = f"not-{chain}"
    return [jump_if(_R1, "<", first, other), jump_if(_R1, "<=", last, chain), Label(other)]


def _chain(rules: Sequence[tuple[int, MarkRule]], kind: Payload, name: str) -> Iterable[Line]:
    """The rules for a kind of payload, in their order."""
    lines: list[Line] = [Label(name)]
    for index, rule in rules:
        if rule.payload in (Payload.ANY, kind):
            lines += _rule(index, rule, f"{name}-after-{index}")
    return [*lines, jump(_OUT)]


def _rule(index: int, rule: MarkRule, following: str) -> list[Line]:
    bit, mark = 1 << index, f"mark-{rule.dscp}"
    if not rule.payload_types:
        return [jump_if(_FITTING, "&", bit, mark)]
    types = sum(1 << payload_type for payload_type in rule.payload_types)
    return [
        jump_if(_FITTING, "&", bit, f"{following}-types"),
        jump(following),
        Label(f"{following}-types"),
        *_among(types, mark, following),
        Label(following),
    ]


def _among(types: int, mark: str, other: str) -> list[Line]:
    """To `mark` where the payload type is one of these bits: looked up in the half of them that it is in."""
    return [
        jump_if(_PAYLOAD_TYPE, ">=", _NO_PAYLOAD_TYPE, other),
        *move_wide(_R2, types & (1 << 64) - 1),
        jump_if(_PAYLOAD_TYPE, "<", 64, f"{other}-low"),
        *move_wide(_R2, types >> 64),
        Label(f"{other}-low"),
        compute(_R3, "=", _PAYLOAD_TYPE),
        compute(_R3, "&=", 63),
        compute(_R2, ">>=", _R3),
        jump_if(_R2, "&", 1, mark),
    ]


def _marks(marking: Marking, link_header_bytes: int) -> Iterable[Line]:
    """Writes the DSCP that the rule said (in R0, where TOS has it), and leaves."""
    dscps = sorted({rule.dscp for rule in marking.rules})
    return [
        *(line for dscp in dscps for line in (Label(f"mark-{dscp}"), compute(_R0, "=", dscp << 2), jump("mark"))),
        Label("mark"),
        load(_R1, Size.HALF, _STACK, _HEADER),
        compute(_R3, "=", _R1),
        from_network_order(_R1),
        load(_R2, Size.WORD, _SKB, _PROTOCOL),
        jump_if(_R2, "==", _IPV6, "mark-ipv6"),
        compute(_R1, "&=", 0xFF03),
        *_changed_word(),
        compute(_R1, "=", _SKB),
        compute(_R2, "=", link_header_bytes + _CHECKSUM),
        compute(_R5, "=", 2),
        call(_L3_CSUM_REPLACE),
        jump_if(_R0, "!=", 0, _OUT),
        *_write(link_header_bytes, 0),
        jump(_OUT),
        Label("mark-ipv6"),
        compute(_R0, "<<=", 4),
        compute(_R1, "&=", 0xF03F),
        *_changed_word(),
        *_write(link_header_bytes, _RECOMPUTE_CSUM),
        Label(_OUT),
        compute(_R0, "=", _TC_ACT_UNSPEC),
        leave(),
    ]


def _changed_word() -> Iterable[Line]:
    """Version, (IHL,) DSCP, ECN: the first two bytes of both headers, in R4 and on the stack; R3 is what they were."""
    return [
        compute(_R1, "|=", _R0),
        from_network_order(_R1),
        jump_if(_R1, "==", _R3, _OUT),
        store(_STACK, _HEADER, Size.HALF, _R1),
        compute(_R4, "=", _R1),
    ]


def _write(link_header_bytes: int, flags: int) -> list[Instruction]:
    return [
        compute(_R1, "=", _SKB),
        compute(_R2, "=", link_header_bytes),
        compute(_R3, "=", _STACK),
        compute(_R3, "+=", _HEADER),
        compute(_R4, "=", 2),
        compute(_R5, "=", flags),
        call(_STORE_BYTES),
    ]


def _read(at: Register | int, to: int, count: int, otherwise: str) -> list[Instruction]:
    """Copy bytes of the packet, wherever they are (a GSO send has its payload outside the head), to the stack."""
    return [
        compute(_R1, "=", _SKB),
        compute(_R2, "=", at),
        compute(_R3, "=", _STACK),
        compute(_R3, "+=", to),
        compute(_R4, "=", count),
        call(_LOAD_BYTES),
        jump_if(_R0, "!=", 0, otherwise),
    ]
