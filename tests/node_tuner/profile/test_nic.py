"""The card, its queues and its qdisc in a profile."""

from typing import Any

import pytest
from pydantic import ValidationError

from node_tuner.profile.fields import Section
from node_tuner.profile.nic import (
    COALESCING,
    ChannelsSpec,
    CoalescingSpec,
    OffloadsSpec,
    QdiscSpec,
    RingsSpec,
    SteeringSpec,
)

WHY = {"why": "it is so", "source": "a page"}


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (ChannelsSpec, {"combined": "cores"}),
        (ChannelsSpec, {"combined": "max"}),
        (ChannelsSpec, {"combined": 4}),
        (RingsSpec, {"rx": "max", "tx": 512}),
        (RingsSpec, {"rx": 4096}),
        (CoalescingSpec, {"adaptive_rx": True, "tx_usecs": 50}),
        (CoalescingSpec, {"rx_usecs": 0, "adaptive_rx": False}),
        (OffloadsSpec, {"features": {"tx-udp-segmentation": True, "rx-gro-hw": False}}),
        (SteeringSpec, {"steer": "off"}),
        (QdiscSpec, {"kind": "fq", "limit_packets": 5}),
        (QdiscSpec, {"kind": "cake"}),
    ],
)
def test_section_is_read(section: type[Section], values: dict[str, Any]) -> None:
    spec = section.model_validate({**WHY, **values})
    assert spec.model_dump(include=set(values)) == values


@pytest.mark.parametrize(
    ("section", "values", "said"),
    [
        (ChannelsSpec, {}, "combined"),
        (ChannelsSpec, {"combined": "all"}, "'cores' or 'max'"),
        (ChannelsSpec, {"combined": 0}, "greater than or equal to 1"),
        (ChannelsSpec, {"combined": 4097}, "less than or equal to 4096"),
        (ChannelsSpec, {"combined": True}, "valid integer"),
        (RingsSpec, {}, "expected at least one of rx, tx"),
        (RingsSpec, {"rx": "cores"}, "'max'"),
        (RingsSpec, {"rx": 0}, "greater than or equal to 1"),
        (CoalescingSpec, {}, "expected at least one of rx_usecs, rx_frames"),
        (CoalescingSpec, {"rx_usecs": 5, "adaptive_rx": True}, "the driver chooses it where `adaptive_rx` is true"),
        (CoalescingSpec, {"tx_usecs": 5, "adaptive_tx": True}, "the driver chooses it where `adaptive_tx` is true"),
        (CoalescingSpec, {"rx_usecs": 1_000_001}, "less than or equal to 1000000"),
        (CoalescingSpec, {"adaptive_rx": 1}, "valid boolean"),
        (OffloadsSpec, {"features": {}}, "at least 1 item"),
        (OffloadsSpec, {"features": {"tx-udp-segmentation": "on"}}, "valid boolean"),
        (OffloadsSpec, {"features": {"tx udp": True}}, "should match pattern"),
        (SteeringSpec, {"steer": "on"}, "'off', 'where_queues_below_cores' or 'all_cores'"),
        (SteeringSpec, {"steer": False}, "'off', 'where_queues_below_cores' or 'all_cores'"),
        (QdiscSpec, {"kind": "fqq"}, "'fq'"),
        (QdiscSpec, {"kind": "fq", "limit_packets": 0}, "greater than or equal to 1"),
        (QdiscSpec, {"kind": "cake", "limit_packets": 5}, "cake has no limit in packets"),
    ],
)
def test_section_that_cannot_be_is_refused(section: type[Section], values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        section.model_validate({**WHY, **values})


def test_coalescing_keys_are_the_fields() -> None:
    assert set(COALESCING) == CoalescingSpec.model_fields.keys() - {"required", "why", "source"}
