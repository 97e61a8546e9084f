"""The rules of a transport, as instructions: which of them fit the port, what the payload is, which is the first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from node_tuner.bpf.instructions import Label, Line, Size, compute, from_network_order, jump, jump_if, load, move_wide
from node_tuner.bpf.packet import AT, FITTING, OUT, PAYLOAD_TYPE, PORT, R1, R2, R3, STACK, TRANSPORT, read
from node_tuner.bpf.search import intervals, search
from node_tuner.marking import FIRST_BYTES, Marking, MarkRule, Payload, Transport

PAYLOAD_TYPES = 128
"""So many there are; and the number that stands for none."""

_HEADER_BYTES = {Transport.UDP: 8, Transport.TCP: 20}
_WORD_BITS = 64


def mark_label(dscp: int) -> str:
    """Where a chain goes on when a rule with this DSCP fits."""
    return f"mark-{dscp}"


def rules_of(marking: Marking, transport: Transport) -> Iterable[Line]:
    """From the transport header, at AT, to the label of a mark or OUT."""
    name = transport.value
    rules = [(number, rule) for number, rule in enumerate(marking.rules) if rule.transport is transport]
    if not rules:
        return []
    by_payload = any(rule.payload is not Payload.ANY for _, rule in rules)
    return [
        Label(name),
        *read(AT, TRANSPORT, _HEADER_BYTES[transport], OUT),
        load(PORT, Size.HALF, STACK, TRANSPORT),
        from_network_order(PORT),
        *search(intervals(rules), f"{name}-fits"),
        Label(f"{name}-fits"),
        *(_to_kind(name) if by_payload else []),
        # ANY is first: where the payload is of no other kind the program comes to it.
        *(line for kind in (Payload if by_payload else [Payload.ANY]) for line in _chain(rules, kind, name)),
    ]


def _to_kind(name: str) -> Iterable[Line]:
    """To the chain of the payload's kind. A payload may be empty, or a single byte."""
    return [
        compute(AT, "+=", _HEADER_BYTES[Transport.UDP]),
        *read(AT, TRANSPORT, 2, "one-byte"),
        load(PAYLOAD_TYPE, Size.BYTE, STACK, TRANSPORT + 1),
        compute(PAYLOAD_TYPE, "&=", 0x7F),  # without RTP's marker bit
        jump("kinds"),
        Label("one-byte"),
        *read(AT, TRANSPORT, 1, _chain_label(name, Payload.ANY)),
        compute(PAYLOAD_TYPE, "=", PAYLOAD_TYPES),
        Label("kinds"),
        load(R1, Size.BYTE, STACK, TRANSPORT),
        *(line for kind in FIRST_BYTES for line in _if_kind(kind, _chain_label(name, kind))),
    ]


def _if_kind(kind: Payload, chain: str) -> Iterable[Line]:
    first, last = FIRST_BYTES[kind]
    other = f"not-{chain}"
    return [jump_if(R1, "<", first, other), jump_if(R1, "<=", last, chain), Label(other)]


def _chain_label(name: str, kind: Payload) -> str:
    return f"{name}-{kind.value}"


def _chain(rules: Sequence[tuple[int, MarkRule]], kind: Payload, name: str) -> Iterable[Line]:
    """The rules for a kind of payload, in their order."""
    label = _chain_label(name, kind)
    lines: list[Line] = [Label(label)]
    for number, rule in rules:
        if rule.payload in (Payload.ANY, kind):
            lines += _rule(number, rule, f"{label}-after-{number}")
    return [*lines, jump(OUT)]


def _rule(number: int, rule: MarkRule, following: str) -> list[Line]:
    bit, mark = 1 << number, mark_label(rule.dscp)
    if not rule.payload_types:
        return [jump_if(FITTING, "&", bit, mark)]
    return [
        jump_if(FITTING, "&", bit, f"{following}-types"),
        jump(following),
        Label(f"{following}-types"),
        *_among(rule.payload_types, mark, following),
        Label(following),
    ]


def _among(payload_types: Iterable[int], mark: str, other: str) -> list[Line]:
    """To `mark` where the payload type is one of these: a bit of two words, looked up in the one that has it."""
    types = sum(1 << payload_type for payload_type in payload_types)
    return [
        jump_if(PAYLOAD_TYPE, ">=", PAYLOAD_TYPES, other),
        *move_wide(R2, types & (1 << _WORD_BITS) - 1),
        jump_if(PAYLOAD_TYPE, "<", _WORD_BITS, f"{other}-low"),
        *move_wide(R2, types >> _WORD_BITS),
        Label(f"{other}-low"),
        compute(R3, "=", PAYLOAD_TYPE),
        compute(R3, "&=", _WORD_BITS - 1),
        compute(R2, ">>=", R3),
        jump_if(R2, "&", 1, mark),
    ]
