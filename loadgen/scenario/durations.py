"""Numbers with a unit, as people write them: `20s`, `1500kbps`, `10/s`, `2%`, `1/50`. No number is without its unit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,20})?)"
_RATIO = r"([0-9]{1,9})/([1-9][0-9]{0,8})"


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """One kind of number, and the units that it may have."""

    noun: str
    example: str
    units: Mapping[str, Fraction]
    """Each as a multiple of the base unit. The first is for numbers that have decimals in every unit."""
    has_ratios: bool = False
    """Whether `1/50` is one, too."""

    @property
    def pattern(self) -> str:
        """What `parse` takes, as a regular expression in the dialect of JSON Schema."""
        return f"^(?:{self._with_unit}|{_RATIO})$" if self.has_ratios else f"^{self._with_unit}$"

    def parse(self, text: str) -> float:
        """The number in the base unit. ValueError for whatever else."""
        if match := re.fullmatch(self._with_unit, text):
            return float(Fraction(match[1]) * self.units[match[2]])
        if self.has_ratios and (match := re.fullmatch(_RATIO, text)):
            return float(Fraction(int(match[1]), int(match[2])))
        raise ValueError(f"expected {self.noun}, with its unit ({', '.join(self.units)}): such as {self.example}")

    def text(self, value: float) -> str:
        """What `parse` reads as `value` again, in the largest unit that leaves no decimals."""
        exact = Fraction(repr(value))
        for unit, factor in sorted(self.units.items(), key=lambda row: row[1], reverse=True):
            if exact and (exact / factor).denominator == 1:
                return f"{exact / factor}{unit}"
        unit, factor = next(iter(self.units.items()))
        number = Decimal(repr(value)) * factor.denominator / factor.numerator
        return f"{number.normalize():f}{unit}"

    @property
    def _with_unit(self) -> str:
        return f"{_NUMBER} ?({'|'.join(map(re.escape, self.units))})"


_SECOND = Fraction(1)

DURATION = Quantity("a duration", "20s", {"s": _SECOND, "ms": _SECOND / 1000, "m": _SECOND * 60, "h": _SECOND * 3600})
"""Base: a second."""

BIT_RATE = Quantity("a bit rate", "1500kbps", {"bps": Fraction(1), "kbps": Fraction(1000), "Mbps": Fraction(1_000_000)})
"""Base: a bit a second."""

FREQUENCY = Quantity("a rate", "10/s", {"/s": Fraction(1), "/m": Fraction(1, 60), "/h": Fraction(1, 3600)})
"""Base: one a second."""

SHARE = Quantity("a share", "2% or 1/50", {"%": Fraction(1, 100)}, has_ratios=True)
"""Base: the whole, so that 1.0 is all of it."""
