"""An interface, found again."""

import pytest

from node_tuner.errors import GoneError
from node_tuner.machine.link import Link


def test_link_of_a_record_is_the_same_one() -> None:
    assert Link.parse(Link("eth0", 4).where) == Link("eth0", 4)


@pytest.mark.parametrize("where", [{}, {"interface": "eth0"}, {"index": 4}])
def test_record_without_name_or_index_is_refused(where: dict[str, str | int]) -> None:
    with pytest.raises(KeyError):
        Link.parse(where)


def test_link_that_is_there_passes() -> None:
    Link("lo", 1).check()


def test_link_that_is_gone_says_so() -> None:
    with pytest.raises(GoneError, match="there is no interface rbgone0 here any more"):
        Link("rbgone0", 1).check()


def test_name_that_another_interface_has_now_says_so() -> None:
    with pytest.raises(GoneError, match="lo is another interface now: its index is 1, it was 4711"):
        Link("lo", 4711).check()
