"""Marks of a profile."""

from typing import Any

import pytest
from pydantic import ValidationError

from node_tuner.ports import Ports
from node_tuner.profile.dscp import DSCP_NAMES, MAX_RULES, DscpSpec, MarkRuleSpec, name_of

WHY = {"why": "it is so", "source": "a page"}
AUDIO = {"class": "audio", "payload": "media", "payload_types": [111], "dscp": "EF"}


def rule(**values: Any) -> MarkRuleSpec:
    return MarkRuleSpec.model_validate({"class": "video", "dscp": 34, **values})


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *[("DF", 0), ("LE", 1), ("CS0", 0), ("CS1", 8), ("CS7", 56), ("EF", 46), ("VA", 44)],
        *[("AF11", 10), ("AF21", 18), ("AF31", 26), ("AF41", 34), ("AF42", 36), ("AF43", 38)],
    ],
)
def test_names_are_those_of_the_rfcs(name: str, number: int) -> None:
    assert DSCP_NAMES[name] == number
    assert rule(dscp=name).dscp == number


def test_every_number_has_a_name_for_people() -> None:
    assert (name_of(46), name_of(34), name_of(0), name_of(45)) == ("EF", "AF41", "DF", "DSCP 45")


def test_rule_marks_datagrams_from_media_ports_to_begin_with() -> None:
    plain = rule()
    assert (plain.transport, plain.ports, plain.payload, plain.payload_types) == ("udp", "media_ports", "any", ())
    assert rule(ports="443", transport="tcp").ports == Ports({443})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dscp": "EFF"}, "expected 0 to 63, or one of DF, LE"),
        ({"dscp": "ef"}, "expected 0 to 63"),
        ({"dscp": "46"}, "expected 0 to 63"),
        ({"dscp": 64}, "less than or equal to 63"),
        ({"dscp": -1}, "greater than or equal to 0"),
        ({"dscp": True}, "valid integer"),
        ({"dscp": None}, "valid integer"),
        ({"class": "sound"}, "'bet_signals', 'audio', 'video', 'retransmission' or 'other'"),
        ({"transport": "sctp"}, "'udp' or 'tcp'"),
        ({"payload": "rtp"}, "'any', 'dtls' or 'media'"),
        ({"payload": "media", "payload_types": [128]}, "less than or equal to 127"),
        ({"payload": "media", "payload_types": [63, 64]}, "64 to 95 are RTCP's"),
        ({"payload": "media", "payload_types": [95]}, "64 to 95 are RTCP's"),
        ({"payload_types": [111]}, "only `payload: media` has payload types"),
        ({"payload": "dtls", "payload_types": [111]}, "only `payload: media` has payload types"),
        ({"payload": "media", "transport": "tcp"}, "only datagrams are told apart"),
        ({"ports": "8189x"}, "expected a port"),
        ({"port": 8189}, "port"),
    ],
)
def test_rule_that_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rule(**values)


@pytest.mark.parametrize("payload_type", [0, 63, 96, 127])
def test_payload_types_beside_those_of_rtcp_are_taken(payload_type: int) -> None:
    assert rule(payload="media", payload_types=[payload_type]).payload_types == (payload_type,)


def test_marks_keep_what_is_marked_to_begin_with() -> None:
    spec = DscpSpec.model_validate({**WHY, "mechanism": "nft", "rules": [AUDIO]})
    assert (spec.only_unmarked, spec.priority, spec.rules[0].dscp) == (True, 100, 46)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mechanism": "nft"}, "there are no `rules` to mark by"),
        ({"mechanism": "iptables", "rules": [AUDIO]}, "'nft', 'bpf' or 'none'"),
        ({"mechanism": "bpf", "rules": [AUDIO], "priority": 0}, "greater than or equal to 1"),
        ({"mechanism": "bpf", "rules": [AUDIO], "priority": 65_536}, "less than or equal to 65535"),
        ({"mechanism": "nft", "rules": [AUDIO] * (MAX_RULES + 1)}, "at most 32 items"),
        ({"rules": [AUDIO]}, "mechanism"),
    ],
)
def test_marks_that_cannot_be_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DscpSpec.model_validate({**WHY, **values})


def test_no_mechanism_needs_no_rules() -> None:
    assert DscpSpec.model_validate({**WHY, "mechanism": "none"}).rules == ()
