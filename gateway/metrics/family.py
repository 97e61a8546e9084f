"""A metric that is read at scrape time from plain counters."""

from dataclasses import dataclass
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

Sample = tuple[str, tuple[str, ...], float]
"""(family's name, label values, value)."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric that is read at scrape time."""

    name: str
    kind: Literal["counter", "gauge"]
    labels: tuple[str, ...]
    meaning: str

    def empty(self) -> CounterMetricFamily | GaugeMetricFamily:
        """A family to add samples to."""
        make = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        return make(self.name, self.meaning, labels=self.labels)
