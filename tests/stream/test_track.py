"""A track: what is let in, how it is numbered and counted."""

import random

import pytest

from gateway.stream.packet import MediaPacket
from gateway.stream.track import Track
from gateway.wire.formats import TrackFormat
from tests.stream.doubles import DELTA_SLICE, H264, IDR_SLICE, OPUS, PPS, SPS, VP8, FirstIndex, incoming


def track_of(track_format: TrackFormat = H264, first_index: int = 1000) -> Track:
    return Track(track_format, FirstIndex(first_index))


def accepted(track: Track, *args: int | bytes, **kwargs: bool | float) -> MediaPacket:
    packet = track.accept(incoming(*args, **kwargs))  # type: ignore[arg-type]
    assert packet is not None
    return packet


def live_track() -> Track:
    """A track that has had its keyframe, sequence number 100, timestamp 0."""
    track = track_of()
    accepted(track, 100, 0, IDR_SLICE)
    return track


def test_track_has_ssrcs_of_its_own() -> None:
    first, second = Track(H264, random.Random(1)), Track(H264, random.Random(2))
    assert len({first.ssrc, first.rtx_ssrc, second.ssrc, second.rtx_ssrc, 0}) == 5


def test_packet_is_numbered_and_kept() -> None:
    track = track_of()
    packet = accepted(track, 100, 0, IDR_SLICE, arrival_s=3.0)
    assert (packet.index, packet.payload, packet.is_keyframe, packet.arrival_s) == (1000, IDR_SLICE, True, 3.0)
    assert track.cache.packet(1000) is packet
    assert (track.figures.packets, track.figures.bytes, track.figures.frames) == (1, len(IDR_SLICE), 1)


def test_elements_travel_with_the_packet() -> None:
    elements = (("urn:3gpp:video-orientation", b"\x01"),)
    packet = track_of().accept(incoming(100, 0, IDR_SLICE, elements=elements))
    assert packet is not None
    assert packet.elements == elements


def test_video_before_its_first_keyframe_goes_no_further() -> None:
    track = track_of()
    assert track.accept(incoming(100, 0)) is None
    assert len(track.cache) == 0
    assert accepted(track, 101, 3000, IDR_SLICE).index == 1000


@pytest.mark.parametrize("first", [SPS, IDR_SLICE])
def test_video_begins_at_parameter_sets_or_slice(first: bytes) -> None:
    assert accepted(track_of(), 100, 0, first).is_keyframe


def test_frames_before_the_keyframe_are_counted_once_each() -> None:
    track = track_of()
    for sequence_number, timestamp in ((100, 0), (101, 0), (102, 3000), (103, 6000)):
        track.accept(incoming(sequence_number, timestamp))
    assert track.figures.awaiting_keyframe_frames == 3
    assert track.figures.frames == 0


def test_audio_waits_for_nothing() -> None:
    assert accepted(track_of(OPUS), 5, 0, b"opus").index == 1000


def test_new_publisher_is_awaited_at_a_keyframe() -> None:
    track = live_track()
    track.begin_epoch()
    assert track.accept(incoming(7, 0)) is None
    assert accepted(track, 8, 3000, IDR_SLICE, arrival_s=1.0).index == 1001
    assert accepted(track, 9, 6000, arrival_s=1.0).index == 1002
    assert track.figures.awaiting_keyframe_frames == 1


def test_new_publisher_ends_the_picture_that_can_be_joined_at() -> None:
    track = live_track()
    assert track.cache.gop_start == 1000
    track.begin_epoch()
    assert track.cache.gop_start is None
    accepted(track, 7, 0, IDR_SLICE, arrival_s=1.0)
    assert track.cache.gop_start == 1001


def test_figures_of_the_track_before_go_on() -> None:
    before = live_track()
    after = Track(VP8, FirstIndex(5), before.figures)
    accepted(after, 1, 0, b"\x10\x00")
    assert (after.figures.packets, after.figures.keyframes) == (2, 2)


def test_duplicate_is_counted_and_goes_no_further() -> None:
    track = live_track()
    accepted(track, 101)
    assert track.accept(incoming(101)) is None
    assert (track.figures.duplicates, track.figures.packets) == (1, 2)


def test_packet_from_before_the_epoch_is_late() -> None:
    track = live_track()
    assert track.accept(incoming(99)) is None
    assert track.figures.late == 1


def test_padding_only_packet_keeps_its_place() -> None:
    track = live_track()
    packet = accepted(track, 101, 0, b"")
    assert (packet.index, packet.payload, packet.has_padding) == (1001, b"\x01", True)


def test_packet_with_a_payload_has_no_padding() -> None:
    assert not accepted(track_of(), 100, 0, IDR_SLICE).has_padding


def test_frames_are_distinct_timestamps() -> None:
    track = live_track()
    packets = [accepted(track, 101 + step, 3000 * (1 + step // 3)) for step in range(9)]
    assert track.figures.frames == 4
    assert [packet.frame for packet in packets] == [2, 2, 2, 3, 3, 3, 4, 4, 4]


def test_keyframe_of_several_packets_is_counted_once() -> None:
    track = track_of()
    for step, payload in enumerate((SPS, PPS, IDR_SLICE, IDR_SLICE)):
        accepted(track, 100 + step, 0, payload, arrival_s=1.0 + step)
    assert (track.figures.keyframes, track.figures.frames, track.keyframe_arrival_s) == (1, 1, 1.0)
    accepted(track, 104, 3000, IDR_SLICE, arrival_s=9.0)
    assert (track.figures.keyframes, track.keyframe_arrival_s) == (2, 9.0)


def test_keyframe_whose_first_packet_came_late_is_counted() -> None:
    track = track_of(VP8)
    start, continuation = b"\x10\x00", b"\x00\x01"
    accepted(track, 100, 0, start, arrival_s=0.0)
    accepted(track, 102, 3000, continuation, arrival_s=1.0)
    accepted(track, 101, 3000, start, arrival_s=2.0)
    assert (track.figures.keyframes, track.keyframe_arrival_s) == (2, 2.0)


def test_older_keyframe_that_came_late_is_not_taken_for_the_newest() -> None:
    track = live_track()
    accepted(track, 101, 3000, SPS, arrival_s=1.0)
    accepted(track, 103, 6000, IDR_SLICE, arrival_s=2.0)
    accepted(track, 102, 3000, IDR_SLICE, arrival_s=3.0)
    assert (track.figures.keyframes, track.keyframe_arrival_s) == (3, 2.0)


def test_late_packet_belongs_to_its_own_frame() -> None:
    track = live_track()
    accepted(track, 101, 3000)
    accepted(track, 103, 3000)
    accepted(track, 104, 6000)
    accepted(track, 106, 9000)
    assert accepted(track, 102, 3000).frame == 2
    assert accepted(track, 105, 9000).frame == 4
    accepted(track, 109, 12_000)
    assert accepted(track, 107, 9000).frame == 4


def test_lost_packets_are_told_as_frames() -> None:
    track = live_track()
    accepted(track, 103, 3000, marker=True)
    accepted(track, 106, 6000, marker=True)
    assert track.frames_around([101, 102]) == 1
    assert track.frames_around([104, 105]) == 1
    assert track.frames_around([107, 108]) == 1


def test_lost_frame_is_told_once_though_its_packets_are_given_up_one_after_the_other() -> None:
    track = live_track()
    accepted(track, 101, 3000)
    accepted(track, 103, 3000)
    accepted(track, 105, 3000, marker=True)
    assert track.frames_around([102]) == 1
    assert track.frames_around([104]) == 0


def test_burst_of_lost_packets_costs_all_frames_that_were_in_it() -> None:
    track = track_of()
    accepted(track, 100, 0, IDR_SLICE, marker=True)
    accepted(track, 101, 3000, marker=True)
    accepted(track, 112, 18_000, marker=True)
    assert track.frames_around(range(102, 112)) == 4


def test_outage_costs_the_frames_that_its_time_had_room_for() -> None:
    track = track_of()
    accepted(track, 100, 0, IDR_SLICE, marker=True)
    last = accepted(track, 101, 3000, marker=True)
    accepted(track, 1401, 3000 + 90_000, marker=True)
    assert track.frames_of_outage(last.index) == 29


def test_rhythm_is_not_learned_over_a_hole_or_another_epoch() -> None:
    track = track_of()
    accepted(track, 100, 0, IDR_SLICE, marker=True)
    accepted(track, 101, 3000, marker=True)
    accepted(track, 105, 30_000, marker=True)
    track.begin_epoch()
    accepted(track, 700, 1_000_000, IDR_SLICE, marker=True)
    accepted(track, 710, 1_030_000, marker=True)
    assert track.frames_around(range(701, 710)) == 9


def test_lost_packets_of_an_epoch_that_ended_are_one_frame() -> None:
    track = live_track()
    track.begin_epoch()
    assert track.frames_around([101, 102]) == 1


def test_delta_slice_is_no_keyframe() -> None:
    track = live_track()
    assert not accepted(track, 101, 3000, DELTA_SLICE).is_keyframe


def test_epoch_begins_behind_all_packets_so_far() -> None:
    track = live_track()
    begun = track.epoch_start
    last = track.cache.next_index - 1
    assert begun <= last
    track.begin_epoch()
    assert track.epoch_start == last + 1
    packet = accepted(track, 40_000, 77, SPS)
    assert packet.index == track.epoch_start
