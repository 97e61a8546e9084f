import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MisuseError
from gateway.hls.date_ranges import MAX_ATTRIBUTES, MAX_DATE_RANGES, DateRange, DateRanges

UNIX_S = 1_700_000_000.0

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]+"|-?[0-9]+(?:\.[0-9]+)?)(?:,|$)')
"""Section 4.2: a quoted string, or a number in decimal."""


def attributes_of(tag: str) -> dict[str, str]:
    """What a player reads of the tag; nothing may be left over."""
    name, _, rest = tag.partition(":")
    assert name == "#EXT-X-DATERANGE"
    found = _ATTRIBUTE.findall(rest)
    assert "".join(f"{key}={value}," for key, value in found) == rest + ","
    assert len(dict(found)) == len(found), "each name once"
    return dict(found)


def test_tag() -> None:
    date_range = DateRange(
        "round-7", "round", UNIX_S + 0.5, 12.3456, 15.0, {"X-WINNER": "banker", "X-SCORE": 9, "X-ODDS": 1.95}
    )
    assert date_range.tag() == (
        '#EXT-X-DATERANGE:ID="round-7",CLASS="round",START-DATE="2023-11-14T22:13:20.500Z",DURATION=12.346,'
        'PLANNED-DURATION=15.000,X-WINNER="banker",X-SCORE=9,X-ODDS=1.950000'
    )


@pytest.mark.parametrize("value", [0, 1234567, 10**12, 1e-9, 1.5e20, -3, -0.25, True])
def test_number_is_written_without_an_exponent(value: float) -> None:
    written = attributes_of(DateRange("a", "b", UNIX_S, attributes={"X-N": value}).tag())["X-N"]
    assert float(written) == pytest.approx(float(value), abs=1e-6)


@given(st.text(max_size=600), st.text(max_size=200))
def test_text_is_written_as_it_is_or_refused(value: str, range_id: str) -> None:
    try:
        date_range = DateRange(range_id, "class", UNIX_S, attributes={"X-TEXT": value})
    except MisuseError:
        return
    tag = date_range.tag()
    assert not re.search("[\x00-\x1f\x7f-\x9f]", tag)
    assert len(tag.encode().decode().splitlines()) >= 1
    assert attributes_of(tag)["X-TEXT"] == f'"{value}"'
    assert attributes_of(tag)["ID"] == f'"{range_id}"'


@pytest.mark.parametrize("text", ['a"b', "a\nb", "a\r", "\t", "\x7f", "\x85", "\ud800", "", "x" * 513])
def test_text_that_cannot_be_quoted_is_refused(text: str) -> None:
    with pytest.raises(MisuseError):
        DateRange("id", "class", UNIX_S, attributes={"X-TEXT": text})
    if len(text) < 200:
        with pytest.raises(MisuseError):
            DateRange(text, "class", UNIX_S)
        with pytest.raises(MisuseError):
            DateRange("id", text, UNIX_S)


@pytest.mark.parametrize("name", ["SCORE", "X-score", "X-", "X-A B", "CUE", "X-" + "A" * 65])
def test_attribute_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(MisuseError):
        DateRange("id", "class", UNIX_S, attributes={name: 1})


@pytest.mark.parametrize("seconds", [-0.001, math.inf, math.nan])
def test_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(MisuseError):
        DateRange("id", "class", UNIX_S, duration_s=seconds)
    with pytest.raises(MisuseError):
        DateRange("id", "class", UNIX_S, planned_duration_s=seconds)
    with pytest.raises(MisuseError):
        DateRange("id", "class", seconds)
    with pytest.raises(MisuseError):
        DateRange("id", "class", UNIX_S, attributes={"X-N": math.nan})


def test_year_ten_thousand_is_refused() -> None:
    with pytest.raises(MisuseError):
        DateRange("id", "class", 253_402_300_800.0)
    assert "9999-12-31" in DateRange("id", "class", 253_402_299_999.0).tag()


def test_number_of_attributes_is_bounded() -> None:
    ranges = DateRanges()
    ranges.mark(DateRange("id", "class", UNIX_S, attributes={f"X-{n}": n for n in range(MAX_ATTRIBUTES)}), 0.0)
    with pytest.raises(MisuseError):
        ranges.mark(DateRange("id", "class", UNIX_S, attributes={"X-MORE": 1}), 1.0)


# The ranges of a stream


def test_marks_are_kept_in_order() -> None:
    ranges = DateRanges()
    for number in range(3):
        ranges.mark(DateRange(f"round-{number}", "round", UNIX_S + number), float(number))
    assert [attributes_of(tag)["ID"] for tag in ranges.tags()] == ['"round-0"', '"round-1"', '"round-2"']
    assert len(ranges) == 3
    assert ranges.version == 3
    assert [attributes_of(tag)["ID"] for tag in ranges.tags(1.0)] == ['"round-1"', '"round-2"']


def test_mark_of_the_same_id_adds_to_what_was_said() -> None:
    ranges = DateRanges()
    ranges.mark(DateRange("round", "round", UNIX_S, planned_duration_s=20.0, attributes={"X-A": 1}), 0.0)
    ranges.mark(DateRange("round", "other", UNIX_S + 1, 18.0, attributes={"X-A": 2, "X-B": 3}), 5.0)
    (tag,) = ranges.tags()
    attributes = attributes_of(tag)
    assert attributes == {
        "ID": '"round"',
        "CLASS": '"round"',
        "START-DATE": '"2023-11-14T22:13:20.000Z"',
        "DURATION": "18.000",
        "PLANNED-DURATION": "20.000",
        "X-A": "1",
        "X-B": "3",
    }
    assert ranges.tags(4.0) == [tag], "a delta update tells it again"
    assert ranges.version == 2


def test_duration_once_said_stays() -> None:
    ranges = DateRanges()
    ranges.mark(DateRange("round", "round", UNIX_S, 18.0), 0.0)
    ranges.mark(DateRange("round", "round", UNIX_S, 19.0), 1.0)
    ranges.mark(DateRange("round", "round", UNIX_S), 2.0)
    assert attributes_of(ranges.tags()[0])["DURATION"] == "18.000"


def test_oldest_go_where_there_are_too_many() -> None:
    ranges = DateRanges()
    for number in range(MAX_DATE_RANGES + 5):
        ranges.mark(DateRange(f"r{number}", "round", UNIX_S), float(number))
    assert len(ranges) == MAX_DATE_RANGES
    assert ranges.recently_removed() == "\t".join(f"r{number}" for number in range(5))
    for number in range(3 * MAX_DATE_RANGES):
        ranges.mark(DateRange(f"s{number}", "round", UNIX_S), 100.0)
    assert len(ranges.recently_removed().split("\t")) == MAX_DATE_RANGES


def test_ranges_that_ended_before_the_window_are_forgotten() -> None:
    ranges = DateRanges()
    ranges.mark(DateRange("instant", "signal", UNIX_S), 0.0)
    ranges.mark(DateRange("ended", "round", UNIX_S, 5.0), 0.0)
    ranges.mark(DateRange("planned", "round", UNIX_S, planned_duration_s=60.0), 0.0)
    ranges.forget_before(UNIX_S, 10.0, 12.0)
    assert len(ranges) == 3
    version = ranges.version
    ranges.forget_before(UNIX_S + 5.1, 11.0, 12.0)
    assert [attributes_of(tag)["ID"] for tag in ranges.tags()] == ['"planned"']
    assert ranges.version > version
    assert ranges.recently_removed() == "instant\tended"
    ranges.forget_before(UNIX_S + 20, 23.0, 12.0)
    assert ranges.recently_removed() == "instant\tended"
    ranges.forget_before(UNIX_S + 20, 23.1, 12.0)
    assert ranges.recently_removed() == ""


def test_forgetting_nothing_changes_nothing() -> None:
    ranges = DateRanges()
    ranges.mark(DateRange("round", "round", UNIX_S), 0.0)
    version = ranges.version
    ranges.forget_before(UNIX_S - 1, 10.0, 12.0)
    assert ranges.version == version


def test_range_that_is_marked_again_is_not_told_removed() -> None:
    ranges = DateRanges()
    ranges.mark(DateRange("round", "round", UNIX_S), 0.0)
    ranges.forget_before(UNIX_S + 1, 1.0, 12.0)
    ranges.mark(DateRange("round", "round", UNIX_S, 30.0), 2.0)
    assert ranges.recently_removed() == ""
    assert len(ranges) == 1
