"""Datagrams into records, and flights of records into datagrams."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.dtls import datagrams_of_records, records_of

MTU_BYTES = 1200


def _record(length_bytes: int) -> bytes:
    return b"\x16\xfe\xfd" + bytes(8) + length_bytes.to_bytes(2, "big") + bytes(length_bytes)


def test_flight_that_fits_is_one_datagram() -> None:
    flight = _record(100) + _record(500)
    assert datagrams_of_records(flight, MTU_BYTES) == [flight]


def test_flight_that_does_not_fit_is_cut_between_records() -> None:
    records = [_record(800), _record(300), _record(300), _record(1187)]
    assert datagrams_of_records(b"".join(records), MTU_BYTES) == [records[0] + records[1], records[2], records[3]]


def test_flight_with_a_record_above_the_mtu_leaves_it_whole() -> None:
    records = [_record(10), _record(2000), _record(10)]
    assert datagrams_of_records(b"".join(records), MTU_BYTES) == records


def test_datagram_is_cut_into_records_and_the_rest_left_out() -> None:
    records = [_record(0), _record(30), _record(5)]
    assert records_of(b"".join(records)) == records
    assert records_of(b"".join(records)[:-1]) == records[:2]
    assert records_of(b"".join(records) + b"\x16" * 12) == records
    assert records_of(b"") == []


def test_flight_that_is_empty_is_no_datagram() -> None:
    assert datagrams_of_records(b"", MTU_BYTES) == []


@given(st.lists(st.integers(0, MTU_BYTES - 13), max_size=30))
def test_flight_cut_into_datagrams_is_the_same_flight(lengths: list[int]) -> None:
    flight = b"".join(map(_record, lengths))
    datagrams = datagrams_of_records(flight, MTU_BYTES)
    assert b"".join(datagrams) == flight
    assert all(0 < len(datagram) <= MTU_BYTES for datagram in datagrams)
