"""Numbers with units: read exactly, and told without a lie."""

import pytest

from loadgen.verdict.units import UNITS, Dimension, units_of


@pytest.mark.parametrize(
    ("number", "unit", "base"),
    [
        ("500", "ms", 0.5),
        ("0.1", "%", 0.001),
        ("1.5", "Mbps", 1_500_000.0),
        ("2", "m", 120.0),
        ("512", "MiB", 536_870_912.0),
        ("36", "%/h", 0.0001),
        ("3", "", 3.0),
    ],
)
def test_number_in_a_unit_is_exact_in_the_base_unit(number: str, unit: str, base: float) -> None:
    assert UNITS[unit].base(number) == base


@pytest.mark.parametrize(
    ("value", "unit", "bound", "text"),
    [
        (0.038241, "ms", 0.5, "38.2 ms"),
        (0.0, "%", 0.001, "0 %"),
        (0.5, "ms", 0.5, "500 ms"),
        (1_512_345.0, "bps", 1_000_000.0, "1512345 bps"),
        (17.0, "", 0.0, "17"),
        (0.00000001, "%", 0.001, "0.000001 %"),
        (-0.00002, "%", 0.005, "-0.002 %"),
    ],
)
def test_value_is_told_with_three_digits(value: float, unit: str, bound: float, text: str) -> None:
    assert UNITS[unit].text(value, bound) == text


def test_value_just_above_its_bound_does_not_look_like_it() -> None:
    assert UNITS["ms"].text(0.50004, 0.5) == "500.04 ms"
    assert UNITS["%"].text(0.0009996, 0.001) == "0.09996 %"


def test_every_dimension_has_units() -> None:
    assert all(units_of(dimension) for dimension in Dimension)


def test_only_a_count_needs_no_unit() -> None:
    assert [unit.dimension for unit in UNITS.values() if not unit.name] == [Dimension.COUNT]
