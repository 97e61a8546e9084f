"""What an SCTP packet has to be like before aiortc reads it: each of these bad ones did harm there, or could."""

from struct import pack

import pytest
from aiortc.rtcsctptransport import parse_packet
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.sctp import MAX_CHUNKS, MAX_CONTROL_CHUNKS, MAX_PARAMETERS, MAX_STREAMS, MAX_TSN_AHEAD, check_packet
from tests.wire.sctp_packets import chunk, data, forward_tsn, init, outgoing_reset, packet, parameter, sack

COOKIE_PARAMETER, EXTENSIONS_PARAMETER = 7, 0x8008

GOOD = {
    "message": packet(data(1)),
    "message after an acknowledgement": packet(sack(1), data(1)),
    "as many chunks as can be": packet(*[data(1, b"x")] * MAX_CHUNKS),
    "init": packet(init(tail=parameter(EXTENSIONS_PARAMETER, b"\xc0\x82") + parameter(0xC000)), tag=0),
    "init ack": packet(init(kind=2, tail=parameter(COOKIE_PARAMETER, b"c" * 33))),
    "cookie echo and message": packet(chunk(10, b"c" * 24), data(1)),
    "cookie ack": packet(chunk(11)),
    "gaps": packet(sack(5, (2, 3), (5, 5), (MAX_TSN_AHEAD, MAX_TSN_AHEAD))),
    "duplicates": packet(chunk(3, pack("!LLHHLL", 5, 0, 0, 2, 4, 4))),
    "heartbeat": packet(chunk(4, parameter(1, b"h" * 41))),
    "abort": packet(chunk(6)),
    "abort with a cause": packet(chunk(6, parameter(12, b"User-Initiated Abort"))),
    "shutdown": packet(chunk(7, bytes(4))),
    "reset": packet(outgoing_reset(1, 2, 0)),
    "reset and answer": packet(chunk(130, parameter(13, bytes(14)) + parameter(16, bytes(8)))),
    "two resets": packet(*[outgoing_reset(1, 2, 0)] * MAX_CONTROL_CHUNKS, data(1)),
    "forward tsn": packet(forward_tsn(7, (0, 1), (MAX_STREAMS - 1, 1))),
    "chunk that nobody knows": packet(chunk(64, b"I-DATA")),
    "last chunk without its padding": packet(data(1, b"x"))[:-3],
}

REFUSED = {
    "empty": b"",
    "header alone": packet(),
    "chunk of no length": packet(chunk(0, length=0)),
    "chunk shorter than its header": packet(chunk(11, length=3)),
    "chunk longer than the packet": packet(chunk(11, length=5)),
    "many chunks": packet(*[data(1, b"x")] * (MAX_CHUNKS + 1)),
    "many acknowledgements": packet(*[sack(1)] * (MAX_CONTROL_CHUNKS + 1)),
    "many heartbeats among messages": packet(*[chunk(4, parameter(1)), data(1)] * (MAX_CONTROL_CHUNKS + 1)),
    "message without data": packet(data(1, b"")),
    "message cut short": packet(chunk(0, bytes(5))),
    "message of no body": packet(chunk(0)),
    "message on another stream": packet(data(1, stream=MAX_STREAMS)),
    "init cut short": packet(chunk(1, bytes(15))),
    "init without a tag": packet(init(tag=0)),
    "init without streams": packet(init(streams=0)),
    "init in company": packet(init(), data(1)),
    "init behind others": packet(data(1), init()),
    "init ack in company": packet(init(kind=2), data(1)),
    "init with a parameter of no length": packet(init(tail=pack("!HHL", COOKIE_PARAMETER, 0, 0))),
    "heartbeat with a parameter of no length": packet(chunk(4, pack("!HH", 1, 0))),
    "abort with a parameter of no length": packet(chunk(6, pack("!HH", 1, 0))),
    "error with a parameter of no length": packet(chunk(9, pack("!HH", 1, 0))),
    "reset with a parameter of no length": packet(chunk(130, pack("!HH", 13, 0))),
    "parameter longer than its chunk": packet(chunk(4, parameter(1, b"h", length=9))),
    "many parameters": packet(chunk(4, parameter(1) * (MAX_PARAMETERS + 1))),
    "sack cut short": packet(chunk(3, bytes(11))),
    "sack without its gaps": packet(chunk(3, pack("!LLHH", 1, 1, 300, 0))),
    "sack with a tail": packet(chunk(3, bytes(16))),
    "gap as wide as can be": packet(sack(1, (1, 65_535))),
    "gap backwards": packet(sack(1, (5, 4))),
    "gap at nought": packet(sack(1, (0, 0))),
    "gaps out of order": packet(sack(1, (5, 6), (2, 3))),
    "gaps that overlap": packet(sack(1, (2, 5), (5, 6))),
    "forward tsn cut short": packet(chunk(192, bytes(3))),
    "forward tsn of half a stream": packet(chunk(192, bytes(6))),
    "forward tsn of another stream": packet(forward_tsn(1, (MAX_STREAMS, 0))),
    "forward tsn of many streams": packet(forward_tsn(1, *[(0, 0)] * (MAX_STREAMS + 1))),
    "shutdown cut short": packet(chunk(7, bytes(3))),
    "shutdown of no body": packet(chunk(7)),
    "reset of nothing": packet(chunk(130)),
    "reset cut short": packet(chunk(130, parameter(13, bytes(11)))),
    "reset of half a stream": packet(chunk(130, parameter(13, bytes(13)))),
    "reset of many streams": packet(outgoing_reset(1, 1, *[0] * (MAX_STREAMS + 1))),
    "answer to a reset cut short": packet(chunk(130, parameter(16, bytes(7)))),
    "more streams cut short": packet(chunk(130, parameter(17, bytes(7)))),
    "many resets": packet(chunk(130, parameter(13, bytes(14)) * 3)),
}


@pytest.mark.parametrize("case", GOOD)
def test_packet_of_a_peer_is_let_through_and_aiortc_reads_it(case: str) -> None:
    check_packet(GOOD[case])
    assert parse_packet(packet(GOOD[case][12:]))[3] or case == "chunk that nobody knows"


@pytest.mark.parametrize("case", REFUSED)
def test_packet_that_would_do_harm_is_refused(case: str) -> None:
    with pytest.raises(WireError):
        check_packet(REFUSED[case])


def _read_or_refused(raw: bytes) -> None:
    """What is let through must be read by aiortc to its end, without any error."""
    try:
        check_packet(raw)
    except WireError:
        return
    for each in parse_packet(packet(raw[12:]))[3]:
        repr(each)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_read_or_refused(raw: bytes) -> None:
    _read_or_refused(raw)


CHUNKS = st.builds(
    chunk,
    st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 130, 192]) | st.integers(0, 255),
    st.binary(max_size=40)
    | st.lists(
        st.builds(parameter, st.sampled_from([7, 13, 16, 17]), st.binary(max_size=20), st.none() | st.integers(0, 12))
    ).map(b"".join),
    st.integers(0, 255),
    st.none() | st.integers(0, 50),
)


@given(st.lists(CHUNKS, max_size=5))
def test_arbitrary_chunks_are_read_or_refused(chunks: list[bytes]) -> None:
    _read_or_refused(packet(*chunks))


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_mutated_packet_is_read_or_refused(case: str, draw: st.DataObject) -> None:
    raw = bytearray(GOOD[case])
    for position in draw.draw(st.lists(st.integers(0, len(raw) * 8 - 1), max_size=6)):
        raw[position // 8] ^= 1 << position % 8
    _read_or_refused(bytes(raw[: draw.draw(st.integers(0, len(raw)))] if draw.draw(st.booleans()) else raw))
