"""Percentiles of positive values in bounded memory, that can be added up and taken apart again.

A DDSketch (Masson, Rim and Lee, VLDB 2019) with `ddsketch`'s own mapping, and its counts kept sparsely: five seconds
have a handful of different keys, and what leaves a window is subtracted exactly.
"""

from array import array
from collections.abc import Iterable, Sequence

from ddsketch.mapping import LogarithmicMapping

RELATIVE_ACCURACY = 0.01
"""A percentile is within 1 % of the true value."""

SMALLEST, LARGEST = 1e-4, 60.0
"""What is outside counts as one of these: in seconds 0.1 ms and a minute, so some 670 keys at most."""

_MAPPING = LogarithmicMapping(RELATIVE_ACCURACY)


def key_of(value: float) -> int:
    """The key under which `value` is counted."""
    return int(_MAPPING.key(min(max(value, SMALLEST), LARGEST)))


class Sketch:
    """See the module."""

    __slots__ = ("_counts", "_packed")

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._counts: dict[int, int] = {}
        self._packed: tuple[array[int], array[int]] | None = None
        for value in values:
            self.add(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sketch) and dict(self.items()) == dict(other.items())

    def __len__(self) -> int:
        """How many different keys it holds: its memory, some 100 bytes each, packed 6."""
        return len(self._counts) if self._packed is None else len(self._packed[0])

    def items(self) -> Iterable[tuple[int, int]]:
        """Key and count."""
        return self._counts.items() if self._packed is None else zip(*self._packed, strict=True)

    def pack(self) -> None:
        """Nothing is added any more: take a tenth of the memory."""
        if self._packed is None:
            self._packed = (array("h", self._counts.keys()), array("I", self._counts.values()))
            self._counts = {}

    @property
    def count(self) -> int:
        """How many values."""
        return sum(count for _, count in self.items())

    def add(self, value: float) -> None:
        """One more value."""
        key = key_of(value)
        self._counts[key] = self._counts.get(key, 0) + 1

    def merge(self, other: "Sketch") -> None:
        """Take in all values of `other`."""
        for key, count in other.items():
            self._counts[key] = self._counts.get(key, 0) + count

    def subtract(self, other: "Sketch") -> None:
        """Take out all values of `other`, which were merged before."""
        for key, count in other.items():
            left = self._counts.get(key, 0) - count
            if left > 0:
                self._counts[key] = left
            else:
                self._counts.pop(key, None)

    def quantile(self, share: float) -> float | None:
        """The value that `share` (0 to 1) of all values do not exceed; None without values."""
        return self.quantiles((share,))[0]

    def quantiles(self, shares: Sequence[float]) -> tuple[float | None, ...]:
        """Several at once, `shares` rising."""
        counts = sorted(self.items())
        if not counts:
            return (None,) * len(shares)
        whole = sum(count for _, count in counts)
        rising = iter(counts)
        key, seen = 0, 0
        found: list[float] = []
        for share in shares:
            rank = share * whole
            # A rank that rounding put beyond the last is the last.
            while seen < rank or not seen:
                key, count = next(rising, (key, whole))
                seen += count
            found.append(float(_MAPPING.value(key)))
        return tuple(found)
