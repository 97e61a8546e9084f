"""The units that thresholds are written in, by what they measure."""

import math
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

_SHOWN_DIGITS = 3
_EXACT_DIGITS = 17
"""Significant ones: no two floats look the same with so many."""


class Dimension(Enum):
    """What a metric is made of; the value says it with its base unit."""

    DURATION = "a duration (seconds)"
    SHARE = "a share (of 1)"
    COUNT = "a count"
    BITRATE = "a bit rate (bits a second)"
    SIZE = "a size (bytes)"
    GROWTH = "growth (share of the first value, a second)"


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit; `size` is in base units, exact so that 0.1 % is the float 0.001."""

    name: str
    dimension: Dimension
    size: Fraction

    def base(self, number: str) -> float:
        """`number`, decimal digits in this unit, in the base unit."""
        return float(Fraction(number) * self.size)

    def text(self, value: float, bound: float) -> str:
        """`value` (base unit) for people: three digits, and more only where it would look like `bound`, or like being
        on its other side."""
        measured, limit = (float(Fraction(each) / self.size) for each in (value, bound))
        for digits in range(_SHOWN_DIGITS, _EXACT_DIGITS + 1):
            shown = _decimal(measured, digits)
            if _order(float(shown), limit) == _order(measured, limit):
                break
        return f"{shown} {self.name}".rstrip()


def _order(left: float, right: float) -> int:
    return (left > right) - (left < right)


def _decimal(value: float, digits: int) -> str:
    """Without exponent, and no digit before the point rounded away."""
    magnitude = math.floor(math.log10(abs(value))) if value else 0
    shown = f"{value:.{max(digits - 1 - magnitude, 0)}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


_PERCENT = Fraction(1, 100)

UNITS = {
    unit.name: unit
    for unit in (
        Unit("us", Dimension.DURATION, Fraction(1, 1_000_000)),
        Unit("ms", Dimension.DURATION, Fraction(1, 1_000)),
        Unit("s", Dimension.DURATION, Fraction(1)),
        Unit("m", Dimension.DURATION, Fraction(60)),
        Unit("h", Dimension.DURATION, Fraction(3_600)),
        Unit("%", Dimension.SHARE, _PERCENT),
        Unit("", Dimension.COUNT, Fraction(1)),
        Unit("bps", Dimension.BITRATE, Fraction(1)),
        Unit("kbps", Dimension.BITRATE, Fraction(1_000)),
        Unit("Mbps", Dimension.BITRATE, Fraction(1_000_000)),
        Unit("kB", Dimension.SIZE, Fraction(1_000)),
        Unit("MB", Dimension.SIZE, Fraction(1_000_000)),
        Unit("GB", Dimension.SIZE, Fraction(1_000_000_000)),
        Unit("MiB", Dimension.SIZE, Fraction(1 << 20)),
        Unit("GiB", Dimension.SIZE, Fraction(1 << 30)),
        Unit("%/min", Dimension.GROWTH, _PERCENT / 60),
        Unit("%/h", Dimension.GROWTH, _PERCENT / 3_600),
        Unit("%/day", Dimension.GROWTH, _PERCENT / 86_400),
    )
}
"""By the name that is written; a bare number is a count."""


def units_of(dimension: Dimension) -> list[str]:
    """The names of the units of `dimension`."""
    return [unit.name for unit in UNITS.values() if unit.dimension is dimension]
