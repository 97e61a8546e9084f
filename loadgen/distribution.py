"""Values of which percentiles are wanted: any number of them, in bounded memory, to be merged across processes."""

from collections.abc import Iterable

from ddsketch import LogCollapsingLowestDenseDDSketch

RELATIVE_ACCURACY = 0.01
"""A percentile is within 1 % of the true value."""


class Distribution:
    """A sketch of positive values. It is pickled from the workers to the coordinator."""

    __slots__ = ("_sketch", "largest")

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._sketch = LogCollapsingLowestDenseDDSketch(RELATIVE_ACCURACY)
        self.largest = 0.0
        """The largest value, exactly; 0 without any."""
        for value in values:
            self.add(value)

    def add(self, value: float) -> None:
        """One more value; what is negative by the noise of two clocks counts as 0."""
        self._sketch.add(max(value, 0.0))
        self.largest = max(self.largest, value)

    def merge(self, other: "Distribution") -> None:
        """Take in all values of `other`, which stays as it is."""
        self._sketch.merge(other._sketch)
        self.largest = max(self.largest, other.largest)

    def quantile(self, share: float) -> float | None:
        """The value that `share` (0 to 1) of all values do not exceed; None without values."""
        if not self.count:
            return None
        value = self._sketch.get_quantile_value(share)
        return float(min(value, self.largest)) if value is not None else None

    def counts_up_to(self, bounds: Iterable[float]) -> list[int]:
        """How many values do not exceed each of `bounds` (positive), as a histogram's buckets have it. It is the bounds
        that RELATIVE_ACCURACY holds for."""
        store, key_of, zeros = self._sketch._store, self._sketch._mapping.key, self._sketch._zero_count
        ends = (max(key_of(bound) - store.offset + 1, 0) for bound in bounds)
        return [int(zeros + sum(store.bins[:end])) for end in ends]

    @property
    def count(self) -> int:
        """How many values."""
        return int(self._sketch.count)

    @property
    def mean(self) -> float | None:
        """None without values."""
        return self._sketch.avg if self.count else None
