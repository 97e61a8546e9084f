"""Figures as people read them: three digits and a unit. Below a second milliseconds, shares as per cent, bytes by the
thousand.

A figure that was not measured is NOT_MEASURED, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from loadgen import shares
from loadgen.figures import Generator

NOT_MEASURED = "—"


class Dimension(Enum):
    """What a figure is: its value is in the base unit that stands here."""

    DURATION = "seconds"
    SHARE = "share of 1"
    BYTES = "bytes"
    RATE = "bits a second"
    CPU_A_PACKET = "seconds of CPU a packet, or a request"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Scale:
    """A unit to write values in: `value * factor`, from `begins_at` on (in the base unit)."""

    unit: str
    factor: float
    begins_at: float = 0.0


SCALES: dict[Dimension, tuple[Scale, ...]] = {
    Dimension.DURATION: (Scale("ms", 1e3), Scale("s", 1, 1.0)),
    Dimension.SHARE: (Scale("%", 100),),
    Dimension.BYTES: (Scale("B", 1), Scale("kB", 1e-3, 1e3), Scale("MB", 1e-6, 1e6), Scale("GB", 1e-9, 1e9)),
    Dimension.RATE: (Scale("b/s", 1), Scale("kb/s", 1e-3, 1e3), Scale("Mb/s", 1e-6, 1e6), Scale("Gb/s", 1e-9, 1e9)),
    Dimension.CPU_A_PACKET: (Scale("µs", 1e6),),
    Dimension.COUNT: (Scale("", 1),),
}
"""Smallest unit first."""


def scale_of(dimension: Dimension, largest: float) -> Scale:
    """The unit in which `largest` (and whatever stands on the same axis) is written."""
    rounded = largest * (1 + 5e-4)  # 0.9998 s would else be written as 1,000 ms
    return next(scale for scale in reversed(SCALES[dimension]) if rounded >= scale.begins_at)


def in_words(dimension: Dimension, value: float | None) -> str:
    """`38.2 ms`, `0.12 %`, `1.52 Mb/s`, `4,238`; NOT_MEASURED for None."""
    if value is None:
        return NOT_MEASURED
    scale = scale_of(dimension, abs(value))
    return f"{number(value * scale.factor)} {scale.unit}".rstrip()


def number(value: float) -> str:
    """Three digits where it is small, thousands apart where it is large: `0.0215`, `38.2`, `1,240`."""
    if 0 < value < 0.001:
        return "< 0.001"
    if abs(value) >= 99.95 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def duration(value_s: float | None) -> str:
    """`38.2 ms`, `4.31 s`."""
    return in_words(Dimension.DURATION, value_s)


def share(value: float | None) -> str:
    """`0.12 %`."""
    return in_words(Dimension.SHARE, value)


def size(value_bytes: float | None) -> str:
    """`131 MB`."""
    return in_words(Dimension.BYTES, value_bytes)


def rate(value_bps: float | None) -> str:
    """`1.52 Mb/s`."""
    return in_words(Dimension.RATE, value_bps)


def cpu_a_packet(value_s: float | None) -> str:
    """`1.91 µs`."""
    return in_words(Dimension.CPU_A_PACKET, value_s)


def work(generator: Generator) -> str:
    """What the players cost: `1.91 µs a packet`, `310 µs a request`; NOT_MEASURED where both kinds share it."""
    for cost_s, noun in ((shares.cpu_a_packet_s(generator), "packet"), (shares.cpu_a_request_s(generator), "request")):
        if cost_s is not None:
            return f"{cpu_a_packet(cost_s)} a {noun}"
    return NOT_MEASURED


def count(value: float | None) -> str:
    """`4,238`: always a whole number."""
    return NOT_MEASURED if value is None else f"{value:,.0f}"


def long_time(value_s: float) -> str:
    """How long a run lasts: `42 s`, `5 min`, `1 min 15 s`, `8 h 2 min`."""
    seconds = round(value_s)
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    first = next((index for index, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    kept = [f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount]
    return " ".join(kept) or "0 s"


def clock(value_s: float) -> str:
    """A time of a run as a clock shows it: `0:42`, `12:05`, `1:02:05`."""
    minutes, seconds = divmod(round(value_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def causes(counts: Mapping[str, int]) -> str:
    """`http_503 12, ice_timeout 1`: the most frequent first; empty without any."""
    frequent_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{cause} {amount:,}" for cause, amount in frequent_first if amount)


def plural(amount: int, noun: str, nouns: str = "") -> str:
    """`1 threshold`, `3 thresholds`."""
    return f"{amount:,} {noun if amount == 1 else nouns or noun + 's'}"
