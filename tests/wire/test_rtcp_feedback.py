"""NACK, PLI and FIR."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.rtcp_feedback import (
    MAX_NACK_ENTRIES,
    FullIntraRequest,
    GenericNack,
    PictureLossIndication,
    pack_full_intra_request,
    pack_generic_nack,
    pack_picture_loss_indication,
    parse_full_intra_request,
    parse_generic_nack,
    parse_picture_loss_indication,
)

uint32 = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("sequence_numbers", "entries"),
    [
        ((7,), "00070000"),
        ((7, 8), "00070001"),
        ((7, 23), "00078000"),
        ((7, 24), "0007000000180000"),
        ((65535, 0, 15), "ffff8001"),
        (tuple(range(17)), "0000ffff"),
        ((20, 10), "0014000" + "0000a0000"),
    ],
)
def test_nack_packs_neighbours_into_one_entry(sequence_numbers: tuple[int, ...], entries: str) -> None:
    body = pack_generic_nack(GenericNack(1, 2, sequence_numbers))
    assert body[8:].hex() == entries
    assert parse_generic_nack(body) == GenericNack(1, 2, sequence_numbers)


@given(
    sender_ssrc=uint32,
    media_ssrc=uint32,
    first=st.integers(0, 0xFFFF),
    offsets=st.sets(st.integers(0, 300), min_size=1),
)
def test_nack_survives_the_round_trip(sender_ssrc: int, media_ssrc: int, first: int, offsets: set[int]) -> None:
    sequence_numbers = tuple((first + offset) & 0xFFFF for offset in sorted(offsets))
    nack = GenericNack(sender_ssrc, media_ssrc, sequence_numbers)
    assert parse_generic_nack(pack_generic_nack(nack)) == nack


def test_nack_of_as_many_entries_as_are_allowed() -> None:
    body = bytes(8) + struct.pack("!HH", 1, 0xFFFF) * MAX_NACK_ENTRIES
    assert len(parse_generic_nack(body).sequence_numbers) == 17 * MAX_NACK_ENTRIES


@pytest.mark.parametrize("size_bytes", [0, 7, 8, 10, 13, 8 + 4 * (MAX_NACK_ENTRIES + 1)])
def test_parse_generic_nack_refuses(size_bytes: int) -> None:
    with pytest.raises(WireError):
        parse_generic_nack(bytes(size_bytes))


@given(st.builds(PictureLossIndication, uint32, uint32))
def test_picture_loss_indication_survives_the_round_trip(indication: PictureLossIndication) -> None:
    assert parse_picture_loss_indication(pack_picture_loss_indication(indication)) == indication


@pytest.mark.parametrize("size_bytes", [0, 4, 7, 9, 12])
def test_parse_picture_loss_indication_refuses(size_bytes: int) -> None:
    with pytest.raises(WireError):
        parse_picture_loss_indication(bytes(size_bytes))


entry_tuples = st.lists(st.tuples(uint32, st.integers(0, 255)), min_size=1, max_size=5).map(tuple)


@given(st.builds(FullIntraRequest, uint32, entry_tuples))
def test_full_intra_request_survives_the_round_trip(request: FullIntraRequest) -> None:
    assert parse_full_intra_request(pack_full_intra_request(request)) == request


def test_full_intra_request_on_the_wire() -> None:
    assert pack_full_intra_request(FullIntraRequest(1, ((2, 3),))).hex() == "00000001000000000000000203000000"


@pytest.mark.parametrize("size_bytes", [0, 4, 8, 12, 20])
def test_parse_full_intra_request_refuses(size_bytes: int) -> None:
    with pytest.raises(WireError):
        parse_full_intra_request(bytes(size_bytes))
