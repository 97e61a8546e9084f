"""Which ways to mark packets and to spare them connection tracking this kernel takes: it is asked, as a dry run."""

from collections.abc import Iterator, Mapping
from typing import Any

from node_tuner.bpf import loading
from node_tuner.controls.nft import transact
from node_tuner.controls.nft_expressions import NOTRACK, TO_THIS_NODE, Expression, field, matches
from node_tuner.errors import UnavailableError
from node_tuner.machine.roots import Roots
from node_tuner.report.finding import Finding, Section

_TABLE = "railbird_report"

_FIRST_BYTE: Expression = {"payload": {"base": "th", "offset": 64, "len": 8}}
"""Of what is in a datagram of UDP."""

_EXPRESSIONS: Mapping[str, tuple[str, Expression]] = {
    "notrack": ("the conntrack bypass", NOTRACK),
    "fib": ("the conntrack bypass, of what is for this node alone", TO_THIS_NODE),
    "dscp set": ("marks by nftables", {"mangle": {"key": field("ip", "dscp"), "value": 46}}),
    "raw payload": ("marks by nftables, by what a datagram is", matches(_FIRST_BYTE, 128)),
}
"""What a rule has -> what for, and an example."""


def nftables(_roots: Roots) -> Iterator[Section]:
    """See `finding.Probe`."""
    why_not = _refusal(None)
    findings = [Finding("nftables", why_not is None, why_not or "nft(8) is there, and the kernel takes tables")]
    for name, (purpose, expression) in _EXPRESSIONS.items() if why_not is None else ():
        refusal = _refusal(expression)
        findings.append(Finding(name, refusal is None, f"{purpose}: {refusal}" if refusal else purpose))
    yield Section("nftables", findings)


def ebpf(_roots: Roots) -> Iterator[Section]:
    """See `finding.Probe`."""
    why_not = loading.obstacle()
    yield Section("eBPF", [Finding("programs can be loaded", why_not is None, why_not or "marks by eBPF")])


def _refusal(expression: Expression | None) -> str | None:
    try:
        transact(list(_commands(expression)), is_dry=True)
    except UnavailableError as error:
        return str(error)
    return None


def _commands(expression: Expression | None) -> Iterator[Mapping[str, Any]]:
    """A table, a chain where packets are tracked or not, and a rule with the expression."""
    where = {"family": "inet", "table": _TABLE}
    yield {"add": {"table": {"family": "inet", "name": _TABLE}}}
    yield {"add": {"chain": {**where, "name": "output", "type": "filter", "hook": "output", "prio": -300}}}
    if expression is not None:
        yield {"add": {"rule": {**where, "chain": "output", "expr": [expression]}}}
