"""What the eBPF marking does to packets that leave a namespace, as the other end of a veth sees them."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from node_tuner.marking import Marking, MarkRule, Payload, Transport
from node_tuner.ports import Ports
from tests.node_tuner.controls.bpf_node import (
    TC_ACT_OK,
    TC_ACT_SHOT,
    TC_ACT_UNSPEC,
    add_program_of_others,
    add_tcx_program_of_others,
    mark,
    unmark,
)
from tests.node_tuner.namespaces import LINK, Pair, namespace, pair
from tests.node_tuner.wire import capture, offload, send, send_syn, socket_in
from tests.node_tuner.wire_packet import Checksum, Packet

pytestmark = pytest.mark.netns

MEDIA_PORT, HTTP_PORT = 8189, 8080
BET, AUDIO, VIDEO, RETRANSMISSION, HTTP = 18, 46, 34, 35, 10
ECN = 1
SEGMENT_BYTES, SEGMENTS = 1000, 6

DTLS_RECORD = bytes([23]) + bytes(40)
STUN = bytes([0, 1]) + bytes(40)
RTCP = bytes([0x80, 200]) + bytes(40)


def rtp(payload_type: int, marker: bool = False) -> bytes:
    """A packet of one."""
    return bytes([0x90, marker << 7 | payload_type]) + bytes(40)


def _rule(payload: Payload, dscp: int, *payload_types: int) -> MarkRule:
    return MarkRule("any", Transport.UDP, Ports([MEDIA_PORT, 9000]), payload, frozenset(payload_types), dscp)


RULES = (
    _rule(Payload.DTLS, BET),
    _rule(Payload.MEDIA, AUDIO, 111),
    _rule(Payload.MEDIA, RETRANSMISSION, 97, 99),
    _rule(Payload.MEDIA, VIDEO),
    MarkRule("http", Transport.TCP, Ports([HTTP_PORT]), Payload.ANY, frozenset(), HTTP),
)
CLASSES = [
    (DTLS_RECORD, BET),
    (rtp(111), AUDIO),
    (rtp(111, marker=True), AUDIO),
    (rtp(97), RETRANSMISSION),
    (rtp(96, marker=True), VIDEO),
    (RTCP, VIDEO),
    (b"\x80", VIDEO),
    (STUN, 0),
    (b"", 0),
]

_AGAIN_S, _LIMIT_S = 0.05, 20

FAMILIES = pytest.mark.parametrize("family", ["ipv4", "ipv6"])


@pytest.fixture
def joined() -> Iterator[Pair]:
    """`near` marks what it sends; its kernel finishes the checksums."""
    with pair() as both:
        mark(both.near.namespace, Marking(RULES, only_unmarked=True))
        offload(both.near, checksum=False)
        yield both


@FAMILIES
def test_each_class_has_its_mark_and_keeps_its_ecn(joined: Pair, family: str) -> None:
    with capture(joined.far) as captured:
        for payload, _ in CLASSES:
            send(joined.near, getattr(joined.far, family), payload, source_port=MEDIA_PORT, tos=ECN)
        packets = captured.packets(len(CLASSES))
    assert [(packet.payload, packet.dscp) for packet in packets] == CLASSES
    assert {packet.ecn for packet in packets} == {ECN}
    _assert_right(packets)


@FAMILIES
def test_ports_of_others_stay_unmarked(joined: Pair, family: str) -> None:
    ports = [MEDIA_PORT - 1, MEDIA_PORT + 1, 8999, 9001, HTTP_PORT]
    with capture(joined.far) as captured:
        for port in ports:
            send(joined.near, getattr(joined.far, family), rtp(111), source_port=port, port=MEDIA_PORT)
        packets = captured.packets(len(ports))
    assert [(packet.source_port, packet.dscp) for packet in packets] == [(port, 0) for port in ports]
    _assert_right(packets)


@FAMILIES
def test_connection_has_the_mark_of_its_port(joined: Pair, family: str) -> None:
    with capture(joined.far) as captured:
        send_syn(joined.near, getattr(joined.far, family), source_port=HTTP_PORT)
        send_syn(joined.near, getattr(joined.far, family), source_port=MEDIA_PORT)
        (ours,) = captured.packets(1, source_port=HTTP_PORT)
        (other,) = captured.packets(1, source_port=MEDIA_PORT)
    assert (ours.dscp, other.dscp) == (HTTP, 0)
    _assert_right([ours, other])


@FAMILIES
@pytest.mark.parametrize("is_cut", [False, True])
def test_run_of_segments_is_marked_whole_and_cut(joined: Pair, family: str, is_cut: bool) -> None:
    offload(joined.near, checksum=not is_cut, segmentation=not is_cut)
    run = (rtp(111).ljust(SEGMENT_BYTES, b"x")) * SEGMENTS
    count = SEGMENTS if is_cut else 1
    with capture(joined.far) as captured:
        send(
            joined.near,
            getattr(joined.far, family),
            run,
            source_port=MEDIA_PORT,
            tos=ECN,
            segment_bytes=SEGMENT_BYTES,
        )
        packets = captured.packets(count)
    assert [len(packet.payload) for packet in packets] == [len(run) // count] * count
    assert {(packet.dscp, packet.ecn) for packet in packets} == {(AUDIO, ECN)}
    assert all(packet.is_header_right for packet in packets)
    assert {packet.checksum for packet in packets} == {Checksum.RIGHT if is_cut else Checksum.PARTIAL}


@FAMILIES
@pytest.mark.parametrize("only_unmarked", [True, False])
def test_mark_of_the_sender_is_kept_where_the_profile_says_so(joined: Pair, family: str, only_unmarked: bool) -> None:
    mark(joined.near.namespace, Marking(RULES, only_unmarked))
    with capture(joined.far) as captured:
        send(joined.near, getattr(joined.far, family), rtp(111), source_port=MEDIA_PORT, tos=40 << 2 | ECN)
        (packet,) = captured.packets(1)
    assert (packet.dscp, packet.ecn) == (40 if only_unmarked else AUDIO, ECN)
    _assert_right([packet])


def test_ipv4_with_options_is_marked(joined: Pair) -> None:
    options = bytes([1] * 8)  # no operation
    with capture(joined.far) as captured:
        send(
            joined.near,
            joined.far.ipv4,
            rtp(111),
            source_port=MEDIA_PORT,
            options=[(socket.IPPROTO_IP, socket.IP_OPTIONS, options)],
        )
        (packet,) = captured.packets(1)
    assert packet.raw[0] == 0x47
    assert packet.dscp == AUDIO
    _assert_right([packet])


def test_ipv6_with_an_extension_header_stays_unmarked(joined: Pair) -> None:
    padding = bytes([0, 0, 1, 4, 0, 0, 0, 0])
    with capture(joined.far) as captured:
        send(
            joined.near,
            joined.far.ipv6,
            rtp(111),
            source_port=MEDIA_PORT,
            options=[(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, padding)],
        )
        (packet,) = captured.packets(1)
    assert packet.raw[6] == socket.IPPROTO_DSTOPTS
    assert packet.dscp == 0


@pytest.mark.parametrize(("family", "first_bytes"), [("ipv4", 1480), ("ipv6", 1448)])
def test_fragments_stay_unmarked(joined: Pair, family: str, first_bytes: int) -> None:
    # What stands at a later fragment's begin looks like a header of ours.
    looks_like_a_header = struct.pack("!HHHH", MEDIA_PORT, 9, first_bytes, 0) + rtp(111)
    payload = rtp(111).ljust(first_bytes - 8, b"x") + looks_like_a_header.ljust(1400, b"x")
    with capture(joined.far) as captured:
        send(joined.near, getattr(joined.far, family), payload, source_port=MEDIA_PORT, tos=ECN)
        packets = captured.packets(2)
    assert [(packet.fragment_offset_bytes, packet.dscp) for packet in packets] == [(0, 0), (first_bytes, 0)]
    assert {packet.ecn for packet in packets} == {ECN}
    assert all(packet.is_fragment and packet.is_header_right for packet in packets)


@pytest.mark.parametrize("length", [14, 15, 33, 34, 35, 41, 42])
def test_frame_that_is_cut_off_leaves_as_it_came(joined: Pair, length: int) -> None:
    header = bytes.fromhex("4500 001e 0000 4000 4011 0000 0ac70001 0ac70002") + struct.pack(
        "!HHHH", MEDIA_PORT, 9, 8, 0
    )
    frame = bytes.fromhex("020000000002 020000000001 0800") + header
    frame = frame[:length]
    with socket_in(joined.far.namespace, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as far:
        far.settimeout(20)
        with socket_in(joined.near.namespace, socket.AF_PACKET, socket.SOCK_RAW) as near:
            near.bind((LINK, 0x0800))
            near.send(frame)
        assert far.recv(2048) == frame


def test_filter_of_others_after_ours_has_its_turn(joined: Pair) -> None:
    with capture(joined.far) as captured:
        send(joined.near, joined.far.ipv4, rtp(111), source_port=MEDIA_PORT)
        assert [packet.dscp for packet in captured.packets(1)] == [AUDIO]
        add_program_of_others(joined.near.namespace, 60, TC_ACT_SHOT)
        send(joined.near, joined.far.ipv4, rtp(111), source_port=MEDIA_PORT)
        assert captured.rest() == []


@pytest.mark.parametrize(("answer", "dscp"), [(TC_ACT_UNSPEC, AUDIO), (TC_ACT_OK, 0)])
def test_filter_of_others_before_ours_may_end_the_walk(joined: Pair, answer: int, dscp: int) -> None:
    # As the shipped profile warns of: read back, ours is as it should be.
    add_program_of_others(joined.near.namespace, 1, answer)
    with capture(joined.far) as captured:
        send(joined.near, joined.far.ipv4, rtp(111), source_port=MEDIA_PORT)
        assert [packet.dscp for packet in captured.packets(1)] == [dscp]


@pytest.mark.parametrize(("answer", "dscp"), [(TC_ACT_UNSPEC, AUDIO), (TC_ACT_OK, 0)])
def test_tcx_program_of_others_may_end_the_walk(joined: Pair, answer: int, dscp: int) -> None:
    add_tcx_program_of_others(joined.near.namespace, answer)
    with capture(joined.far) as captured:
        send(joined.near, joined.far.ipv4, rtp(111), source_port=MEDIA_PORT)
        assert [packet.dscp for packet in captured.packets(1)] == [dscp]


@FAMILIES
def test_removed_marking_marks_no_more(joined: Pair, family: str) -> None:
    unmark(joined.near.namespace)
    with capture(joined.far) as captured:
        send(joined.near, getattr(joined.far, family), rtp(111), source_port=MEDIA_PORT)
        (packet,) = captured.packets(1)
    assert packet.dscp == 0


@FAMILIES
def test_interface_without_link_header_is_marked_alike(family: str) -> None:
    addresses = {"ipv4": ("10.199.1.1/24", "10.199.1.2"), "ipv6": ("fd00:199:1::1/64", "fd00:199:1::2")}
    near, far = addresses[family]
    with namespace() as node:
        node.run("ip", "tuntap", "add", LINK, "mode", "tun")
        mark(node, Marking(RULES, only_unmarked=True))
        node.run("ip", "address", "add", near, "dev", LINK)
        node.run("ip", "link", "set", LINK, "up")
        packet = node.call(lambda: _sent_into_tun(far))
    assert (packet.dscp, packet.source_port) == (AUDIO, MEDIA_PORT)
    _assert_right([packet])


def _sent_into_tun(to: str) -> Packet:
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x4004_54CA, struct.pack("16sH22x", LINK.encode(), 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.bind(("", MEDIA_PORT))
        until = time.monotonic() + _LIMIT_S
        while time.monotonic() < until:
            # Again and again: what is sent before the kernel has seen the carrier come up is lost.
            sender.sendto(rtp(111), (to, 9))
            if select.select([tun], [], [], _AGAIN_S)[0]:
                packet = Packet.parse(os.read(tun, 2048))
                if packet is not None and packet.source_port == MEDIA_PORT:
                    return packet
    raise AssertionError(f"nothing arrived within {_LIMIT_S} s")


def _assert_right(packets: list[Packet]) -> None:
    assert all(packet.is_header_right for packet in packets)
    assert {packet.checksum for packet in packets} == {Checksum.RIGHT}
