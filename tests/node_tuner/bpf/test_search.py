"""How ports are cut into intervals, for the search; that it finds them is shown in `test_program`."""

from hypothesis import given
from hypothesis import strategies as st

from node_tuner.bpf.search import Interval, intervals
from node_tuner.marking import MarkRule, Payload, Transport
from node_tuner.ports import Ports


def _rules(*ports: Ports) -> list[tuple[int, MarkRule]]:
    return [
        (number, MarkRule("any", Transport.UDP, each, Payload.ANY, frozenset(), 0)) for number, each in enumerate(ports)
    ]


def test_intervals_begin_where_other_rules_begin_to_fit() -> None:
    both = _rules(Ports.parse("8189,9000-9010"), Ports.parse("9005-9020"))
    assert intervals(both) == [
        Interval(0, 0b00),
        Interval(8189, 0b01),
        Interval(8190, 0b00),
        Interval(9000, 0b01),
        Interval(9005, 0b11),
        Interval(9011, 0b10),
        Interval(9021, 0b00),
    ]


def test_intervals_with_the_same_rules_are_one() -> None:
    assert intervals(_rules(Ports.parse("1-65535"), Ports.parse("1-65535"))) == [Interval(0, 0), Interval(1, 0b11)]


@given(st.lists(st.frozensets(st.integers(1, 30), min_size=1), min_size=1, max_size=5))
def test_interval_of_a_port_names_its_rules(sets: list[frozenset[int]]) -> None:
    found = intervals(_rules(*(Ports(each) for each in sets)))
    for port in range(32):
        fitting = [each.fitting for each in found if each.first <= port][-1]
        assert fitting == sum(1 << number for number, each in enumerate(sets) if port in each)
