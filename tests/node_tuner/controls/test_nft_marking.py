"""Marks as they are on the wire, both families; see `tests.node_tuner.wire`."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from node_tuner.controls.nft_marking import NftMarking
from node_tuner.errors import UnavailableError
from node_tuner.marking import Marking, MarkRule, Payload, Transport, digest_of
from node_tuner.ports import Ports
from tests.node_tuner.namespaces import End, Pair, pair
from tests.node_tuner.pods import pod
from tests.node_tuner.wire import capture, offload, send, send_syn
from tests.node_tuner.wire_packet import Checksum, Packet

pytestmark = [pytest.mark.netns, pytest.mark.nft]

MEDIA_PORTS, HLS_PORTS = Ports.parse("8189,9000-9010"), Ports.parse("8080")
MARKING = Marking(
    (
        MarkRule("bet_signals", Transport.UDP, MEDIA_PORTS, Payload.DTLS, frozenset(), 18),
        MarkRule("audio", Transport.UDP, MEDIA_PORTS, Payload.MEDIA, frozenset({111, 109}), 46),
        MarkRule("retransmission", Transport.UDP, MEDIA_PORTS, Payload.MEDIA, frozenset({97}), 10),
        MarkRule("video", Transport.UDP, MEDIA_PORTS, Payload.MEDIA, frozenset(), 34),
        MarkRule("other", Transport.UDP, Ports.parse("8189"), Payload.ANY, frozenset(), 8),
        MarkRule("segments", Transport.TCP, HLS_PORTS, Payload.ANY, frozenset(), 20),
    ),
    only_unmarked=True,
)
BET_SIGNALS, AUDIO, RETRANSMISSION, VIDEO, OTHER, SEGMENTS = (rule.dscp for rule in MARKING.rules)
UNMARKED = 0

RTP_AUDIO, RTP_VIDEO = bytes((0x80, 111)), bytes((0x80, 96))

PAYLOADS = [
    pytest.param(8189, bytes((20,)), BET_SIGNALS, id="the first byte of DTLS"),
    pytest.param(8189, bytes((63, 111)), BET_SIGNALS, id="the last of DTLS"),
    pytest.param(8189, bytes((19, 111)), OTHER, id="below DTLS"),
    pytest.param(8189, bytes((64, 111)), OTHER, id="above DTLS"),
    pytest.param(8189, bytes((127, 111)), OTHER, id="below media"),
    pytest.param(8189, bytes((192, 111)), OTHER, id="above media"),
    pytest.param(8189, RTP_AUDIO, AUDIO, id="audio"),
    pytest.param(8189, bytes((0x80, 0x80 | 109)), AUDIO, id="audio with the marker"),
    pytest.param(8189, bytes((191, 111)), AUDIO, id="audio with padding, extension and 15 sources"),
    pytest.param(8189, bytes((0x80, 97)), RETRANSMISSION, id="retransmission"),
    pytest.param(8189, RTP_VIDEO, VIDEO, id="video"),
    pytest.param(8189, bytes((0x80, 200)), VIDEO, id="a sender report"),
    pytest.param(8189, bytes((0x80,)), VIDEO, id="media that ends before the payload type"),
    pytest.param(8189, b"", OTHER, id="an empty datagram"),
    pytest.param(8189, bytes((0, 1)), OTHER, id="STUN"),
    pytest.param(9000, RTP_AUDIO, AUDIO, id="the first port of the range"),
    pytest.param(9010, RTP_AUDIO, AUDIO, id="the last port of the range"),
    pytest.param(9010, bytes((0, 1)), UNMARKED, id="STUN from a port of which no rule says anything else"),
    pytest.param(8190, RTP_AUDIO, UNMARKED, id="another port"),
    pytest.param(8999, RTP_AUDIO, UNMARKED, id="the port below the range"),
    pytest.param(9011, RTP_AUDIO, UNMARKED, id="the port above the range"),
    pytest.param(8080, RTP_AUDIO, UNMARKED, id="the number of a port of TCP"),
]


@pytest.fixture(scope="module")
def marked() -> Iterator[Pair]:
    """Its near end marks, and finishes checksums itself."""
    with pair() as joined:
        offload(joined.near, checksum=False)
        make(joined.near, MARKING)
        yield joined


@pytest.fixture(scope="module", params=["ipv4", "ipv6"])
def to(request: pytest.FixtureRequest, marked: Pair) -> str:
    """The far end's address."""
    return str(getattr(marked.far, request.param))


THEIRS = """
table inet theirs {
    counter before {}
    counter after {}
    chain before {
        type filter hook output priority mangle - 1
        udp sport 9000 ip dscp set 1
        udp sport 9000 ip6 dscp set 1
        udp sport 8189 ip dscp 46 counter name before
        udp sport 8189 ip6 dscp 46 counter name before
    }
    chain after {
        type filter hook output priority mangle + 1
        udp sport 8189 ip dscp 46 counter name after
        udp sport 8189 ip6 dscp 46 counter name after
    }
}
"""


def make(end: End, marking: Marking) -> None:
    """As the engine does it."""
    spec = marking.as_json()
    end.namespace.call(lambda: NftMarking().write({"digest": digest_of(spec), "spec": spec}))


def marks(packets: list[Packet]) -> set[tuple[int, int]]:
    """Their DSCP and ECN; on the way each is checked for its checksums."""
    assert all(packet.is_header_right and packet.checksum is Checksum.RIGHT for packet in packets)
    return {(packet.dscp, packet.ecn) for packet in packets}


@pytest.mark.parametrize(("source_port", "payload", "dscp"), PAYLOADS)
def test_datagram_of_a_class_has_its_mark(marked: Pair, to: str, source_port: int, payload: bytes, dscp: int) -> None:
    with capture(marked.far) as captured:
        send(marked.near, to, payload, source_port=source_port)
        assert marks(captured.packets(1)) == {(dscp, 0)}


@pytest.mark.parametrize("ecn", range(4))
@pytest.mark.parametrize(("first", "dscp"), [(22, BET_SIGNALS), (0x80, VIDEO), (0, OTHER)])
def test_mark_keeps_the_bits_of_ecn(marked: Pair, to: str, first: int, dscp: int, ecn: int) -> None:
    with capture(marked.far) as captured:
        send(marked.near, to, bytes((first, 96, 0)), source_port=8189, tos=ecn)
        assert marks(captured.packets(1)) == {(dscp, ecn)}


@pytest.mark.parametrize("ecn", range(4))
def test_mark_that_is_there_already_is_kept(marked: Pair, to: str, ecn: int) -> None:
    with capture(marked.far) as captured:
        send(marked.near, to, RTP_VIDEO, source_port=8189, tos=1 << 2 | ecn)
        assert marks(captured.packets(1)) == {(1, ecn)}


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_mark_that_is_there_already_is_replaced_where_the_profile_says_so(family: str) -> None:
    with pair() as joined, capture(joined.far) as captured:
        offload(joined.near, checksum=False)
        make(joined.near, replace(MARKING, only_unmarked=False))
        for source_port in (8189, 8190):
            send(joined.near, getattr(joined.far, family), RTP_AUDIO, source_port=source_port, tos=1 << 2 | 2)
        assert marks(captured.packets(1, source_port=8189)) == {(AUDIO, 2)}
        assert marks(captured.packets(1, source_port=8190)) == {(1, 2)}


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
@pytest.mark.parametrize("ecn", [0, 1])
def test_run_of_segments_is_marked_whole_and_cut(family: str, ecn: int) -> None:
    segment = RTP_VIDEO + bytes(998)
    with pair() as joined, capture(joined.far) as captured:
        make(joined.near, MARKING)
        to = getattr(joined.far, family)
        for is_whole, lengths in ((True, {5000}), (False, {1000})):
            offload(joined.near, checksum=is_whole, segmentation=is_whole)
            send(joined.near, to, segment * 5, source_port=8189, segment_bytes=1000, tos=ecn)
            packets = captured.packets(5000 // max(lengths))
            assert {len(packet.payload) for packet in packets} == lengths
            assert {(packet.dscp, packet.ecn) for packet in packets} == {(VIDEO, ecn)}
            assert {packet.checksum for packet in packets} == {Checksum.PARTIAL if is_whole else Checksum.RIGHT}
            assert all(packet.is_header_right for packet in packets)


@pytest.mark.parametrize(("source_port", "dscp"), [(8080, SEGMENTS), (8081, UNMARKED), (8189, UNMARKED)])
def test_connection_of_a_class_has_its_mark(marked: Pair, to: str, source_port: int, dscp: int) -> None:
    with capture(marked.far) as captured:
        send_syn(marked.near, to, source_port=source_port)
        assert marks(captured.packets(1, source_port=source_port)) == {(dscp, 0)}


def test_datagram_of_a_dual_stack_socket_to_ipv4_has_its_mark(marked: Pair) -> None:
    with capture(marked.far) as captured:
        send(marked.near, f"::ffff:{marked.far.ipv4}", RTP_AUDIO, source_port=8189)
        (packet,) = captured.packets(1)
    assert packet.version == 4
    assert marks([packet]) == {(AUDIO, 0)}


def test_payload_behind_options_of_ipv4_is_found(marked: Pair) -> None:
    no_operations = bytes((1, 1, 1, 0))
    with capture(marked.far) as captured:
        send(
            marked.near,
            marked.far.ipv4,
            RTP_AUDIO,
            source_port=8189,
            options=[(socket.IPPROTO_IP, socket.IP_OPTIONS, no_operations)],
        )
        (packet,) = captured.packets(1)
    assert packet.length_bytes == 20 + len(no_operations) + 8 + len(RTP_AUDIO)
    assert marks([packet]) == {(AUDIO, 0)}


@pytest.mark.parametrize("option", [socket.IPV6_DSTOPTS, socket.IPV6_HOPOPTS])
def test_payload_behind_extension_headers_of_ipv6_is_found(marked: Pair, option: int) -> None:
    padding = bytes((0, 0, 1, 4, 0, 0, 0, 0))
    with capture(marked.far) as captured:
        send(
            marked.near, marked.far.ipv6, RTP_AUDIO, source_port=8189, options=[(socket.IPPROTO_IPV6, option, padding)]
        )
        (packet,) = captured.packets(1)
    assert packet.length_bytes == 40 + len(padding) + 8 + len(RTP_AUDIO)
    assert marks([packet]) == {(AUDIO, 0)}


def test_datagram_that_is_fragmented_is_marked_in_all_its_fragments(marked: Pair, to: str) -> None:
    with capture(marked.far) as captured:
        send(marked.near, to, RTP_AUDIO + bytes(4000), source_port=8189, tos=1)
        packets = captured.packets(3)
    assert all(packet.is_fragment and packet.is_header_right for packet in packets)
    assert {(packet.dscp, packet.ecn) for packet in packets} == {(AUDIO, 1)}


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_marks_are_made_where_others_mangle_after_those_before_and_seen_by_those_behind(family: str) -> None:
    with pair() as joined, capture(joined.far) as captured:
        make(joined.near, MARKING)
        joined.near.namespace.run("nft", THEIRS)
        for source_port in (8189, 9000):
            send(joined.near, getattr(joined.far, family), RTP_AUDIO, source_port=source_port)
        assert {packet.source_port: packet.dscp for packet in captured.packets(2)} == {8189: AUDIO, 9000: 1}
        assert counted(joined.near) == {"before": 0, "after": 1}


def counted(end: End) -> dict[str, int]:
    """Packets, by counters of others."""
    listed = json.loads(end.namespace.run("nft", "-j", "list", "counters"))["nftables"]
    return {each["counter"]["name"]: each["counter"]["packets"] for each in listed if "counter" in each}


def test_datagram_that_is_forwarded_for_others_is_left_alone(marked: Pair, to: str) -> None:
    with pod(marked.near) as other, capture(marked.far) as captured:
        send(other, to, RTP_AUDIO, source_port=8189)
        send(marked.near, to, RTP_AUDIO, source_port=9000)
        assert {packet.source_port: packet.dscp for packet in captured.packets(2)} == {8189: UNMARKED, 9000: AUDIO}


def test_marks_after_removal_are_gone() -> None:
    with pair() as joined, capture(joined.far) as captured:
        for is_made, dscp in ((True, AUDIO), (False, UNMARKED)):
            make(joined.near, MARKING) if is_made else joined.near.namespace.call(lambda: NftMarking().write(None))
            send(joined.near, joined.far.ipv4, RTP_AUDIO, source_port=8189)
            assert [packet.dscp for packet in captured.packets(1)] == [dscp]


def test_class_of_tcp_by_payload_is_refused(marked: Pair) -> None:
    wrong = replace(MARKING, rules=(replace(MARKING.rules[0], transport=Transport.TCP),))
    with pytest.raises(UnavailableError, match="bet_signals"):
        make(marked.near, wrong)
