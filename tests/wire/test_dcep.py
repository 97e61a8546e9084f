"""Opening a data channel: what is written is read back, as aiortc writes it too; and what is none."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import WireError
from gateway.wire.dcep import ACK, MAX_LABEL_BYTES, DataChannelOpen, parse_open, serialize_open

NAMES = st.text(max_size=MAX_LABEL_BYTES // 4)
U32 = st.integers(0, 2**32 - 1)
RELIABLE = st.tuples(st.none(), st.none())
OPENINGS = st.builds(
    lambda label, ordered, limits, protocol: DataChannelOpen(label, ordered, limits[0], limits[1], protocol),
    NAMES,
    st.booleans(),
    RELIABLE | st.tuples(U32, st.none()) | st.tuples(st.none(), U32),
    NAMES,
)


@given(OPENINGS)
def test_opening_that_is_serialized_is_parsed_back(opening: DataChannelOpen) -> None:
    assert parse_open(serialize_open(opening)) == opening


def test_opening_of_a_browser_is_read() -> None:
    """As Chromium writes `createDataChannel("signals", {ordered: false, maxRetransmits: 0})`."""
    message = bytes.fromhex("0381 0000 00000000 0007 0000") + b"signals"
    opening = DataChannelOpen("signals", ordered=False, max_retransmits=0)
    assert parse_open(message) == opening
    assert serialize_open(opening) == message


def test_acknowledgement_is_no_opening() -> None:
    assert parse_open(ACK) is None


GOOD = serialize_open(DataChannelOpen("signals", protocol="x"))

REFUSED = {
    "empty": b"",
    "another message": b"\x04",
    "acknowledgement with a tail": ACK + b"\0",
    "cut in its header": GOOD[:11],
    "cut in its label": GOOD[:-2],
    "longer than it says": GOOD + b"y",
    "type that is none": b"\x03\x03" + GOOD[2:],
    "type of high bits": b"\x03\x41" + GOOD[2:],
    "label that is not UTF-8": GOOD.replace(b"s", b"\xff"),
    "long label": pack("!BBHLHH", 3, 0, 0, 0, MAX_LABEL_BYTES + 1, 0) + b"s" * (MAX_LABEL_BYTES + 1),
    "long protocol": pack("!BBHLHH", 3, 0, 0, 0, 0, MAX_LABEL_BYTES + 1) + b"s" * (MAX_LABEL_BYTES + 1),
}


@pytest.mark.parametrize("case", REFUSED)
def test_message_that_is_neither_is_refused(case: str) -> None:
    with pytest.raises(WireError):
        parse_open(REFUSED[case])


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda tail: b"\x03" + tail))
def test_arbitrary_message_is_read_or_refused(message: bytes) -> None:
    try:
        opening = parse_open(message)
    except WireError:
        return
    if opening is None:
        assert message == ACK
    else:
        assert parse_open(serialize_open(opening)) == opening
