"""What a threshold can be about: one row of the table in `metrics`."""

from dataclasses import dataclass
from enum import Enum

from loadgen.verdict.readings import Reading
from loadgen.verdict.units import Dimension


class Need(Enum):
    """What has to be given besides the target, so that a metric can be measured."""

    NOTHING = "nothing"
    PROCESS = "the gateway's process: its pid, or its /metrics"
    COUNTERS = "the gateway's /metrics, with railbird's counters"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row."""

    name: str
    dimension: Dimension
    meaning: str
    read: Reading
    absence: str
    """What it means when there is no value."""
    need: Need = Need.NOTHING
