"""An interface, found again."""

import pytest

from node_tuner.errors import GoneError, UnavailableError
from node_tuner.machine.link import Link


def test_link_of_a_record_is_the_same_one() -> None:
    assert Link.parse(Link("rbgone0", 1 << 30).where) == Link("rbgone0", 1 << 30)


def test_link_of_a_record_has_the_name_that_its_index_has_now() -> None:
    assert Link.parse({"interface": "before", "index": 1}) == Link("lo", 1)


@pytest.mark.parametrize("where", [{}, {"interface": "eth0"}, {"index": 4}])
def test_record_without_name_or_index_is_refused(where: dict[str, str | int]) -> None:
    with pytest.raises(KeyError):
        Link.parse(where)


@pytest.mark.parametrize("index", [-1, "one"])
def test_record_of_an_impossible_index_is_refused(index: int | str) -> None:
    with pytest.raises(ValueError, match=r"no interface of index|invalid literal"):
        Link.parse({"interface": "eth0", "index": index})


def test_link_that_is_there_passes() -> None:
    Link("lo", 1).check()


def test_link_that_is_gone_says_so_also_where_another_has_its_name() -> None:
    for name in ("rbgone0", "lo"):
        with pytest.raises(GoneError, match=f"there is no interface {name} here any more, with index 1073741824"):
            Link(name, 1 << 30).check()


def test_link_that_was_renamed_since_is_not_taken_for_gone() -> None:
    with pytest.raises(UnavailableError, match="before is called lo since") as caught:
        Link("before", 1).check()
    assert not isinstance(caught.value, GoneError)
