"""What a profile wants of a card and its queues, for cards that are made up."""

from collections.abc import Mapping
from typing import Any

import pytest

from node_tuner.aims import Keys
from node_tuner.contract import Knob
from tests.node_tuner.card_limits import SetLimits, card_limits
from tests.node_tuner.trees import FakeMachine
from tests.node_tuner.wishes import FOUR_CORES, WHY, only, wanted


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> SetLimits:
    return card_limits(monkeypatch)


def channels(machine: FakeMachine, combined: object) -> Knob:
    return only(machine, nic={"channels": {**WHY, "combined": combined}})


@pytest.mark.parametrize(
    ("combined", "cores", "most", "value"),
    [("cores", 4, 8, 4), ("cores", 16, 8, 8), ("max", 4, 8, 8), (3, 4, 8, 3), (12, 4, 8, 12)],
)
def test_channels_are_as_many_as_wanted_and_there(
    card: SetLimits, combined: object, cores: int, most: int, value: int
) -> None:
    card(channels={"combined": most, "rx": 0, "tx": 0})
    knob = channels(FakeMachine(cores=cores), combined)
    assert (knob.name, knob.aim) == ("nic.channels", Keys({"combined": value}))
    assert knob.control is not None
    assert knob.control.where == {"interface": "rbcard0", "index": 4711, "keys": "combined"}


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (None, "rbcard0 has no channels"),
        ({"combined": 0, "rx": 8}, "the driver of rbcard0 has no combined channels"),
        ({}, "the driver of rbcard0 has no combined channels"),
    ],
)
def test_channels_of_a_card_without_them_are_absent_and_say_why(
    card: SetLimits, limits: Mapping[str, int] | None, why: str
) -> None:
    card(channels=limits)
    knob = channels(FOUR_CORES, "cores")
    assert (knob.control, knob.absent, str(knob.aim)) == (None, why, "combined cores")


def test_rings_are_as_large_as_the_card_has(card: SetLimits) -> None:
    card(rings={"rx": 4096, "tx": 512})
    knob = only(FOUR_CORES, nic={"rings": {**WHY, "rx": "max", "tx": "max"}})
    assert (knob.name, knob.aim) == ("nic.rings", Keys({"rx": 4096, "tx": 512}))


def test_ring_that_is_not_named_is_left_alone(card: SetLimits) -> None:
    card(rings={"rx": 4096, "tx": 512})
    knob = only(FOUR_CORES, nic={"rings": {**WHY, "rx": "max"}})
    assert knob.aim == Keys({"rx": 4096})
    assert knob.control is not None
    assert knob.control.where["keys"] == "rx"


def test_rings_of_a_card_without_them_are_absent_and_say_why(card: SetLimits) -> None:
    knob = only(FOUR_CORES, nic={"rings": {**WHY, "rx": "max", "tx": 512, "required": True}})
    assert (knob.control, knob.absent, knob.required) == (None, "rbcard0 has no rings", True)
    assert str(knob.aim) == "rx max, tx 512"
    card(rings={"rx": 4096, "tx": 0})
    knob = only(FOUR_CORES, nic={"rings": {**WHY, "rx": "max", "tx": "max"}})
    assert knob.absent == "the driver of rbcard0 has no tx rings"


def test_rings_of_a_number_need_no_limits(card: SetLimits) -> None:
    assert only(FOUR_CORES, nic={"rings": {**WHY, "rx": 512}}).aim == Keys({"rx": 512})


def test_coalescing_is_what_is_said_of_it() -> None:
    knob = only(FOUR_CORES, nic={"coalescing": {**WHY, "adaptive_rx": False, "rx_usecs": 0}})
    assert (knob.name, knob.aim) == ("nic.coalescing", Keys({"rx_usecs": 0, "adaptive_rx": False}))
    assert knob.control is not None
    assert knob.control.where["keys"] == "adaptive_rx,rx_usecs"


def test_offloads_are_switched_as_said() -> None:
    knob = only(FOUR_CORES, nic={"offloads": {**WHY, "features": {"tx-udp-segmentation": True, "lro": False}}})
    assert (knob.name, knob.aim) == ("nic.offloads", Keys({"tx-udp-segmentation": True, "lro": False}))


def steered(machine: FakeMachine, kind: str, steer: str, **sections: Any) -> Knob:
    return wanted(machine, queues={kind: {**WHY, "steer": steer}}, **sections)[f"queues.{kind}"]


@pytest.mark.parametrize(
    ("machine", "kind", "steer", "masks"),
    [
        (FakeMachine(cores=4, rx_queues=1), "rps", "where_queues_below_cores", {"rx-0": "f"}),
        (FakeMachine(cores=4, rx_queues=2), "rps", "where_queues_below_cores", {"rx-0": "f", "rx-1": "f"}),
        (FakeMachine(cores=4, rx_queues=2), "rps", "off", {"rx-0": "0", "rx-1": "0"}),
        (FakeMachine(cores=2, rx_queues=2), "rps", "all_cores", {"rx-0": "3", "rx-1": "3"}),
        (FakeMachine(online=(0, 2, 4, 6), rx_queues=1), "rps", "where_queues_below_cores", {"rx-0": "55"}),
        (FakeMachine(online=(0, 2, 4, 6), rx_queues=1), "rps", "all_cores", {"rx-0": "55"}),
        (FakeMachine(cores=4, isolated=(2, 3), rx_queues=1), "rps", "where_queues_below_cores", {"rx-0": "3"}),
        (FakeMachine(cores=4, isolated=(2, 3), rx_queues=1), "rps", "all_cores", {"rx-0": "3"}),
        (FakeMachine(online=(0, 2, 4, 6), tx_queues=2), "xps", "all_cores", {"tx-0": "11", "tx-1": "44"}),
        (FakeMachine(cores=4, isolated=(2, 3), tx_queues=2), "xps", "all_cores", {"tx-0": "5", "tx-1": "a"}),
        (FakeMachine(cores=40, rx_queues=1), "rps", "all_cores", {"rx-0": "ffffffffff"}),
        (FakeMachine(cores=4, tx_queues=2), "xps", "where_queues_below_cores", {"tx-0": "5", "tx-1": "a"}),
        (FakeMachine(cores=2, tx_queues=2), "xps", "all_cores", {"tx-0": "1", "tx-1": "2"}),
        (FakeMachine(cores=2, tx_queues=2), "xps", "off", {"tx-0": "0", "tx-1": "0"}),
    ],
)
def test_queues_are_steered(machine: FakeMachine, kind: str, steer: str, masks: Mapping[str, str]) -> None:
    knob = steered(machine, kind, steer)
    assert (knob.aim.target(dict.fromkeys(masks, "7")), knob.not_needed) == (masks, "")
    assert knob.control is not None
    assert (knob.control.kind, knob.control.where) == (kind, {"interface": "rbcard0", "index": 4711})


@pytest.mark.parametrize(
    ("machine", "kind", "why"),
    [
        (FOUR_CORES, "rps", "rbcard0 has a queue for each core: 8 for 4"),
        (FOUR_CORES, "xps", "rbcard0 has a queue for each core: 8 for 4"),
        (FakeMachine(cores=4, isolated=(2, 3), rx_queues=2), "rps", "rbcard0 has a queue for each core: 2 for 2"),
        (FakeMachine(cores=1, rx_queues=1), "rps", "rbcard0 has a queue for each core: 1 for 1"),
        (FakeMachine(cores=4, tx_queues=1), "xps", "rbcard0 has one queue: there is nothing to choose from"),
    ],
)
def test_steering_is_not_needed_where_each_core_has_a_queue(machine: FakeMachine, kind: str, why: str) -> None:
    assert steered(machine, kind, "where_queues_below_cores").not_needed == why


@pytest.mark.parametrize(
    ("kind", "steer", "said"),
    [
        ("rps", "where_queues_below_cores", "f at each queue"),
        ("rps", "off", "0 at each queue"),
        ("xps", "all_cores", "f dealt out to the queues"),
        ("xps", "off", "0 at each queue"),
    ],
)
def test_steering_says_what_is_wanted_of_however_many_queues(kind: str, steer: str, said: str) -> None:
    assert str(steered(FOUR_CORES, kind, steer).aim) == said


QUEUES = {"rps": "rx", "xps": "tx"}
NIC = {"channels": {**WHY, "combined": "cores"}}


@pytest.mark.parametrize("kind", QUEUES)
@pytest.mark.parametrize("there", [2, 3])
def test_steering_is_of_the_queues_that_there_are(card: SetLimits, kind: str, there: int) -> None:
    card(channels={"combined": 3})
    knob = steered(FakeMachine(cores=4, rx_queues=2, tx_queues=2), kind, "where_queues_below_cores", nic=NIC)
    masks = knob.aim.target({f"{QUEUES[kind]}-{queue}": "0" for queue in range(there)})
    assert isinstance(masks, Mapping)
    assert (len(masks), knob.aim.is_met(masks), knob.not_needed) == (there, True, "")


@pytest.mark.parametrize("kind", QUEUES)
def test_steering_is_needed_until_each_core_has_its_queue(card: SetLimits, kind: str) -> None:
    card(channels={"combined": 8})
    knob = steered(FakeMachine(cores=4, rx_queues=2, tx_queues=2), kind, "where_queues_below_cores", nic=NIC)
    assert knob.not_needed == ""
    assert not knob.aim.is_met({f"{QUEUES[kind]}-{queue}": "0" for queue in range(2)})
    assert knob.aim.is_met({f"{QUEUES[kind]}-{queue}": "0" for queue in range(4)}), "then it is left as it is"
    set_already = steered(FakeMachine(cores=4, rx_queues=4, tx_queues=4), kind, "where_queues_below_cores", nic=NIC)
    assert set_already.not_needed == "rbcard0 has a queue for each core: 4 for 4"


def test_one_queue_that_becomes_one_for_each_core_is_not_to_be_chosen_from(card: SetLimits) -> None:
    card(channels={"combined": 8})
    one = FakeMachine(cores=4, rx_queues=1, tx_queues=1)
    assert "4 for 4" in steered(one, "xps", "where_queues_below_cores", nic=NIC).not_needed
