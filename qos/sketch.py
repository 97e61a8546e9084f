"""Percentiles of positive values in bounded memory, that can be added up and taken apart again.

A DDSketch (Masson, Rim and Lee, VLDB 2019) with `ddsketch`'s own mapping, and its counts kept sparsely: five seconds
have a handful of different keys, and what leaves a window is subtracted exactly.
"""

from collections.abc import Iterable

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

    __slots__ = ("_counts",)

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._counts: dict[int, int] = {}
        for value in values:
            self.add(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sketch) and self._counts == other._counts

    def __len__(self) -> int:
        """How many different keys it holds: its memory."""
        return len(self._counts)

    @property
    def count(self) -> int:
        """How many values."""
        return sum(self._counts.values())

    def add(self, value: float) -> None:
        """One more value."""
        key = key_of(value)
        self._counts[key] = self._counts.get(key, 0) + 1

    def merge(self, other: "Sketch") -> None:
        """Take in all values of `other`."""
        for key, count in other._counts.items():
            self._counts[key] = self._counts.get(key, 0) + count

    def subtract(self, other: "Sketch") -> None:
        """Take out all values of `other`, which were merged before."""
        for key, count in other._counts.items():
            left = self._counts.get(key, 0) - count
            if left > 0:
                self._counts[key] = left
            else:
                self._counts.pop(key, None)

    def quantile(self, share: float) -> float | None:
        """The value that `share` (0 to 1) of all values do not exceed; None without values."""
        if not self._counts:
            return None
        rank, seen = max(share * self.count, 1.0), 0
        for key in sorted(self._counts):
            seen += self._counts[key]
            if seen >= rank:
                break
        return float(_MAPPING.value(key))
