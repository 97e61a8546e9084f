"""The capture that tests of marks stand on: it must see what is wrong as well."""

import socket

import pytest

from tests.node_tuner.namespaces import Pair, pair
from tests.node_tuner.wire import capture, offload, send, send_syn
from tests.node_tuner.wire_packet import Checksum, Packet

pytestmark = pytest.mark.netns

FAMILIES = ["ipv4", "ipv6"]
SEGMENT_BYTES, SEGMENTS = 1000, 5


@pytest.mark.parametrize("family", FAMILIES)
def test_capture_of_a_datagram_tells_its_mark_ports_and_length(family: str) -> None:
    with pair() as joined, capture(joined.far) as captured:
        send(joined.near, getattr(joined.far, family), b"\x80abc", source_port=8189, port=7000, tos=46 << 2 | 1)
        (packet,) = captured.packets(1)
    assert (packet.dscp, packet.ecn) == (46, 1)
    assert (packet.source_port, packet.port, packet.payload) == (8189, 7000, b"\x80abc")
    assert packet.length_bytes == {"ipv4": 20, "ipv6": 40}[family] + 8 + 4
    assert packet.is_header_right
    assert packet.checksum is Checksum.PARTIAL


@pytest.mark.parametrize("family", FAMILIES)
def test_run_of_segments_crosses_whole_unless_the_sender_cuts_it(family: str) -> None:
    run = bytes(SEGMENT_BYTES * SEGMENTS)
    with pair() as joined, capture(joined.far) as captured:
        send(joined.near, getattr(joined.far, family), run, source_port=8189, segment_bytes=SEGMENT_BYTES)
        assert [len(packet.payload) for packet in captured.packets(1)] == [len(run)]
        _cut(joined)
        send(joined.near, getattr(joined.far, family), run, source_port=8189, segment_bytes=SEGMENT_BYTES)
        packets = captured.packets(SEGMENTS)
    assert [len(packet.payload) for packet in packets] == [SEGMENT_BYTES] * SEGMENTS
    assert {packet.checksum for packet in packets} == {Checksum.RIGHT}


@pytest.mark.parametrize("family", FAMILIES)
def test_capture_of_a_connection_sees_its_first_packet(family: str) -> None:
    with pair() as joined, capture(joined.far) as captured:
        send_syn(joined.near, getattr(joined.far, family), source_port=8080, tos=10 << 2)
        (packet,) = captured.packets(1, source_port=8080)
    assert (packet.protocol, packet.dscp, packet.source_port) == (socket.IPPROTO_TCP, 10, 8080)


def test_packet_with_a_spoilt_byte_has_wrong_checksums() -> None:
    with pair() as joined, capture(joined.far) as captured:
        offload(joined.near, checksum=False)
        send(joined.near, joined.far.ipv4, b"payload", source_port=8189)
        (packet,) = captured.packets(1)
    raw = packet.raw
    assert packet.checksum is Checksum.RIGHT
    for at, header, checksum in ((1, False, Checksum.RIGHT), (8, False, Checksum.RIGHT), (30, True, Checksum.WRONG)):
        spoilt = Packet.parse(raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :])
        assert spoilt is not None
        assert (spoilt.is_header_right, spoilt.checksum) == (header, checksum)


def _cut(joined: Pair) -> None:
    offload(joined.near, checksum=False, segmentation=False)
