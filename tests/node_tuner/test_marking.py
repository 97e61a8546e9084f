"""Marks as JSON, and what they are called by."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_tuner.marking import FIRST_BYTES, Marking, MarkRule, Payload, Transport, digest_of
from node_tuner.ports import Ports

RULES = st.builds(
    MarkRule,
    traffic_class=st.sampled_from(["bet_signals", "audio", "video", "retransmission", "other"]),
    transport=st.sampled_from(Transport),
    ports=st.frozensets(st.integers(1, 65_535), min_size=1, max_size=5).map(Ports),
    payload=st.sampled_from(Payload),
    payload_types=st.frozensets(st.integers(0, 127), max_size=5),
    dscp=st.integers(0, 63),
)
MARKINGS = st.builds(Marking, rules=st.lists(RULES, max_size=5).map(tuple), only_unmarked=st.booleans())

AUDIO = MarkRule("audio", Transport.UDP, Ports({8189}), Payload.MEDIA, frozenset({111, 109}), 46)


@given(MARKINGS)
def test_marking_survives_being_json(marking: Marking) -> None:
    assert Marking.parse(json.loads(json.dumps(marking.as_json()))) == marking


def test_marking_as_json_is_the_same_in_whatever_order_sets_are() -> None:
    turned = MarkRule("audio", Transport.UDP, Ports({8189}), Payload.MEDIA, frozenset({109, 111}), 46)
    assert digest_of(Marking((AUDIO,), True).as_json()) == digest_of(Marking((turned,), True).as_json())


@given(MARKINGS, MARKINGS)
def test_digest_differs_where_marks_do(some: Marking, others: Marking) -> None:
    assert (digest_of(some.as_json()) == digest_of(others.as_json())) == (some == others)


def test_digest_is_twelve_digits() -> None:
    digest = digest_of({"ports": "8189"})
    assert len(digest) == 12
    assert int(digest, 16) >= 0


@pytest.mark.parametrize(
    "change", [{"dscp": "x"}, {"payload": "rtp"}, {"transport": "sctp"}, {"ports": "0"}, {"class": None}]
)
def test_json_of_no_marking_is_refused(change: dict[str, object]) -> None:
    value = Marking((AUDIO,), True).as_json()
    rule = {**value["rules"][0], **change}
    if change == {"class": None}:
        del rule["class"]
    with pytest.raises((KeyError, ValueError)):
        Marking.parse({**value, "rules": [rule]})


def test_first_bytes_tell_payloads_apart() -> None:
    (dtls_first, dtls_last), (media_first, media_last) = FIRST_BYTES[Payload.DTLS], FIRST_BYTES[Payload.MEDIA]
    assert (dtls_first, dtls_last, media_first, media_last) == (20, 63, 128, 191)
