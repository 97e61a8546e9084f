"""Sets of ports, as profiles and ip_local_reserved_ports write them: `8189,9000-9010`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_MAX_PORT = 65_535


class Ports(frozenset[int]):
    """Port numbers; `str` gives the shortest list of ranges, in order."""

    @classmethod
    def parse(cls, text: str, lowest: int = 1) -> Ports:
        """ValueError for what is no list of ports, or has some below `lowest`."""
        return cls(frozenset[int]().union(*(_range(part.strip(), lowest) for part in text.split(",") if part.strip())))

    def ranges(self) -> Iterator[tuple[int, int]]:
        """First and last of each run of numbers, in order."""
        ordered = sorted(self)
        starts = [port for port in ordered if port - 1 not in self]
        ends = [port for port in ordered if port + 1 not in self]
        return zip(starts, ends, strict=True)

    def __or__(self, other: Iterable[int]) -> Ports:  # type: ignore[override]
        return Ports(self.union(other))

    def __sub__(self, other: Iterable[int]) -> Ports:  # type: ignore[override]
        return Ports(self.difference(other))

    def __str__(self) -> str:
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self.ranges())


def _range(text: str, lowest: int) -> range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text}: expected a port or a range of ports, such as 8189 or 9000-9010")
    first, last = int(match[1]), int(match[2] or match[1])
    if not lowest <= first <= last <= _MAX_PORT:
        raise ValueError(f"{text}: ports are {lowest} to {_MAX_PORT}, the smaller first")
    return range(first, last + 1)
