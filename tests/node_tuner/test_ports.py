"""Lists of ports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_tuner.ports import Ports

PORTS = st.integers(1, 65_535)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("", set()),
        ("8189", {8189}),
        ("8189,9000-9002", {8189, 9000, 9001, 9002}),
        (" 8189 , 8190,", {8189, 8190}),
        ("5-6,6-7", {5, 6, 7}),
        ("1,65535", {1, 65_535}),
    ],
)
def test_ports_are_read(text: str, ports: set[int]) -> None:
    assert Ports.parse(text) == frozenset(ports)


@pytest.mark.parametrize("text", ["0", "65536", "9-8", "a", "8189-", "-5", "1-2-3", "8 9", "٣", "8189;9", "1.5", "+7"])
def test_text_that_is_no_list_of_ports_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a port|ports are 1 to 65535"):
        Ports.parse(text)


def test_ports_are_written_as_the_shortest_list_of_ranges() -> None:
    assert str(Ports({9001, 8189, 9000, 9002, 7})) == "7,8189,9000-9002"
    assert list(Ports({9001, 8189, 9000}).ranges()) == [(8189, 8189), (9000, 9001)]


@given(st.frozensets(PORTS, max_size=40))
def test_ports_survive_being_written(ports: frozenset[int]) -> None:
    assert Ports.parse(str(Ports(ports))) == ports


@given(st.frozensets(PORTS, max_size=10), st.frozensets(PORTS, max_size=10))
def test_ports_together_are_ports_again(some: frozenset[int], others: frozenset[int]) -> None:
    both = Ports(some) | others
    assert isinstance(both, Ports)
    assert both == some.union(others)
