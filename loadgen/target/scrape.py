"""One reading of a server's /metrics, in Prometheus' text format."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

CPU_SECONDS = "process_cpu_seconds_total"
RSS_BYTES = "process_resident_memory_bytes"
START_TIME = "process_start_time_seconds"
"""What every Prometheus client library says of its process."""

_PREFIXES = ("process_", "railbird_")
"""All that is looked at: some servers have a line for every session, and parsing those would cost us a core."""

Sample = tuple[Mapping[str, str], float]
"""(labels, value)."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """What `_PREFIXES` let through, by the sample's name."""

    samples: Mapping[str, list[Sample]]

    @classmethod
    def parse(cls, page: str) -> "Scrape":
        """ValueError when a line that matters is broken."""
        lines = [line for line in page.splitlines() if line.startswith(_PREFIXES)]
        samples: dict[str, list[Sample]] = {}
        try:
            for family in text_string_to_metric_families("\n".join(lines) + "\n"):
                for sample in family.samples:
                    if math.isfinite(sample.value):
                        samples.setdefault(sample.name, []).append((sample.labels, sample.value))
        except IndexError as error:  # for a label without a name, where the parser looks for its first character
            raise ValueError(f"a line is broken: {error}") from error
        return cls(samples)

    def value(self, name: str) -> float | None:
        """The sum of all samples of `name`; None without any."""
        samples = self.samples.get(name)
        return sum(value for _, value in samples) if samples else None

    def total(self, name: str, labels: Mapping[str, str], streams: Collection[str]) -> float:
        """The sum of the samples of `name` that have `labels`, and are of `streams` if they are of any."""
        return sum(
            value
            for found, value in self.samples.get(name, ())
            if labels.items() <= found.items() and ("stream" not in found or found["stream"] in streams)
        )

    @property
    def knows_railbird(self) -> bool:
        """Whether the server counts as railbird does."""
        return any(name.startswith("railbird_") for name in self.samples)
