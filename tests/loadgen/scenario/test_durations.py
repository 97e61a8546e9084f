"""Numbers with a unit."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.scenario.durations import BIT_RATE, DURATION, FREQUENCY, SHARE, Quantity

QUANTITIES = [DURATION, BIT_RATE, FREQUENCY, SHARE]


@pytest.mark.parametrize(
    ("quantity", "text", "value"),
    [
        (DURATION, "20s", 20.0),
        (DURATION, "150ms", 0.15),
        (DURATION, "1.5 s", 1.5),
        (DURATION, "5m", 300.0),
        (DURATION, "2h", 7200.0),
        (DURATION, "0s", 0.0),
        (BIT_RATE, "1500kbps", 1_500_000.0),
        (BIT_RATE, "1.5Mbps", 1_500_000.0),
        (BIT_RATE, "800bps", 800.0),
        (FREQUENCY, "10/s", 10.0),
        (FREQUENCY, "90/m", 1.5),
        (FREQUENCY, "1800/h", 0.5),
        (SHARE, "2%", 0.02),
        (SHARE, "1/50", 0.02),
        (SHARE, "0.1%", 0.001),
        (SHARE, "0/1", 0.0),
    ],
)
def test_quantity_is_read_in_its_base_unit(quantity: Quantity, text: str, value: float) -> None:
    assert quantity.parse(text) == value


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize(
    "text", ["", "20", "s", "-1s", "1e3s", "20sec", "20S", "20  s", " 20s", "20s\n", "1,5s", ".5s", "5.s", "٢s", "nan%"]
)
def test_quantity_of_no_known_form_is_refused(quantity: Quantity, text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(quantity.example)):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (DURATION, "20kbps"),
        (DURATION, "1/50"),
        (BIT_RATE, "20s"),
        (BIT_RATE, "20mbps"),
        (FREQUENCY, "10"),
        (FREQUENCY, "10/1"),
        (SHARE, "0.02"),
        (SHARE, "1/0"),
        (SHARE, "10/s"),
    ],
)
def test_quantity_in_the_unit_of_another_is_refused(quantity: Quantity, text: str) -> None:
    with pytest.raises(ValueError, match=f"expected {quantity.noun}"):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("quantity", "value", "text"),
    [
        (DURATION, 20.0, "20s"),
        (DURATION, 0.15, "150ms"),
        (DURATION, 7200.0, "2h"),
        (DURATION, 90.0, "90s"),
        (DURATION, 0.0, "0s"),
        (DURATION, 0.0005, "0.0005s"),
        (BIT_RATE, 1_500_000.0, "1500kbps"),
        (FREQUENCY, 0.5, "30/m"),
        (SHARE, 0.02, "2%"),
        (SHARE, 0.001, "0.1%"),
        (SHARE, 0.0, "0%"),
    ],
)
def test_quantity_is_written_in_the_largest_whole_unit(quantity: Quantity, value: float, text: str) -> None:
    assert quantity.text(value) == text


@pytest.mark.parametrize("quantity", QUANTITIES)
@given(value=st.floats(1e-4, 1e9))
def test_quantity_that_was_written_is_read_as_the_same(quantity: Quantity, value: float) -> None:
    assert quantity.parse(quantity.text(value)) == value


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_pattern_of_a_quantity_takes_its_example(quantity: Quantity) -> None:
    assert all(re.search(quantity.pattern, example) for example in quantity.example.split(" or "))
    assert not re.search(quantity.pattern, "20")
