"""Transport-wide feedback: on the wire, and built from arrivals."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MisuseError, WireError
from gateway.wire.rtcp import parse_compound, serialize_compound
from gateway.wire.twcc import (
    MAX_PEER_STATUSES,
    MAX_STATUSES,
    TransportFeedback,
    build_feedback,
    pack_transport_feedback,
    parse_transport_feedback,
)
from tests.wire.vectors import read_vector


def test_chromium_feedback_is_written_as_it_was_read() -> None:
    datagram = read_vector("chromium_transport_feedback")
    feedback = TransportFeedback(2167791495, 1577277549, 65504, 1, 24551, (40, 132))
    assert parse_compound(datagram) == [feedback]
    assert serialize_compound([feedback]) == datagram


def test_chromium_feedback_of_losses_has_its_values() -> None:
    expected = TransportFeedback(3725326844, 1968071176, 46, 38, 25034, (None, None, 3, 4, None, 43, 87))
    assert parse_compound(read_vector("chromium_transport_feedback_lost")) == [expected]


uint32 = st.integers(0, 2**32 - 1)
delta_tuples = st.lists(st.none() | st.integers(0, 255) | st.integers(-0x8000, 0x7FFF), min_size=1, max_size=60).map(
    tuple
)


@given(
    st.builds(
        TransportFeedback,
        uint32,
        uint32,
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFF),
        st.integers(-(2**23), 2**23 - 1),
        delta_tuples,
    )
)
def test_feedback_survives_the_round_trip(feedback: TransportFeedback) -> None:
    body = pack_transport_feedback(feedback)
    assert len(body) % 4 == 0
    assert parse_transport_feedback(body) == feedback


@pytest.mark.parametrize(
    ("delta", "packed"), [(0, "2001 00 00"), (255, "2001 ff 00"), (256, "4001 0100"), (-1, "4001 ffff")]
)
def test_delta_takes_two_bytes_only_outside_0_to_255(delta: int, packed: str) -> None:
    assert pack_transport_feedback(TransportFeedback(1, 2, 3, 4, 5, (delta,)))[16:] == bytes.fromhex(packed)


@pytest.mark.parametrize("deltas", [(), (0x8000,), (-0x8001,)])
def test_pack_transport_feedback_refuses(deltas: tuple[int, ...]) -> None:
    with pytest.raises(MisuseError):
        pack_transport_feedback(TransportFeedback(1, 2, 3, 4, 5, deltas))


def body_of(status_count: int, rest: str) -> bytes:
    return struct.pack("!IIHHI", 1, 2, 3, status_count, 0) + bytes.fromhex(rest)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        body_of(1, "")[:-1],
        body_of(0, "2001"),
        body_of(MAX_PEER_STATUSES + 1, "1fff1fff"),
        body_of(1, ""),
        body_of(3, "2002 0102"),
        body_of(2, "2002 01"),
        body_of(1, "4001 01"),
        body_of(1, "6001 01"),
        body_of(7, "ffff 0000 0000"),
        body_of(MAX_PEER_STATUSES, "1fff")[:17],
    ],
    ids=[
        "empty",
        "short",
        "no status",
        "too many statuses",
        "no chunk",
        "too few chunks",
        "too few small deltas",
        "large delta cut",
        "reserved run",
        "reserved vector",
        "chunk cut",
    ],
)
def test_parse_transport_feedback_refuses(body: bytes) -> None:
    with pytest.raises(WireError):
        parse_transport_feedback(body)


def test_parse_transport_feedback_takes_as_many_statuses_as_are_allowed() -> None:
    feedback = parse_transport_feedback(body_of(MAX_PEER_STATUSES, "1fff"))
    assert feedback.deltas == (None,) * MAX_PEER_STATUSES


def arrivals_of(feedback: TransportFeedback, first: int) -> dict[int, int]:
    """Extended sequence number -> arrival in us, as the sender of the packets would reconstruct it."""
    arrival_us = feedback.reference_time_ticks * 64_000
    arrivals = {}
    for sequence_number, delta in enumerate(feedback.deltas, first):
        if delta is not None:
            arrival_us += delta * 250
            arrivals[sequence_number] = arrival_us
    return arrivals


def test_feedback_of_reordered_arrivals_has_a_negative_delta() -> None:
    (feedback,) = build_feedback(1, 2, 3, [(10, 128_250), (12, 129_000), (11, 130_000)])
    assert feedback == TransportFeedback(1, 2, 10, 3, 2, (1, 7, -4))


def test_feedback_of_nothing() -> None:
    assert build_feedback(1, 2, 3, []) == []


def test_feedback_of_a_duplicate_tells_the_first_arrival() -> None:
    (feedback,) = build_feedback(1, 2, 3, [(10, 500), (10, 250), (11, 750)])
    assert feedback.deltas == (1, 2)


def test_feedback_wraps_its_sequence_number_and_count() -> None:
    arrivals = [(0x1_FFFF, 0), (0x2_0000, 40_000_000)]
    first, second = build_feedback(1, 2, 255, arrivals)
    assert (first.base_sequence_number, first.feedback_packet_count) == (0xFFFF, 255)
    assert (second.base_sequence_number, second.feedback_packet_count) == (0, 0)
    assert second.reference_time_ticks == 625


def test_feedback_wraps_its_reference_time() -> None:
    (feedback,) = build_feedback(1, 2, 3, [(1, 2**23 * 64_000 + 250)])
    assert (feedback.reference_time_ticks, feedback.deltas) == (-(2**23), (1,))
    assert parse_transport_feedback(pack_transport_feedback(feedback)) == feedback


@pytest.mark.parametrize(
    ("gap_us", "feedbacks"), [(0x7FFF * 250, 1), (0x8000 * 250, 2), (-0x8000 * 250, 1), (-0x8001 * 250, 2)]
)
def test_feedback_splits_where_a_delta_does_not_fit(gap_us: int, feedbacks: int) -> None:
    assert len(build_feedback(1, 2, 3, [(1, 64_000_000), (2, 64_000_000 + gap_us)])) == feedbacks


def test_feedback_splits_at_max_statuses_and_goes_on_without_a_gap() -> None:
    arrivals = [(number, number * 1000) for number in range(MAX_STATUSES + 100) if number != MAX_STATUSES]
    first, second = build_feedback(1, 2, 3, arrivals)
    assert len(first.deltas) == MAX_STATUSES
    assert second.base_sequence_number == MAX_STATUSES
    assert second.deltas[:2] == (None, arrivals[MAX_STATUSES][1] // 250 % 256)


def test_feedback_of_a_loss_too_long_to_tell_starts_behind_it() -> None:
    first, second = build_feedback(1, 2, 3, [(0, 0), (5000, 250)])
    assert (first.deltas, second.base_sequence_number, second.deltas) == ((0,), 5000, (1,))


@pytest.mark.parametrize(
    ("first_expected", "base", "deltas"),
    [
        (None, 10, (1,)),
        (10, 10, (1,)),
        (7, 7, (None, None, None, 1)),
        (11, 10, (1,)),
        (10 - MAX_STATUSES, 10, (1,)),
        (11 - MAX_STATUSES, (11 - MAX_STATUSES) & 0xFFFF, (None,) * (MAX_STATUSES - 1) + (1,)),
    ],
)
def test_feedback_tells_what_was_lost_since_the_last_one(
    first_expected: int | None, base: int, deltas: tuple[int | None, ...]
) -> None:
    (feedback,) = build_feedback(1, 2, 3, [(10, 250)], first_expected)
    assert (feedback.base_sequence_number, feedback.deltas) == (base, deltas)


def test_largest_feedback_stays_below_1200_bytes() -> None:
    arrivals = [(number, (number % 2) * 1_000_000) for number in range(MAX_STATUSES)]
    (feedback,) = build_feedback(1, 2, 3, arrivals)
    assert len(serialize_compound([feedback])) < 1200


@given(
    st.lists(st.tuples(st.integers(0x1_FF00, 0x2_0400), st.integers(0, 60_000_000)), min_size=1, max_size=50),
)
def test_feedback_tells_every_arrival_to_the_tick(arrivals: list[tuple[int, int]]) -> None:
    told: dict[int, int] = {}
    for feedback in parse_compound(serialize_compound(build_feedback(1, 2, 3, arrivals))):
        assert isinstance(feedback, TransportFeedback)
        first = (0x1_0000 if feedback.base_sequence_number >= 0xFF00 else 0x2_0000) + feedback.base_sequence_number
        told.update(arrivals_of(feedback, first))
    earliest = {number: min(us for other, us in arrivals if other == number) for number, _ in arrivals}
    assert told == {number: arrival_us // 250 * 250 for number, arrival_us in earliest.items()}
