"""The samples of one scrape, to be asked by name and label: what a report shows is what is exported."""

from collections import defaultdict
from collections.abc import Iterable

from gateway.metrics import FAMILIES, Sample

Number = float | int


class Tables:
    """See the module. What nobody told is 0, or has no row."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._rows: dict[str, dict[str | None, list[tuple[dict[str, str], Number]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for name, values, value in samples:
            labels = dict(zip(FAMILIES[name].labels, values, strict=True))
            whole = int(value) if float(value).is_integer() else value
            # By stream, too: a report asks for every stream's.
            self._rows[name][labels.get("stream")].append((labels, whole))

    def value(self, name: str, stream: str | None = None) -> Number:
        """The sum of a metric's samples; of one stream, if it is named."""
        return sum(value for _, value in self._of(name, stream))

    def by_label(self, name: str, label: str, stream: str | None = None) -> dict[str, Number]:
        """Label's value -> sum."""
        sums: dict[str, Number] = {}
        for labels, value in self._of(name, stream):
            sums[labels[label]] = sums.get(labels[label], 0) + value
        return sums

    def nested(self, name: str, outer: str, inner: str, stream: str | None = None) -> dict[str, dict[str, Number]]:
        """Outer label's value -> inner label's value -> sum."""
        sums: dict[str, dict[str, Number]] = {}
        for labels, value in self._of(name, stream):
            row = sums.setdefault(labels[outer], {})
            row[labels[inner]] = row.get(labels[inner], 0) + value
        return sums

    def _of(self, name: str, stream: str | None) -> Iterable[tuple[dict[str, str], Number]]:
        by_stream = self._rows.get(name, {})
        if stream is not None:
            return by_stream.get(stream, ())
        return [row for rows in by_stream.values() for row in rows]
