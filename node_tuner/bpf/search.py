"""The search for the rules that a source port fits: by halves, so that many ranges cost little more than one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from node_tuner.bpf.instructions import Label, Line, compute, jump, jump_if
from node_tuner.bpf.packet import FITTING, OUT, PORT
from node_tuner.marking import MarkRule

_PORTS = 65_536


class Interval(NamedTuple):
    """Ports from `first` to before the next interval's."""

    first: int
    fitting: int
    """Bit n: the n-th rule has these ports."""


def intervals(rules: Sequence[tuple[int, MarkRule]]) -> list[Interval]:
    """All ports, cut where other rules begin to fit; the rules with their numbers."""
    ranges = [(1 << number, first, last) for number, rule in rules for first, last in rule.ports.ranges()]
    starts = sorted({0, *(first for _, first, _ in ranges), *(last + 1 for _, _, last in ranges)} - {_PORTS})
    all_of_them = [Interval(start, _fitting(ranges, start)) for start in starts]
    return all_of_them[:1] + [each for before, each in pairwise(all_of_them) if each.fitting != before.fitting]


def _fitting(ranges: Sequence[tuple[int, int, int]], port: int) -> int:
    return sum({bit for bit, first, last in ranges if first <= port <= last})


def search(among: Sequence[Interval], found: str) -> list[Line]:
    """From PORT to FITTING, and on to `found`; OUT where no rule fits."""
    if len(among) == 1:
        return [compute(FITTING, "=", among[0].fitting), jump(found)] if among[0].fitting else [jump(OUT)]
    middle = len(among) // 2
    below, above = among[:middle], among[middle:]
    first = above[0].first
    if not any(each.fitting for each in below):
        return [jump_if(PORT, "<", first, OUT), *search(above, found)]
    if not any(each.fitting for each in above):
        return [jump_if(PORT, ">=", first, OUT), *search(below, found)]
    label = f"{found}-from-{first}"
    return [jump_if(PORT, ">=", first, label), *search(below, found), Label(label), *search(above, found)]
