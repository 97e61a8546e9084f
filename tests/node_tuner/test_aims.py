"""Which values are right, and what is written where they are not."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_tuner.aims import (
    DEFAULT_LIMITS_PACKETS,
    AtLeast,
    EachQueue,
    Exactly,
    FieldsAtLeast,
    Keys,
    Made,
    PortsAmong,
    Queueing,
    Unmet,
)
from node_tuner.contract import Aim, Value
from node_tuner.errors import UnavailableError
from node_tuner.marking import digest_of
from node_tuner.ports import Ports

PFIFO: Value = {"kind": "pfifo", "limit_packets": 1000, "owner": "kernel"}
SPEC = {"ports": "8189"}
FEW = EachQueue(lambda count: {f"rx-{queue}": "f" for queue in range(count)} if count < 3 else None, "f at each queue")
"""Of a machine of three cores."""


@pytest.mark.parametrize(
    ("aim", "found", "target"),
    [
        (Exactly("fq"), "fq", "fq"),
        (Exactly("fq"), "pfifo_fast", "fq"),
        (Exactly("there"), None, "there"),
        (AtLeast(600), "300", "600"),
        (AtLeast(600), "600", "600"),
        (AtLeast(600), "5000", "5000"),
        (AtLeast(600), 300, 600),
        (AtLeast(600), -1, 600),
        (FieldsAtLeast([None, None, 9]), "4 5 6", "4 5 9"),
        (FieldsAtLeast([None, 3, 9]), "4 5 60", "4 5 60"),
        (FieldsAtLeast([8, 8, 8]), "4 5 6", "8 8 8"),
        (FieldsAtLeast([4, None]), "9 5", "9 5"),
        (PortsAmong(Ports({8189})), "", "8189"),
        (PortsAmong(Ports({8189})), None, "8189"),
        (PortsAmong(Ports({8189})), "53,8190-8191", "53,8189-8191"),
        (PortsAmong(Ports({8189})), "8000-9000", "8000-9000"),
        (PortsAmong(Ports({8189})), "0-1023", "0-1023,8189"),
        (Keys({"rx": 4}), {"rx": 2}, {"rx": 4}),
        (Keys({"rx": 4}), {"rx": 4}, {"rx": 4}),
        (Queueing("fq"), PFIFO, {"kind": "fq", "limit_packets": 10_000, "owner": "railbird"}),
        (Queueing("fq", 5), PFIFO, {"kind": "fq", "limit_packets": 5, "owner": "railbird"}),
        (Queueing("pfifo"), PFIFO, PFIFO),
        (Queueing("pfifo", 1000), PFIFO, PFIFO),
        (Queueing("pfifo", 9), PFIFO, {"kind": "pfifo", "limit_packets": 9, "owner": "railbird"}),
        (Queueing("cake"), None, {"kind": "cake", "limit_packets": None, "owner": "railbird"}),
        (Made(SPEC, "a"), None, {"digest": digest_of(SPEC), "spec": SPEC}),
        (FEW, {"rx-0": "0"}, {"rx-0": "f"}),
        (FEW, {"rx-0": "0", "rx-1": "f"}, {"rx-0": "f", "rx-1": "f"}),
        (FEW, {"rx-0": "0", "rx-1": "f", "rx-2": "1"}, {"rx-0": "0", "rx-1": "f", "rx-2": "1"}),
        (FEW, None, None),
    ],
)
def test_target_is_what_is_wanted_of_what_was_found(aim: Aim, found: Value, target: Value) -> None:
    assert aim.target(found) == target
    assert type(aim.target(found)) is type(target)


@pytest.mark.parametrize(
    ("aim", "right", "wrong"),
    [
        (Exactly("1"), "1", "0"),
        (AtLeast(600), "601", "599"),
        (FieldsAtLeast([None, 5]), "1 6", "9 4"),
        (PortsAmong(Ports({8189})), "8000-8200", "8190"),
        (Keys({"rx": 4, "tx": 2}), {"rx": 4, "tx": 2}, {"rx": 4, "tx": 1}),
        (Keys({"gso": True}), {"gso": True, "gro": False}, {"gro": True}),
        (Keys({"rx": 4}), {"rx": 4}, None),
        (Queueing("fq", 7), {"kind": "fq", "limit_packets": 7}, {"kind": "fq", "limit_packets": 8}),
        (Queueing("fq"), {"kind": "fq", "limit_packets": 7}, {"kind": "fq+pfifo", "limit_packets": 7}),
        (Made(SPEC, "a"), {"digest": digest_of(SPEC), "content": "any"}, {"digest": "0", "content": "any"}),
        (Made(SPEC, "a"), {"digest": digest_of(SPEC)}, None),
        (Exactly({"rx-0": "3"}), {"rx-0": "3"}, {"rx-0": "3", "rx-1": "0"}),
        (FEW, {"rx-0": "f"}, {"rx-0": "0"}),
        (FEW, {"rx-0": "f", "rx-1": "f"}, {"rx-0": "f", "rx-1": "0"}),
    ],
)
def test_aim_is_met_by_what_is_right_alone(aim: Aim, right: Value, wrong: Value) -> None:
    assert aim.is_met(right)
    assert not aim.is_met(wrong)


@pytest.mark.parametrize(
    ("aim", "said"),
    [
        (Exactly("fq"), "exactly fq"),
        (Exactly({"rx-0": "3", "rx-1": "3"}), "rx-0 3, rx-1 3"),
        (Unmet("at most 50 us"), "at most 50 us"),
        (AtLeast(600), "at least 600"),
        (FieldsAtLeast([None, None, 9]), "at least (any) (any) 9"),
        (PortsAmong(Ports({8189, 8190})), "8189-8190 among them"),
        (Keys({"rx_usecs": 20, "adaptive_rx": False, "gso": True}), "rx_usecs 20, adaptive_rx off, gso on"),
        (Queueing("fq"), "fq"),
        (Queueing("fq", 9), "fq of 9 packets"),
        (Made(SPEC, "no connections of UDP 8189"), "no connections of UDP 8189"),
        (FEW, "f at each queue"),
    ],
)
def test_aim_says_what_it_is(aim: Aim, said: str) -> None:
    assert str(aim) == said


@pytest.mark.parametrize(
    ("aim", "found"),
    [
        (AtLeast(600), "fq"),
        (AtLeast(600), "4096 131072 6291456"),
        (AtLeast(600), None),
        (AtLeast(1), True),
        (FieldsAtLeast([None, 5]), "1 2 3"),
        (FieldsAtLeast([None, 5]), "1"),
        (FieldsAtLeast([None, 5]), "1 a"),
        (FieldsAtLeast([None, 5]), None),
        (PortsAmong(Ports({1})), "fq"),
    ],
)
def test_aim_at_another_kind_of_value_is_not_to_be_had(aim: Aim, found: Value) -> None:
    with pytest.raises(UnavailableError, match=r"it is no|it has \d fields here"):
        aim.is_met(found)
    with pytest.raises(UnavailableError, match=r"it is no|it has \d fields here"):
        aim.target(found)


def test_fields_that_would_descend_are_not_to_be_had() -> None:
    aim = FieldsAtLeast([None, 7, None])
    assert not aim.is_met("4 5 6")
    with pytest.raises(UnavailableError, match="it would be 4 7 6, and none may be smaller than the one before"):
        aim.target("4 5 6")


NUMBERS = st.integers(0, 2**63)
AIMS: list[tuple[st.SearchStrategy[Aim], Callable[[int], Value]]] = [
    (st.builds(AtLeast, NUMBERS), str),
    (st.builds(AtLeast, NUMBERS), int),
    (st.builds(lambda number: FieldsAtLeast([None, number]), NUMBERS), lambda found: f"{found} {found}"),
    (st.builds(lambda port: PortsAmong(Ports({port % 65_535 + 1})), NUMBERS), lambda found: str(found % 65_535 + 1)),
]


@pytest.mark.parametrize(("aims", "shape"), AIMS)
def test_target_meets_its_aim_and_is_its_own_target(
    aims: st.SearchStrategy[Aim], shape: Callable[[int], Value]
) -> None:
    @given(aims, NUMBERS)
    def holds(aim: Aim, found: int) -> None:
        target = aim.target(shape(found))
        assert aim.is_met(target)
        assert aim.target(target) == target

    holds()


def test_what_is_not_there_is_never_right_and_never_written() -> None:
    assert not Unmet("rx max").is_met("any")
    assert Unmet("rx max").target("any") == "any"


def test_default_limits_are_of_kinds_that_count_packets() -> None:
    assert set(DEFAULT_LIMITS_PACKETS) == {"fq", "fq_codel", "pfifo"}
