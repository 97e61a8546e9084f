import pytest

from gateway.errors import WireError
from loadgen.hls.attributes import decimal, integer, parse_attributes, quoted, required, says_yes, seconds


def test_list_is_read_with_the_commas_in_its_strings() -> None:
    attributes = parse_attributes('DURATION=0.2,URI="a,b=c.m4s",INDEPENDENT=YES,EMPTY=""')
    assert attributes == {"DURATION": "0.2", "URI": '"a,b=c.m4s"', "INDEPENDENT": "YES", "EMPTY": '""'}
    assert seconds(attributes, "DURATION") == 0.2
    assert required(attributes, "URI") == quoted(attributes, "URI") == "a,b=c.m4s"
    assert quoted(attributes, "EMPTY") == ""
    assert says_yes(attributes, "INDEPENDENT")
    assert (quoted(attributes, "NONE"), seconds(attributes, "NONE"), says_yes(attributes, "NONE")) == (
        None,
        None,
        False,
    )


@pytest.mark.parametrize(
    "text",
    ["", "URI", "URI=", 'URI="a', 'URI="a""b"', "a=1", "A=1,", "A=1,,B=2", "A=1 ,B=2", "A=1,A=2", ",A=1", 'A="\n"'],
)
def test_list_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        parse_attributes(text)


def test_string_without_quotes_is_refused_where_one_is_due() -> None:
    with pytest.raises(WireError, match="quoted"):
        quoted(parse_attributes("URI=a"), "URI")
    with pytest.raises(WireError, match="no URI"):
        required(parse_attributes("A=1"), "URI")


@pytest.mark.parametrize("text", ["", "-1", "+1", "1e3", "0x1", " 1", ".5", "1.2.3", "nan", "1" * 13])
def test_number_that_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        decimal(text)


def test_integers_go_up_to_64_bits() -> None:
    assert integer(str(2**64 - 1)) == 2**64 - 1
    for text in (str(2**64), "-1", "1.0", "", "٣"):
        with pytest.raises(WireError):
            integer(text)
