"""What plots are drawn of: a point each few seconds, for a quarter of an hour."""

from collections import deque
from collections.abc import Mapping

POINT_S = 5.0
MAX_POINTS = 180
"""15 minutes; one stream's are some 20 kB."""

Value = float | int | None


class History:
    """Points of the same columns; the oldest make room."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = ("at_unix_s", *columns)
        self._points: deque[tuple[Value, ...]] = deque(maxlen=MAX_POINTS)

    def __len__(self) -> int:
        return len(self._points)

    def add(self, at_unix_s: float, values: Mapping[str, Value]) -> None:
        """A point: a value, or None, for each column."""
        self._points.append((round(at_unix_s, 1), *(values[column] for column in self.columns[1:])))

    def report(self, since_unix_s: float = 0.0) -> dict[str, list[Value]]:
        """Column -> values, the oldest first, of the points that are newer than `since_unix_s`. JSON-ready."""
        newer = [point for point in self._points if (point[0] or 0) > since_unix_s]
        return {column: [point[index] for point in newer] for index, column in enumerate(self.columns)}
