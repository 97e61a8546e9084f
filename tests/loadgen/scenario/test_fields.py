"""Quantities as fields, and sections told apart by a key."""

from typing import Annotated

import pytest
from pydantic import Field, Tag, ValidationError

from loadgen.scenario.durations import DURATION
from loadgen.scenario.fields import FROM_FILE, Name, Section, Within, chosen_by_key


class Nap(Section):
    nap_s: Annotated[float, Within(DURATION, 1, 60)] = Field(2.0, alias="nap")


class Walk(Section):
    walk_s: Annotated[float, Within(DURATION, 1, 60)] = Field(alias="walk")


class Day(Section):
    name: Name = "monday"
    rest: Annotated[Annotated[Walk, Tag("(with)")] | Annotated[Nap, Tag("(without)")], chosen_by_key("walk", Walk)] = (
        Nap()
    )


def _from_file(values: object) -> Day:
    return Day.model_validate(values, context=FROM_FILE, by_alias=True, by_name=False)


def test_quantity_from_a_file_is_read_with_its_unit() -> None:
    assert _from_file({"rest": {"nap": "1m"}}).rest == Nap(nap_s=60.0)


@pytest.mark.parametrize("given", [20, 20.0, True, None, ["20s"], "20", "20kbps"])
def test_quantity_from_a_file_without_its_unit_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="expected a duration, with its unit"):
        _from_file({"rest": {"nap": given}})


@pytest.mark.parametrize("given", ["999ms", "61s", "2h"])
def test_quantity_out_of_bounds_is_refused_by_them(given: str) -> None:
    with pytest.raises(ValidationError, match="expected 1s to 1m"):
        _from_file({"rest": {"nap": given}})


@pytest.mark.parametrize("given", [0.999, 60.001, float("nan"), float("inf")])
def test_quantity_out_of_bounds_is_refused_in_code_too(given: float) -> None:
    with pytest.raises(ValidationError, match="expected 1s to 1m"):
        Nap(nap_s=given)


def test_key_of_a_file_is_not_the_name_in_code() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        _from_file({"rest": {"nap_s": "20s"}})


@pytest.mark.parametrize("rest", [Nap(nap_s=20), Walk(walk_s=90 / 60)])
def test_section_is_written_as_a_file_says_it(rest: Nap | Walk) -> None:
    day = Day(rest=rest)
    assert _from_file(day.model_dump(mode="json", by_alias=True)) == day


def test_section_is_written_with_numbers_for_code() -> None:
    assert Nap(nap_s=20).model_dump() == {"nap_s": 20.0}


@pytest.mark.parametrize(("rest", "section"), [({"nap": "2s"}, Nap), ({}, Nap), ({"walk": "2s"}, Walk)])
def test_section_is_chosen_by_the_key_that_it_has(rest: dict[str, str], section: type[Section]) -> None:
    assert type(_from_file({"rest": rest}).rest) is section


@pytest.mark.parametrize("rest", [{"walk": "2s", "nap": "2s"}, 5, None, []])
def test_section_that_is_none_of_the_two_is_refused(rest: object) -> None:
    with pytest.raises(ValidationError, match="rest"):
        _from_file({"rest": rest})


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "a\n", "é", "a" * 65, ".."])
def test_name_that_would_need_quoting_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="String should match"):
        Day(name=name)


@pytest.mark.parametrize("name", ["a", "7", "table-1.main_b", "a" * 64])
def test_name_that_needs_no_quoting_is_taken(name: str) -> None:
    assert Day(name=name).name == name
