"""What rules of ours are made of, as libnftables-json(5) writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from node_tuner.ports import Ports

Expression = Mapping[str, Any]
"""`{"match": {...}}`, `{"accept": None}`: a rule is some of them, evaluated until one does not fit."""

ACCEPT: Final[Expression] = {"accept": None}
"""No more rules of ours; other people's chains follow."""

NOTRACK: Final[Expression] = {"notrack": None}
"""Connection tracking leaves it alone; of no effect after priority -200."""


def matches(left: Expression, right: Any) -> Expression:
    """Whether `left` is `right`, or one of it."""
    return {"match": {"op": "==", "left": left, "right": right}}


def field(protocol: str, name: str) -> Expression:
    """A field of a header; to match it is to match the protocol as well."""
    return {"payload": {"protocol": protocol, "field": name}}


def transport_bytes(start: int, count: int = 1) -> Expression:
    """A number behind the start of the UDP or ICMP header; a packet that ends before it does not fit."""
    return {"payload": {"base": "th", "offset": start * 8, "len": count * 8}}


def any_of(numbers: Iterable[int]) -> Expression:
    """A set."""
    return {"set": [first if first == last else {"range": [first, last]} for first, last in Ports(numbers).ranges()]}


TO_THIS_NODE: Final = matches({"fib": {"result": "type", "flags": ["daddr"]}}, "local")
"""Whether the destination is an address of this network namespace."""
