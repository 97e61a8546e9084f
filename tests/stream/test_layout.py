"""Headers as a group of viewers gets them, read back by the codecs of `gateway.wire`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stream.layout import CARRIED, MAX_REMEMBERED_HEADERS, OFFERABLE, Layout, LayoutKey, PlayoutDelay
from gateway.stream.packet import MediaPacket
from gateway.wire.header_extensions import (
    ABS_CAPTURE_TIME,
    COLOR_SPACE,
    MID,
    ONE_BYTE_PROFILE,
    PLAYOUT_DELAY,
    TRANSPORT_SEQUENCE_NUMBER,
    TWO_BYTE_PROFILE,
    VIDEO_ORIENTATION,
    parse_extensions,
    parse_playout_delay,
)
from gateway.wire.rtp import RtpHeader, parse_header, strip_padding, unpack_rtx_payload

IDS = {MID: 4, PLAYOUT_DELAY: 5, ABS_CAPTURE_TIME: 6, VIDEO_ORIENTATION: 3, COLOR_SPACE: 8}
CAPTURE_TIME, ORIENTATION, SDR_COLORS, HDR_COLORS = bytes(range(16)), b"\x01", b"\x01\x02\x03\x04", bytes(range(28))


def layout(
    ids: dict[str, int] | None = None,
    *,
    mid: str = "0",
    playout_delay: PlayoutDelay | None = None,
    rtx_payload_type: int | None = 97,
    allows_mixed: bool = True,
) -> Layout:
    accepted = tuple((IDS if ids is None else ids).items())
    return Layout(LayoutKey(0xABCD, 0xBCDE, 96, rtx_payload_type, mid, accepted, playout_delay, allows_mixed))


def packet(
    *elements: tuple[str, bytes],
    index: int = 7,
    timestamp: int = 0xFFFFFFFF,
    marker: bool = False,
    payload: bytes = b"payload",
    has_padding: bool = False,
) -> MediaPacket:
    return MediaPacket(
        index=index,
        timestamp=timestamp,
        marker=marker,
        payload=payload,
        arrival_s=0.0,
        elements=elements,
        has_padding=has_padding,
    )


def extensions_of(header: bytes) -> dict[int, bytes]:
    parsed = parse_header(header)
    return parse_extensions(parsed.extension_profile, parsed.extension)


@given(
    index=st.integers(0, 1 << 40), timestamp=st.integers(0, 0xFFFFFFFF), marker=st.booleans(), has_padding=st.booleans()
)
def test_header_reads_back(index: int, timestamp: int, marker: bool, has_padding: bool) -> None:
    header = layout({}).header(packet(index=index, timestamp=timestamp, marker=marker, has_padding=has_padding))
    assert parse_header(header) == RtpHeader(
        payload_type=96,
        marker=marker,
        sequence_number=index & 0xFFFF,
        timestamp=timestamp,
        ssrc=0xABCD,
        has_padding=has_padding,
        extension_profile=0,
        extension=b"",
        length_bytes=12,
    )


def test_header_without_accepted_extensions_has_none() -> None:
    header = layout({}, playout_delay=PlayoutDelay(0, 0)).header(packet((VIDEO_ORIENTATION, ORIENTATION)))
    assert len(header) == 12


def test_mid_is_in_every_header() -> None:
    assert extensions_of(layout(mid="video0").header(packet())) == {4: b"video0"}


def test_playout_delay_is_in_every_header() -> None:
    header = layout({PLAYOUT_DELAY: 9}, playout_delay=PlayoutDelay(20, 400)).header(packet())
    assert parse_playout_delay(extensions_of(header)[9]) == (20, 400)


def test_playout_delay_that_is_not_configured_is_not_sent() -> None:
    assert extensions_of(layout({PLAYOUT_DELAY: 9}).header(packet())) == {}


def test_elements_of_the_studio_get_the_viewers_ids() -> None:
    elements = ((ABS_CAPTURE_TIME, CAPTURE_TIME), (VIDEO_ORIENTATION, ORIENTATION), (COLOR_SPACE, SDR_COLORS))
    header = layout(playout_delay=PlayoutDelay(0, 0)).header(packet(*elements))
    assert extensions_of(header) == {4: b"0", 5: b"\0\0\0", 6: CAPTURE_TIME, 3: ORIENTATION, 8: SDR_COLORS}
    assert parse_header(header).extension_profile == ONE_BYTE_PROFILE


def test_elements_that_the_viewer_did_not_offer_are_left_out() -> None:
    header = layout({VIDEO_ORIENTATION: 3}).header(packet((ABS_CAPTURE_TIME, CAPTURE_TIME), (VIDEO_ORIENTATION, b"\2")))
    assert extensions_of(header) == {3: b"\2"}


def test_elements_of_no_use_to_viewers_are_left_out() -> None:
    assert extensions_of(layout({}).header(packet((TRANSPORT_SEQUENCE_NUMBER, b"\0\1")))) == {}


def test_long_color_space_takes_the_two_byte_form() -> None:
    header = layout().header(packet((COLOR_SPACE, HDR_COLORS)))
    assert parse_header(header).extension_profile == TWO_BYTE_PROFILE
    assert extensions_of(header) == {4: b"0", 8: HDR_COLORS}


def test_long_color_space_is_left_out_where_forms_are_not_to_be_mixed() -> None:
    header = layout(allows_mixed=False).header(packet((COLOR_SPACE, HDR_COLORS), (VIDEO_ORIENTATION, ORIENTATION)))
    assert parse_header(header).extension_profile == ONE_BYTE_PROFILE
    assert extensions_of(header) == {4: b"0", 3: ORIENTATION}


def test_longest_value_of_the_one_byte_form_is_carried_where_forms_are_not_to_be_mixed() -> None:
    header = layout(allows_mixed=False).header(packet((ABS_CAPTURE_TIME, CAPTURE_TIME)))
    assert extensions_of(header)[6] == CAPTURE_TIME
    assert parse_header(header).extension_profile == ONE_BYTE_PROFILE


def test_short_color_space_is_carried_where_forms_are_not_to_be_mixed() -> None:
    assert extensions_of(layout(allows_mixed=False).header(packet((COLOR_SPACE, SDR_COLORS))))[8] == SDR_COLORS


@pytest.mark.parametrize("uri", CARRIED)
def test_every_carried_extension_can_be_offered(uri: str) -> None:
    assert uri in OFFERABLE


def test_header_of_a_packet_is_made_once() -> None:
    viewers, each = layout(), packet((VIDEO_ORIENTATION, ORIENTATION))
    assert viewers.header(each) is viewers.header(each)


def test_headers_of_a_packet_are_bounded_and_the_same_when_made_again() -> None:
    each = packet((VIDEO_ORIENTATION, ORIENTATION))
    viewers = [layout(mid=str(number)) for number in range(2 * MAX_REMEMBERED_HEADERS)]
    first = [each_layout.header(each) for each_layout in viewers]
    assert len(each.headers) == MAX_REMEMBERED_HEADERS
    assert [each_layout.header(each) for each_layout in viewers] == first


def test_layouts_do_not_share_headers() -> None:
    each = packet()
    one, two = layout({MID: 1}), layout({MID: 2})
    assert one.number != two.number
    assert extensions_of(one.header(each)) == {1: b"0"}
    assert extensions_of(two.header(each)) == {2: b"0"}


def test_retransmission_names_the_original_sequence_number() -> None:
    header, payload = layout().rtx(packet(index=0x1_0005, timestamp=99, marker=True), 0x2_0010)
    parsed = parse_header(header)
    assert (parsed.payload_type, parsed.ssrc, parsed.sequence_number) == (97, 0xBCDE, 0x10)
    assert (parsed.timestamp, parsed.marker) == (99, True)
    assert unpack_rtx_payload(payload) == (5, b"payload")


def test_retransmission_carries_the_same_extensions() -> None:
    viewers, each = layout(playout_delay=PlayoutDelay(0, 0)), packet((VIDEO_ORIENTATION, ORIENTATION))
    assert extensions_of(viewers.rtx(each, 1)[0]) == extensions_of(viewers.header(each))


def test_retransmission_of_a_padding_only_packet_is_nothing_but_padding() -> None:
    header, payload = layout().rtx(packet(payload=b"\x01", has_padding=True), 1)
    assert parse_header(header).has_padding
    assert unpack_rtx_payload(strip_padding(payload)) == (7, b"")
