import pytest

from gateway.clock import NTP_UNIX_OFFSET_S, ntp_from_seconds
from gateway.wire.header_extensions import serialize_extensions
from gateway.wire.rtp import pack_header
from loadgen.players.delay import frame_delay_s
from loadgen.players.packet import Packet
from loadgen.studios.stamps import sei_nal
from tests.loadgen.players.origins import T0_S

SENT_NS = 1_800_000_000_250_000_000
CAPTURE_ID = 5
SLICE = b"\x41\x9a" + bytes(30)


def packet(payload: bytes | None, *extensions: tuple[int, bytes]) -> Packet:
    header = pack_header(96, False, 1, 2, 3, serialize_extensions(extensions))
    return Packet(1, 2, False, T0_S, header + bytes(40), payload)


def captured(unix_s: float) -> bytes:
    return ntp_from_seconds(unix_s + NTP_UNIX_OFFSET_S).to_bytes(8)


def test_delay_is_since_the_stamp_of_the_studio() -> None:
    packets = [packet(b"\x67\x42"), packet(sei_nal(SENT_NS, 7)), packet(SLICE)]
    assert frame_delay_s(packets, T0_S + 0.75, None) == pytest.approx(0.5, abs=1e-5)


def test_stamp_counts_more_than_the_capture_time() -> None:
    packets = [packet(sei_nal(SENT_NS, 7), (CAPTURE_ID, captured(T0_S - 9.0)))]
    assert frame_delay_s(packets, T0_S + 0.75, CAPTURE_ID) == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("offset", [b"", bytes(8)])
def test_delay_is_since_the_capture_time_where_there_is_no_stamp(offset: bytes) -> None:
    packets = [packet(SLICE, (3, b"x"), (CAPTURE_ID, captured(T0_S) + offset)), packet(SLICE)]
    assert frame_delay_s(packets, T0_S + 0.125, CAPTURE_ID) == pytest.approx(0.125, abs=1e-5)


@pytest.mark.parametrize("capture_time_id", [None, CAPTURE_ID, 14])
def test_frame_without_either_has_no_delay(capture_time_id: int | None) -> None:
    assert frame_delay_s([packet(SLICE, (3, captured(T0_S)))], T0_S, capture_time_id) is None


def test_capture_time_that_was_not_negotiated_is_left_alone() -> None:
    assert frame_delay_s([packet(SLICE, (CAPTURE_ID, captured(T0_S)))], T0_S, None) is None


def test_capture_time_of_another_size_is_none() -> None:
    assert frame_delay_s([packet(SLICE, (CAPTURE_ID, bytes(7)))], T0_S, CAPTURE_ID) is None


def test_header_that_does_not_parse_has_no_capture_time() -> None:
    broken = Packet(1, 2, False, T0_S, b"\x90" + bytes(14), SLICE)
    assert frame_delay_s([broken], T0_S, CAPTURE_ID) is None


def test_packets_that_were_not_decrypted_have_no_stamp() -> None:
    assert frame_delay_s([packet(None)], T0_S, CAPTURE_ID) is None
