import dataclasses
import itertools

import pytest

from gateway.transport.srtp import AES128_CM_SHA1_80, Profile
from gateway.wire.header_extensions import parse_abs_capture_time
from gateway.wire.rtp import unpack_rtx_payload
from loadgen.studios.outgoing_track import HISTORY_PACKETS, OutgoingTrack, Ssrcs
from loadgen.studios.packetizer import MAX_PAYLOAD_BYTES
from tests.loadgen.studios.receiver import (
    CAPTURE_TIME_ID,
    MID_ID,
    PROFILES,
    RTX_TYPE,
    TWCC_ID,
    VIDEO,
    VIDEO_TYPE,
    Media,
    Receiver,
)

WITHOUT_RTX = dataclasses.replace(VIDEO, rtx_payload_type=None)


def track(receiver: Receiver, media: Media = VIDEO) -> OutgoingTrack:
    return OutgoingTrack(media, Ssrcs(1000, 2000), receiver.studio.sealer, itertools.count(65534))


@pytest.mark.parametrize("profile", PROFILES)
def test_packets_are_numbered_and_opened(profile: Profile) -> None:
    receiver = Receiver(profile)
    video = track(receiver)
    for number in range(3):
        receiver.take(video.seal(b"payload %d" % number, 3000 * number, marker=number == 2))
    first, second, third = receiver.packets
    assert [packet.payload for packet in receiver.packets] == [b"payload 0", b"payload 1", b"payload 2"]
    assert (second.header.sequence_number - first.header.sequence_number) & 0xFFFF == 1
    assert (third.header.timestamp - first.header.timestamp) & 0xFFFFFFFF == 6000
    assert [packet.header.marker for packet in receiver.packets] == [False, False, True]
    assert first.header.ssrc == 1000
    assert first.header.payload_type == VIDEO_TYPE
    assert first.elements[MID_ID] == b"0"
    assert [int.from_bytes(packet.elements[TWCC_ID], "big") for packet in receiver.packets] == [65534, 65535, 0]


def test_capture_time_is_sent_where_it_is_given_and_negotiated() -> None:
    receiver = Receiver()
    video = track(receiver)
    receiver.take(video.seal(b"a", 0, marker=False, captured_ntp=1 << 63))
    receiver.take(video.seal(b"b", 0, marker=False))
    with_time, without = receiver.packets
    assert parse_abs_capture_time(with_time.elements[CAPTURE_TIME_ID]).ntp_timestamp == 1 << 63
    assert CAPTURE_TIME_ID not in without.elements
    bare = track(receiver, dataclasses.replace(VIDEO, extensions={}))  # type: ignore[arg-type]
    other = Receiver()
    bare = track(other, dataclasses.replace(VIDEO, extensions={}))  # type: ignore[arg-type]
    other.take(bare.seal(b"a", 0, marker=False, captured_ntp=1 << 63))
    assert other.packets[0].elements == {}


@pytest.mark.parametrize("is_again", [False, True])
def test_largest_packet_stays_within_1200_bytes(is_again: bool) -> None:
    receiver = Receiver()
    video = track(receiver)
    receiver.take(video.seal(bytes(MAX_PAYLOAD_BYTES), 0, marker=True))
    (packet,) = receiver.packets
    again = video.seal_again(packet.header.sequence_number)
    assert again is not None
    assert len(again if is_again else packet.datagram) <= 1200


def test_packet_is_sent_again_by_rtx() -> None:
    receiver = Receiver()
    video = track(receiver)
    for number in range(5):
        receiver.take(video.seal(bytes((number,)) * 50, number, marker=number == 3))
    original = receiver.packets[3]
    for _ in range(2):
        again = video.seal_again(original.header.sequence_number)
        assert again is not None
        receiver.take(again)
    first, second = receiver.of(RTX_TYPE)
    assert unpack_rtx_payload(first.payload) == (original.header.sequence_number, original.payload)
    assert first.header.timestamp == original.header.timestamp
    assert first.header.marker
    assert first.header.ssrc == 2000
    assert (second.header.sequence_number - first.header.sequence_number) & 0xFFFF == 1
    assert first.elements[MID_ID] == b"0"


@pytest.mark.parametrize("profile", PROFILES)
def test_packet_is_sent_again_identically_without_rtx(profile: Profile) -> None:
    receiver = Receiver(profile)
    video = track(receiver, WITHOUT_RTX)
    sealed = [video.seal(bytes((number,)), number, marker=False) for number in range(5)]
    for datagram in sealed:
        receiver.take(datagram)
    assert video.seal_again(receiver.packets[1].header.sequence_number) == sealed[1]


def test_history_is_bounded() -> None:
    receiver = Receiver()
    video = track(receiver)
    for number in range(HISTORY_PACKETS + 1):
        receiver.take(video.seal(number.to_bytes(4, "big"), number, marker=False))
    numbers = [packet.header.sequence_number for packet in receiver.packets]
    assert video.seal_again(numbers[0]) is None
    assert video.seal_again(numbers[1]) is not None
    assert video.seal_again((numbers[-1] + 1) & 0xFFFF) is None, "not sent yet"


@pytest.mark.parametrize("profile", PROFILES)
def test_sequence_numbers_roll_over(profile: Profile) -> None:
    receiver = Receiver(profile)
    video = track(receiver, WITHOUT_RTX if profile is AES128_CM_SHA1_80 else VIDEO)
    for number in range(70_000):
        receiver.take(video.seal(b"x", number, marker=False))
        if number > 2:
            del receiver.packets[:-2]
    last = receiver.packets[-1]
    again = video.seal_again(last.header.sequence_number)
    assert again is not None
    assert video.packets == 70_000
    assert video.octets == 70_000


def test_sender_report_counts_and_tells_the_time() -> None:
    receiver = Receiver()
    video = track(receiver)
    receiver.take(video.seal(bytes(100), 9000, marker=True))
    report = video.sender_report(9000, 1 << 40)
    assert report.rtp_timestamp == receiver.packets[0].header.timestamp
    assert (report.ssrc, report.ntp_timestamp, report.packet_count, report.octet_count) == (1000, 1 << 40, 1, 100)
