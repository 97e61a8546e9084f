"""Numbers that follow the machine."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from node_tuner.machine.facts import Machine
from node_tuner.profile.rules import RULES, MachineRule, bounds, explain, least, resolve
from tests.node_tuner.trees import FakeMachine

MACHINE = FakeMachine(cores=4, memory_mib=16_384, speed_mbps=10_000).facts
VIRTUAL = FakeMachine(speed_mbps=None).facts


def rule(**values: Any) -> MachineRule:
    return MachineRule.model_validate(values)


@pytest.mark.parametrize(
    ("given_rule", "machine", "value", "said"),
    [
        (rule(rule="per_core", factor=1000), MACHINE, 4000, "1000 for each of 4 cores"),
        (rule(rule="per_core", factor=0.3), MACHINE, 1, "0.3 for each of 4 cores"),
        (rule(rule="per_memory_mib", factor=64), MACHINE, 1_048_576, "64 a MiB of which there are 16384"),
        (rule(rule="memory_share", factor=0.01), MACHINE, 171_798_691, "1.000% of 16384 MiB of memory, in bytes"),
        (
            rule(rule="link_ms", factor=20, otherwise=7),
            MACHINE,
            25_000_000,
            "20 ms of a link of 10 Gb/s, in bytes",
        ),
        (rule(rule="link_ms", factor=20, otherwise=7), VIRTUAL, 7, "20 ms of a link of unknown speed, in bytes"),
        (rule(rule="link_ms", factor=20, otherwise=0), VIRTUAL, 0, "20 ms of a link of unknown speed, in bytes"),
        (
            rule(rule="per_core", factor=1000, at_least=5000),
            MACHINE,
            5000,
            "1000 for each of 4 cores, at least 5000",
        ),
        (
            rule(rule="per_core", factor=1000, at_least=1, at_most=3000),
            MACHINE,
            3000,
            "1000 for each of 4 cores, at least 1, at most 3000",
        ),
        (rule(rule="per_memory_mib", factor=1e9), MACHINE, 2**31 - 1, "1e+09 a MiB of which there are 16384"),
        (5, MACHINE, 5, ""),
    ],
)
def test_number_is_computed_and_explained(
    given_rule: int | MachineRule, machine: Machine, value: int, said: str
) -> None:
    assert resolve(given_rule, machine) == value
    assert explain(given_rule, machine) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"rule": "per_disk", "factor": 1}, "'per_core', 'per_memory_mib', 'memory_share' or 'link_ms'"),
        ({"rule": "per_core"}, "factor"),
        ({"rule": "per_core", "factor": True}, "valid number"),
        ({"rule": "per_core", "factor": "5"}, "valid number"),
        ({"rule": "per_core", "factor": 0}, "greater than 0"),
        ({"rule": "per_core", "factor": float("nan")}, "finite"),
        ({"rule": "per_core", "factor": float("inf")}, "finite"),
        ({"rule": "per_core", "factor": 1, "at_least": 5, "at_most": 4}, "it is more than at_most, 4"),
        ({"rule": "per_core", "factor": 1, "at_least": True}, "valid integer"),
        ({"rule": "per_core", "factor": 1, "otherwise": -1}, "greater than or equal to 0"),
        ({"rule": "memory_share", "factor": 1.5}, "a share of the memory is at most 1"),
        ({"rule": "link_ms", "factor": 20}, "say `otherwise`"),
        ({"rule": "per_core", "factor": 1, "at_mots": 5}, "at_mots"),
    ],
)
def test_rule_that_cannot_be_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MachineRule.model_validate(values)


def test_bounds_are_the_numbers_that_the_profile_names() -> None:
    assert bounds(5) == (5,)
    assert bounds(rule(rule="per_core", factor=3)) == ()
    named = rule(rule="link_ms", factor=3, at_least=1, at_most=9, otherwise=4)
    assert sorted(bounds(named)) == [1, 4, 9]


@given(
    name=st.sampled_from(sorted(RULES)),
    factor=st.floats(1e-6, 1),
    ends=st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)),
    cores=st.integers(1, 1024),
    memory_mib=st.integers(1, 1 << 24),
    speed_mbps=st.integers(1, 800_000),
)
def test_computed_number_stays_within_its_bounds(
    name: str, factor: float, ends: tuple[int, int], cores: int, memory_mib: int, speed_mbps: int
) -> None:
    machine = FakeMachine(cores=cores, memory_mib=memory_mib, speed_mbps=speed_mbps).facts
    least, most = min(ends), max(ends)
    value = resolve(rule(rule=name, factor=factor, at_least=least, at_most=most, otherwise=0), machine)
    assert least <= value <= most


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (5, 5),
        (rule(rule="per_core", factor=1000), 0),
        (rule(rule="per_core", factor=1000, at_least=5000), 5000),
        (rule(rule="link_ms", factor=20, at_least=100, otherwise=7), 7),
        (rule(rule="link_ms", factor=20, at_least=100, otherwise=700), 100),
    ],
)
def test_least_is_what_no_machine_has_less_than(number: int | MachineRule, value: int) -> None:
    assert least(number) == value
