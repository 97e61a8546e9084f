"""A profile as a whole."""

from typing import Any

import pytest
from pydantic import ValidationError

from node_tuner.machine.choice import ByDefaultRoute, ByName
from node_tuner.ports import Ports
from node_tuner.profile.schema import Profile

WHY = {"why": "it is so", "source": "a page"}
LEAST: dict[str, Any] = {"schema": 1, "name": "mine", "media_ports": "8189"}


def profile(**values: Any) -> Profile:
    return Profile.model_validate({**LEAST, **values})


def test_profile_wants_nothing_to_begin_with() -> None:
    mine = profile()
    assert (mine.sysctls, mine.conntrack, mine.dscp, mine.qdisc, mine.cpu_dma_latency_us) == (
        {},
        None,
        None,
        None,
        None,
    )
    assert mine.nic.model_dump(exclude_none=True) == mine.queues.model_dump(exclude_none=True) == {}
    assert mine.choice == ByDefaultRoute()


def test_interface_is_chosen_by_name() -> None:
    assert profile(interface={"name": "eth0"}).choice == ByName("eth0")


def test_media_ports_stand_in_where_they_are_meant() -> None:
    mine = profile(media_ports="8189,9000")
    assert mine.ports("media_ports") == Ports({8189, 9000})
    assert mine.ports(Ports({53})) == Ports({53})


def test_digest_follows_what_is_said_and_not_how() -> None:
    assert profile(media_ports=[8190, 8189]).digest == profile(media_ports="8189-8190").digest
    assert profile(media_ports=8190).digest != profile().digest
    assert profile(qdisc={**WHY, "kind": "fq"}).digest != profile(qdisc={**WHY, "kind": "pfifo"}).digest
    assert len(profile().digest) == 12


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"schema": 2}, "Input should be 1"),
        ({"schema": "1"}, "expected a whole number"),
        ({"schema": True}, "expected a whole number"),
        ({"schema": 1.0}, "expected a whole number"),
        ({"name": "a b"}, "should match pattern"),
        ({"name": "a" * 65}, "should match pattern"),
        ({"media_ports": ""}, "expected at least one port"),
        ({"conntrack": {**WHY}}, "bypass"),
        ({"cpu_dma_latency_us": {**WHY, "at_most": 1_000_001}}, "less than or equal to 1000000"),
        ({"cpu_dma_latency_us": {**WHY, "at_most": 50, "required": True}}, "Extra inputs"),
        (
            {
                "nic": {"channels": {**WHY, "combined": "cores"}},
                "queues": {"rps": {**WHY, "steer": "all_cores"}},
            },
            "with a queue for each core there is nothing to hand on",
        ),
    ],
)
def test_profile_that_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        profile(**values)


def test_profile_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        profile().name = "other"  # type: ignore[misc]
