"""Sequence numbers, loss and repair, by way of a receiver that gets protected packets."""

from collections.abc import Callable, Sequence

import pytest

from loadgen.figures import MediaCounts
from loadgen.players import track as track_module
from loadgen.players.holes import MAX_HOLES, PATIENCE_S
from loadgen.players.track import NOT_EXPECTED, Track
from loadgen.players.video import VideoTrack
from tests.loadgen.players.origins import (
    AUDIO_SSRC,
    AUDIO_TYPE,
    FRAME_S,
    T0_S,
    VIDEO_SSRC,
    Origin,
    Viewer,
    retransmitter,
    srtp_pair,
)

FIRST = 1000


def started(is_sampled: bool = False, first: int = FIRST, has_rtx: bool = True) -> tuple[Viewer, Origin]:
    """A viewer that has a keyframe of 3 packets."""
    viewer = Viewer(is_sampled, has_rtx)
    origin = Origin(viewer.server, index=first)
    viewer.feed(origin.frame(is_keyframe=True))
    return viewer, origin


def video_of(viewer: Viewer) -> VideoTrack:
    assert viewer.receiver.video is not None
    return viewer.receiver.video


def lose(viewer: Viewer, origin: Origin, *lost: int, size: int = 10, now_s: float = T0_S + FRAME_S) -> None:
    """The next frame comes without its packets of those places."""
    packets = origin.frame(size)
    viewer.feed([packet for place, packet in enumerate(packets) if place not in lost], now_s)


@pytest.fixture(params=[False, True], ids=["fast", "slow"])
def is_sampled(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_packets_in_order_are_counted_and_nothing_else(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    bytes_before = viewer.counts.bytes
    datagrams = [packet for _ in range(10) for packet in origin.frame(5)]
    viewer.feed(datagrams)
    counts = viewer.counts
    assert (counts.packets, counts.expected, counts.frames_complete) == (53, 53, 11)
    assert counts.bytes == sum(map(len, datagrams)) + bytes_before
    assert counts == MediaCounts(packets=53, bytes=counts.bytes, frames_complete=11, checked=53 if is_sampled else 3)
    assert viewer.receiver.packets == 53


def test_fast_way_is_taken_once_a_keyframe_is_complete_and_only_by_players_that_are_not_sampled() -> None:
    viewer, origin = started()
    assert video_of(viewer).expected == origin.index
    viewer, origin = started(is_sampled=True)
    assert video_of(viewer).expected == NOT_EXPECTED


@pytest.mark.parametrize("first", [65530, 65535, 0, 1, 32767])
def test_wrap_of_sequence_numbers_is_no_gap(is_sampled: bool, first: int) -> None:
    viewer, origin = started(is_sampled, first)
    for _ in range(5):
        viewer.feed(origin.frame(4))
    assert (viewer.counts.packets, viewer.counts.lost, viewer.counts.duplicates) == (23, 0, 0)
    video = video_of(viewer)
    assert (video.highest, video.expected_packets) == (first + 22, 23)


def test_loss_across_the_wrap_is_noticed_and_repaired(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled, 65530)
    rtx = retransmitter(origin)
    lose(viewer, origin, 1, 2, 3, 4)  # 65534 to 65537
    assert video_of(viewer).holes.due(T0_S, 0.0) == [65534, 65535, 65536, 65537]
    viewer.feed([rtx.rtx(index) for index in (65535, 65536, 65534, 65537)])
    assert (viewer.counts.lost, viewer.counts.recovered, viewer.counts.frames_complete) == (4, 4, 2)


def test_highest_follows_more_than_one_cycle_on_the_fast_way() -> None:
    viewer, origin = started()
    video = video_of(viewer)
    for _ in range(14):
        viewer.feed(packet for _ in range(100) for packet in origin.frame(100))
        assert video.highest == origin.index - 1
        video.check_next()
    assert video.highest == FIRST + 3 + 140_000 - 1
    assert video.expected_packets == viewer.counts.packets == 140_003
    assert viewer.counts.authentication_failures == 0
    assert viewer.counts.checked == 3 + 13  # The last check waits for a packet.


def test_check_next_has_one_packet_checked_and_returns_to_the_fast_way() -> None:
    viewer, origin = started()
    viewer.feed(origin.frame(5))
    video_of(viewer).check_next()
    viewer.feed(origin.frame(5))
    assert viewer.counts.checked == 4
    assert video_of(viewer).expected == origin.index
    assert viewer.counts.frames_complete == 3


def test_loss_is_counted_when_the_next_packet_comes(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    lose(viewer, origin, 4, 5)
    counts = viewer.counts
    assert (counts.packets, counts.lost, counts.expected, counts.recovered) == (11, 2, 13, 0)
    assert video_of(viewer).lost == 2


def test_rtx_repairs_a_hole_whether_asked_or_not(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    rtx = retransmitter(origin)
    lose(viewer, origin, 4, 5)
    missing = video_of(viewer).holes
    asked = missing.due(T0_S, 0.0)
    lose(viewer, origin, 3)
    viewer.feed([rtx.rtx(index) for index in (*asked, asked[-1] + 8)])
    counts = viewer.counts
    assert (counts.lost, counts.recovered, counts.retransmissions, counts.reordered) == (3, 3, 3, 0)
    assert (counts.packets, counts.expected, video_of(viewer).lost, len(missing)) == (23, 23, 0, 0)
    assert counts.frames_complete == 3


def test_repeat_of_the_same_packet_repairs_where_there_is_no_rtx(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled, has_rtx=False)
    lose(viewer, origin, 4)
    (index,) = video_of(viewer).holes.due(T0_S, 0.0)
    viewer.feed([origin.repeat(index)])
    counts = viewer.counts
    assert (counts.lost, counts.recovered, counts.retransmissions, counts.duplicates) == (1, 1, 1, 0)
    assert (counts.packets, counts.frames_complete) == (13, 2)


def test_packet_that_comes_late_although_asked_for_was_not_lost_where_there_is_rtx(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    rtx = retransmitter(origin)
    lose(viewer, origin, 4)
    (index,) = video_of(viewer).holes.due(T0_S, 0.0)
    viewer.feed([origin.repeat(index), rtx.rtx(index)])
    counts = viewer.counts
    assert (counts.lost, counts.recovered, counts.retransmissions, counts.reordered) == (0, 0, 1, 1)
    assert (counts.packets, counts.frames_complete) == (13, 2)


def test_packet_that_its_retransmission_overtook_was_not_lost(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    rtx = retransmitter(origin)
    lose(viewer, origin, 4)
    (index,) = video_of(viewer).holes.due(T0_S, 0.0)
    viewer.feed([rtx.rtx(index), origin.repeat(index), origin.repeat(index)])
    counts = viewer.counts
    assert (counts.lost, counts.recovered, counts.retransmissions, counts.reordered) == (0, 0, 1, 1)
    assert (counts.packets, counts.frames_complete, counts.duplicates) == (13, 2, 1)


def test_reordering_is_no_loss(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    packets = origin.frame(6)
    viewer.feed([packets[place] for place in (0, 2, 3, 1, 5, 4)])
    counts = viewer.counts
    assert (counts.packets, counts.lost, counts.reordered, counts.recovered) == (9, 0, 2, 0)
    assert (counts.frames_complete, counts.duplicates, video_of(viewer).lost) == (2, 0, 0)


def test_duplicates_count_once_as_packets(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    packets = origin.frame(5)
    viewer.feed([packet for packet in packets for _ in range(2)])
    counts = viewer.counts
    assert (counts.packets, counts.duplicates, counts.lost, counts.frames_complete) == (8, 5, 0, 2)
    assert counts.authentication_failures == 0


def test_rtx_of_what_is_not_missing_is_a_retransmission_only(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    rtx = retransmitter(origin)
    viewer.feed(origin.frame(5))
    viewer.feed([rtx.rtx(FIRST + 4), rtx.rtx(FIRST + 4)])
    counts = viewer.counts
    assert (counts.packets, counts.retransmissions, counts.recovered, counts.duplicates) == (8, 2, 0, 0)


def test_rtx_of_what_has_not_come_yet_changes_no_loss(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    rtx = retransmitter(origin)
    packets = origin.frame(5)
    viewer.feed([rtx.rtx(FIRST + 5), *packets])
    counts = viewer.counts
    assert (counts.packets, counts.retransmissions, counts.lost, counts.duplicates) == (8, 1, 0, 0)


def test_packet_that_is_not_authentic_was_never_there(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    video_of(viewer).check_next()
    packets = origin.frame(5)
    forged = packets[0][:-1] + bytes((packets[0][-1] ^ 1,))
    viewer.feed([forged, *packets])
    counts = viewer.counts
    assert (counts.authentication_failures, counts.packets, counts.lost, counts.reordered) == (1, 8, 0, 0)
    assert counts.frames_complete == 2


def test_packet_that_is_not_authentic_fills_no_hole(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled, has_rtx=False)
    lose(viewer, origin, 4)
    holes = video_of(viewer).holes
    (index,) = holes.due(T0_S, 0.0)
    original = origin.repeat(index)
    viewer.feed([original[:-1] + bytes((original[-1] ^ 1,))])
    assert (viewer.counts.authentication_failures, viewer.counts.recovered, viewer.counts.lost) == (1, 0, 1)
    assert index in holes
    assert holes.due(T0_S + 1.0, 0.0) == [index]
    assert holes.first_asked([index]) == 0
    viewer.feed([original])
    assert (viewer.counts.recovered, viewer.counts.lost, viewer.counts.packets) == (1, 1, 13)


def test_packet_that_is_not_authentic_restarts_nothing() -> None:
    viewer, origin = started()
    far = Origin(srtp_pair()[1], index=30_000)
    viewer.feed(far.frame(1))
    viewer.feed(origin.frame(3))
    assert (viewer.counts.authentication_failures, viewer.counts.packets, viewer.counts.lost) == (1, 6, 0)
    assert video_of(viewer).first_index == FIRST


def test_packet_that_has_been_given_up_is_no_duplicate_when_it_comes(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    rtx = retransmitter(origin)
    lose(viewer, origin, 4, 5)
    video = video_of(viewer)
    video.holes.due(T0_S, 0.0)
    video.give_up(FIRST + 3 + 5, T0_S + 1.0)
    viewer.feed([rtx.rtx(FIRST + 7), origin.repeat(FIRST + 8), origin.repeat(FIRST + 8)])
    counts = viewer.counts
    assert (counts.lost, counts.recovered, counts.reordered, counts.duplicates) == (1, 1, 1, 1)
    assert (counts.packets, counts.expected, video.lost) == (13, 13, 0)
    assert counts.frames_incomplete == 1


def test_jump_of_sequence_numbers_is_a_new_beginning_and_no_loss(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    lose(viewer, origin, 4)
    origin.index += MAX_HOLES + 1
    viewer.feed(origin.frame(3, is_keyframe=True))
    viewer.feed(origin.frame(3))
    video = video_of(viewer)
    assert (viewer.counts.lost, viewer.counts.packets, len(video.holes)) == (1, 3 + 9 + 6, 0)
    assert viewer.counts.frames_complete == 3
    assert (video.expected_packets, video.highest) == (6, origin.index - 1)


def test_jump_of_as_many_packets_as_can_be_missing_is_loss(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    origin.index += MAX_HOLES - 1
    viewer.feed(origin.frame(3))
    assert viewer.counts.lost == MAX_HOLES - 1 == len(video_of(viewer).holes)


def test_rtx_of_an_old_packet_is_no_new_beginning(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    rtx = retransmitter(origin)
    lose(viewer, origin, 4)
    viewer.feed(packet for _ in range(20) for packet in origin.frame(100))
    first, highest = video_of(viewer).first_index, video_of(viewer).highest
    viewer.feed([rtx.rtx(FIRST), rtx.rtx(FIRST + 7)])
    assert (video_of(viewer).first_index, video_of(viewer).highest) == (first, highest)
    assert (viewer.counts.recovered, viewer.counts.retransmissions, viewer.counts.packets) == (1, 2, 2013)
    assert viewer.counts.frames_complete == 22


def test_very_late_repeat_is_no_new_beginning(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    for _ in range(20):
        viewer.feed(origin.frame(100))
        video_of(viewer).check_next()
    viewer.feed([origin.repeat(FIRST)])
    viewer.feed(origin.frame(5))
    assert (viewer.counts.duplicates, viewer.counts.lost, viewer.counts.packets) == (1, 0, 2008)
    assert video_of(viewer).first_index == FIRST


def test_holes_are_bounded_by_giving_up_the_older_ones(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    for _ in range(4):
        origin.index += MAX_HOLES - 300
        viewer.feed(origin.frame(3))
        assert len(video_of(viewer).holes) <= MAX_HOLES
    assert viewer.counts.lost == 4 * (MAX_HOLES - 300)
    assert viewer.counts.packets == 15
    viewer.feed(origin.frame(3))
    assert viewer.counts.packets == 18


def test_packets_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(track_module, "MAX_HELD", 100)
    viewer, origin = started()
    lose(viewer, origin, 4)
    for _ in range(60):
        viewer.feed(origin.frame(3))
        assert len(video_of(viewer)._held) <= 101
    assert not video_of(viewer).holes
    assert (viewer.counts.packets, viewer.counts.frames_incomplete) == (3 + 9 + 180, 1)


def test_padding_that_cannot_be_is_malformed_and_blocks_nothing(is_sampled: bool) -> None:
    viewer, origin = started(is_sampled)
    video_of(viewer).check_next()
    header = bytes((0xA0,)) + origin.repeat(FIRST)[1:2] + origin.index.to_bytes(2) + bytes(4) + VIDEO_SSRC.to_bytes(4)
    viewer.feed([origin.seal(header, b"\x41\xff", origin.index)])
    origin.index += 1
    viewer.feed(origin.frame(3, is_keyframe=True))
    viewer.feed(origin.frame(3))
    assert (viewer.counts.malformed, viewer.counts.packets, viewer.counts.lost) == (1, 10, 0)
    assert video_of(viewer)._held == {}
    assert video_of(viewer).expected == (NOT_EXPECTED if is_sampled else origin.index)


def audio_after(lost: Sequence[int]) -> tuple[Viewer, Origin, Callable[[], Track]]:
    viewer = Viewer()
    origin = Origin(viewer.server, AUDIO_SSRC, AUDIO_TYPE)
    for number in range(20):
        packet = origin.frame(1, has_marker=False, ticks=960)
        if number not in lost:
            viewer.feed(packet)

    def track() -> Track:
        assert viewer.receiver.audio is not None
        return viewer.receiver.audio

    return viewer, origin, track


def test_audio_that_is_lost_is_given_up_and_the_fast_way_entered_again() -> None:
    viewer, origin, track = audio_after([7])
    assert (viewer.counts.packets, viewer.counts.lost, viewer.counts.frames_complete) == (19, 1, 0)
    assert track().holes.due(T0_S, 0.0) == []
    assert track().expected == NOT_EXPECTED
    assert track().holes.hopeless(T0_S + 2 * PATIENCE_S, 0.0) == FIRST + 7
    track().give_up(FIRST + 7, T0_S + PATIENCE_S)
    assert track().expected == origin.index
    assert track()._held == {}


def test_audio_in_order_stays_on_the_fast_way() -> None:
    viewer, origin, track = audio_after([])
    assert (viewer.counts.packets, viewer.counts.checked) == (20, 1)
    assert track().expected == origin.index
