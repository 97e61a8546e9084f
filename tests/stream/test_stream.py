"""A stream as a whole: the batch, late packets, keyframe requests, and one publisher after another."""

import pytest

from gateway.stream.contract import Outlet, VideoState
from gateway.stream.packet import MediaPacket
from gateway.stream.stream import KEYFRAME_REQUEST_INTERVAL_S, Stream, StreamSettings
from gateway.stream.timing import PublisherClock
from gateway.transport.socket import Sent
from tests.stream.doubles import (
    DELTA_SLICE,
    H264,
    IDR_SLICE,
    OPUS,
    PPS,
    SPS,
    VP8,
    RecordingSender,
    RecordingSource,
    incoming,
    layout_of,
    outlet_of,
    stream_of,
)

FIRST = 1000
NTP = 1 << 60
HOLD_S = 0.003
HELD = StreamSettings(hold_s=HOLD_S, hold_from_viewers=2)
VP8_KEYFRAME_START, VP8_CONTINUATION = b"\x10\x00", b"\x00\x01"


class Studio:
    """Feeds a stream; `flush` makes its packets go out."""

    def __init__(self, stream: Stream, sequence_number: int = 70_000) -> None:
        self.stream = stream
        self.sequence_number = {"video": sequence_number, "audio": sequence_number}
        self.timestamp = 0

    def video(self, payload: bytes = DELTA_SLICE, *, marker: bool = True, arrival_s: float = 0.0) -> None:
        self._feed("video", payload, marker, arrival_s)
        self.timestamp += 3000 if marker else 0

    def audio(self, arrival_s: float = 0.0) -> None:
        self._feed("audio", b"opus", True, arrival_s)

    def skip(self, packets: int = 1) -> None:
        """Video packets that get lost."""
        self.sequence_number["video"] += packets

    def late(self, behind: int, payload: bytes = DELTA_SLICE, *, arrival_s: float = 0.0, timestamp: int = 0) -> None:
        """The video packet `behind` the newest, after all."""
        number = self.sequence_number["video"] - behind
        self.stream.feed(self.stream.tracks["video"], incoming(number, timestamp, payload, arrival_s=arrival_s), NTP)

    def _feed(self, kind: str, payload: bytes, marker: bool, arrival_s: float) -> None:
        number = self.sequence_number[kind]
        packet = incoming(number, self.timestamp, payload, marker=marker, arrival_s=arrival_s)
        self.stream.feed(self.stream.tracks[kind], packet, NTP)
        self.sequence_number[kind] = number + 1


def source_of(stream: Stream) -> RecordingSource:
    assert isinstance(stream.source, RecordingSource)
    return stream.source


def live_stream(settings: StreamSettings | None = None) -> tuple[Stream, RecordingSender, Studio]:
    """A stream that has had a keyframe of one packet and one audio packet."""
    stream, sender = stream_of(settings=settings)
    studio = Studio(stream)
    studio.video(IDR_SLICE)
    studio.audio()
    stream.flush(0.0)
    return stream, sender, studio


def joined(stream: Stream, name: str = "ann", now_s: float = 0.0) -> Outlet:
    outlet = outlet_of(stream.tracks, name)
    stream.join(outlet, now_s)
    return outlet


# Shedding


def test_shed_video_leaves_sound_and_goes_on_at_the_next_keyframe() -> None:
    stream, sender, studio = live_stream()
    ann, bob = joined(stream, "ann"), joined(stream, "bob")
    before = len(sender.video_to(ann))
    stream.shed_video(1.0)
    for _ in range(3):
        studio.video(arrival_s=1.0)
        studio.audio(arrival_s=1.0)
        stream.flush(1.0)
    assert len(sender.video_to(ann)) == before
    assert len(sender.audio_to(ann)) == len(sender.audio_to(bob)) == 3
    studio.video(IDR_SLICE, arrival_s=2.0)
    stream.flush(2.0)
    stream.pace(2.0)
    assert len(sender.video_to(ann)) == len(sender.video_to(bob)) == before + 1
    assert stream.figures.frames_dropped == {"overload": 2 * 3}
    assert stream.fanout.live_count == 2


def test_shed_video_leaves_alone_who_takes_only_sound() -> None:
    stream, _, _ = live_stream()
    outlet = outlet_of({"audio": stream.tracks["audio"]}, "ann")
    stream.join(outlet, 0.0)
    stream.shed_video(1.0)
    assert stream.fanout.live_count == 1


# The batch


def test_nothing_to_send_has_no_wait() -> None:
    stream, _, _ = live_stream()
    assert stream.wait_s(0.0) is None
    stream.flush(0.0)


def test_below_the_threshold_nothing_waits() -> None:
    stream, _, studio = live_stream(HELD)
    joined(stream)
    studio.video(marker=False, arrival_s=1.0)
    assert stream.wait_s(1.0) == 0.0


def test_from_the_threshold_on_an_unfinished_frame_waits() -> None:
    stream, _, studio = live_stream(HELD)
    joined(stream, "ann")
    joined(stream, "bob")
    studio.video(marker=False, arrival_s=1.0)
    assert stream.wait_s(1.0) == pytest.approx(HOLD_S)
    studio.video(marker=False, arrival_s=1.002)
    assert stream.wait_s(1.002) == pytest.approx(HOLD_S - 0.002)
    assert stream.wait_s(1.0 + HOLD_S + 0.001) == 0.0


def test_last_packet_of_the_frame_ends_the_wait() -> None:
    stream, _, studio = live_stream(HELD)
    joined(stream, "ann")
    joined(stream, "bob")
    studio.video(marker=False, arrival_s=1.0)
    studio.video(marker=True, arrival_s=1.001)
    studio.audio(arrival_s=1.001)
    assert stream.wait_s(1.001) == 0.0


def test_audio_alone_never_waits() -> None:
    stream, _, studio = live_stream(HELD)
    joined(stream, "ann")
    joined(stream, "bob")
    studio.audio(arrival_s=1.0)
    assert stream.wait_s(1.0) == 0.0


def test_batch_goes_out_once() -> None:
    stream, sender, studio = live_stream()
    ann = joined(stream)
    studio.video()
    stream.flush(0.0)
    stream.flush(0.0)
    assert sender.video_to(ann) == [FIRST, FIRST + 1]
    assert stream.wait_s(0.0) is None


def test_reordered_packets_of_one_batch_go_out_as_they_came() -> None:
    stream, sender, studio = live_stream()
    ann = joined(stream)
    studio.skip()
    studio.video()
    studio.late(behind=2)
    stream.flush(0.0)
    assert sender.video_to(ann) == [FIRST, FIRST + 2, FIRST + 1]


def test_forwarded_packets_are_counted_for_sender_reports() -> None:
    stream, _, studio = live_stream()
    before = stream.tracks["video"].sent_packets, stream.tracks["video"].sent_bytes
    studio.video()
    studio.video()
    stream.flush(0.0)
    track = stream.tracks["video"]
    assert (track.sent_packets - before[0], track.sent_bytes - before[1]) == (2, 2 * len(DELTA_SLICE))
    assert track.forwarded == FIRST + 3


# Joining and leaving


def test_viewer_gets_audio_at_once_and_video_from_the_keyframe() -> None:
    stream, sender, studio = live_stream()
    studio.video()
    stream.flush(0.0)
    ann = joined(stream)
    assert sender.video_to(ann) == [FIRST, FIRST + 1]
    assert sender.audio_to(ann) == []
    studio.audio()
    studio.video()
    stream.flush(0.0)
    assert sender.video_to(ann) == [FIRST, FIRST + 1, FIRST + 2]
    assert sender.audio_to(ann) == [FIRST + 1]


def test_viewer_that_is_not_live_in_video_gets_audio() -> None:
    stream, sender = stream_of()
    studio = Studio(stream)
    ann = joined(stream)
    assert ann.video is VideoState.WAITING
    studio.audio()
    stream.flush(0.0)
    assert sender.audio_to(ann) == [FIRST]


def test_viewer_of_audio_only_is_live_at_once() -> None:
    stream, sender, studio = live_stream()
    ann = outlet_of({}, "ann", {"audio": layout_of(stream.tracks["audio"])})
    stream.join(ann, 0.0)
    assert (ann.video, stream.fanout.live_count) == (VideoState.NONE, 1)
    studio.audio()
    studio.video()
    stream.flush(0.0)
    assert (sender.audio_to(ann), sender.video_to(ann)) == ([FIRST + 1], [])


def test_viewer_of_video_only_is_sent_no_audio_late_or_not() -> None:
    stream, sender, studio = live_stream()
    ann = outlet_of({}, "ann", {"video": layout_of(stream.tracks["video"])})
    stream.join(ann, 0.0)
    studio.audio()
    stream.flush(0.0)
    assert sender.audio_to(ann) == []
    assert set(ann.first) == {"video"}


def test_waiting_viewer_asks_for_a_keyframe() -> None:
    stream, _ = stream_of()
    joined(stream, now_s=5.0)
    assert source_of(stream).keyframe_requests_s == [5.0]


def test_viewer_that_begins_at_a_cached_keyframe_asks_for_none() -> None:
    stream, _, _ = live_stream()
    joined(stream)
    assert source_of(stream).keyframe_requests_s == []


def test_who_left_is_sent_nothing_live_or_not() -> None:
    stream, sender = stream_of()
    studio = Studio(stream)
    waiting = joined(stream, "waiting")
    studio.video(IDR_SLICE)
    stream.flush(0.0)
    live = joined(stream, "live")
    assert stream.viewers == 2
    stream.leave(waiting)
    stream.leave(live)
    stream.leave(live)
    before = len(sender.datagrams)
    studio.audio()
    studio.video()
    stream.flush(0.0)
    stream.pace(0.005)
    assert len(sender.datagrams) == before
    assert stream.viewers == 0


def test_who_left_while_waiting_is_sent_nothing() -> None:
    stream, sender = stream_of()
    ann = joined(stream)
    stream.leave(ann)
    Studio(stream).audio()
    stream.flush(0.0)
    assert sender.datagrams == []
    assert stream.viewers == 0


def test_join_while_a_batch_waits_sends_nothing_from_before_the_keyframe() -> None:
    stream, sender, studio = live_stream(HELD)
    joined(stream, "bob")
    joined(stream, "eve")
    studio.video()
    studio.video(IDR_SLICE, marker=False, arrival_s=1.0)
    ann = joined(stream, now_s=1.0)
    assert sender.video_to(ann) == []
    stream.flush(1.003)
    stream.pace(1.005)
    assert sender.video_to(ann) == [FIRST + 2]


def test_keyframe_of_separate_packets_reaches_who_waited_whole() -> None:
    stream, sender = stream_of()
    studio = Studio(stream)
    ann = joined(stream)
    for payload in (SPS, PPS, IDR_SLICE):
        studio.video(payload, marker=payload is IDR_SLICE)
        stream.flush(0.0)
        stream.pace(0.0)
    assert sender.video_to(ann) == [FIRST, FIRST + 1, FIRST + 2]
    assert ann.video is VideoState.LIVE


def test_keyframe_whose_first_packet_came_late_reaches_who_waited() -> None:
    stream, sender = stream_of(VP8)
    studio = Studio(stream)
    studio.video(VP8_KEYFRAME_START)
    stream.flush(0.0)
    stream.tracks["video"].cache.gop_start = None  # as after too many packets without a keyframe
    ann = joined(stream)
    studio.skip()
    studio.video(VP8_CONTINUATION)
    stream.flush(0.0)
    assert ann.video is VideoState.WAITING
    studio.late(behind=2, payload=VP8_KEYFRAME_START, timestamp=3000)
    stream.pace(0.005)
    assert sender.video_to(ann) == [FIRST + 1, FIRST + 2]


def test_parameter_sets_that_came_late_reach_who_began_at_the_slice() -> None:
    stream, sender, studio = live_stream()
    studio.skip(2)
    studio.video(IDR_SLICE)
    stream.flush(0.0)
    ann = joined(stream)
    assert sender.video_to(ann) == [FIRST + 3]
    studio.late(behind=3, payload=SPS, timestamp=3000)
    studio.late(behind=2, payload=PPS, timestamp=3000)
    assert sender.video_to(ann) == [FIRST + 3, FIRST + 1, FIRST + 2]
    assert ann.first["video"] == FIRST + 1


# Late packets


def test_late_packet_goes_to_who_has_passed_its_place() -> None:
    stream, sender, studio = live_stream()
    ann = joined(stream)
    studio.skip()
    studio.video()
    stream.flush(0.0)
    studio.late(behind=2)
    assert sender.video_to(ann) == [FIRST, FIRST + 2, FIRST + 1]
    assert stream.wait_s(0.0) is None
    assert stream.tracks["video"].figures.late == 1


def test_late_packet_does_not_go_to_who_began_after_it() -> None:
    stream, sender, studio = live_stream()
    studio.skip()
    studio.video(IDR_SLICE)
    stream.flush(0.0)
    ann = joined(stream)
    studio.late(behind=2)
    assert sender.video_to(ann) == [FIRST + 2]


def test_late_packet_before_a_catching_up_viewers_position_is_sent_and_ahead_of_it_is_not_yet() -> None:
    stream, sender = stream_of(first_index=FIRST)
    studio = Studio(stream)
    studio.video(IDR_SLICE.ljust(1200))
    studio.skip()
    for _ in range(40):
        studio.video(DELTA_SLICE.ljust(1200))
    studio.skip()
    studio.video(DELTA_SLICE)
    stream.flush(0.0)
    ann = joined(stream)
    assert ann.video is VideoState.CATCHING_UP
    before = sender.video_to(ann)
    studio.late(behind=2)
    assert sender.video_to(ann) == before
    studio.late(behind=43)
    assert sender.video_to(ann) == [*before, FIRST + 1]
    for tick in range(1, 100):
        stream.pace(tick * 0.005)
    assert sorted(sender.video_to(ann)) == list(range(FIRST, FIRST + 44))


def test_late_audio_goes_to_who_listened_already() -> None:
    stream, sender, studio = live_stream()
    ann = joined(stream)
    studio.sequence_number["audio"] += 1
    studio.audio()
    stream.flush(0.0)
    bob = joined(stream, "bob")
    studio.sequence_number["audio"] -= 2
    studio.audio()
    assert sender.audio_to(ann) == [FIRST + 2, FIRST + 1]
    assert sender.audio_to(bob) == []


def test_duplicate_goes_nowhere() -> None:
    stream, sender, studio = live_stream()
    ann = joined(stream)
    studio.late(behind=1, payload=IDR_SLICE)
    assert stream.wait_s(0.0) is None
    assert sender.video_to(ann) == [FIRST]


# The socket is full


def test_stalled_viewer_gets_video_later_and_audio_is_counted() -> None:
    stream, sender, studio = live_stream()
    ann = joined(stream)
    sender.answer = lambda _address: Sent.FULL
    studio.video()
    studio.audio()
    stream.flush(1.0)
    assert list(stream.catch_up.outlets) == [ann]
    assert stream.figures.audio_dropped == 1
    sender.answer = lambda _address: Sent.OK
    stream.pace(1.005)
    stream.pace(1.010)
    assert sender.video_to(ann) == [FIRST, FIRST + 1]
    assert ann.video is VideoState.LIVE


def test_audio_that_a_catching_up_viewer_missed_is_counted() -> None:
    stream, sender, studio = live_stream()
    ann = joined(stream)
    sender.answer = lambda _address: Sent.FULL
    studio.video()
    stream.flush(1.0)
    for _ in range(3):
        studio.audio(arrival_s=1.01)
        stream.flush(1.01)
    assert ann.video is VideoState.CATCHING_UP
    assert stream.figures.audio_dropped == 3


def test_audio_only_viewer_stays_live_when_the_socket_was_full() -> None:
    stream, sender, studio = live_stream()
    ann = outlet_of({}, "ann", {"audio": layout_of(stream.tracks["audio"])})
    stream.join(ann, 0.0)
    sender.answer = lambda _address: Sent.FULL
    studio.audio()
    stream.flush(1.0)
    sender.answer = lambda _address: Sent.OK
    studio.audio()
    stream.flush(1.02)
    assert sender.audio_to(ann) == [FIRST + 2]
    assert stream.figures.audio_dropped == 1
    assert stream.fanout.live_count == 1


def test_stall_in_a_batch_of_audio_only_loses_no_video() -> None:
    stream, sender, studio = live_stream()
    ann = joined(stream)
    sender.answer = lambda _address: Sent.FULL
    studio.audio()
    stream.flush(1.0)
    sender.answer = lambda _address: Sent.OK
    studio.video()
    stream.flush(1.01)
    for tick in range(3):
        stream.pace(1.015 + tick * 0.005)
    assert sender.video_to(ann) == [FIRST, FIRST + 1]


# Keyframe requests


def test_keyframe_is_asked_for_once_an_interval_however_many_ask() -> None:
    stream, _, _ = live_stream()
    for tick in range(100):
        stream.request_keyframe(10.0 + tick * KEYFRAME_REQUEST_INTERVAL_S / 40)
    assert source_of(stream).keyframe_requests_s == pytest.approx(
        [10.0, 10.0 + KEYFRAME_REQUEST_INTERVAL_S, 10.0 + 2 * KEYFRAME_REQUEST_INTERVAL_S]
    )
    assert (stream.keyframe_requests, stream.keyframe_requests_sent) == (100, 3)


def test_keyframe_request_without_a_source_is_counted_only() -> None:
    stream, _ = stream_of(source=False)
    stream.request_keyframe(1.0)
    assert (stream.keyframe_requests, stream.keyframe_requests_sent) == (1, 0)


def test_new_source_is_asked_at_once_whenever_the_last_was() -> None:
    stream, _, _ = live_stream()
    stream.request_keyframe(10.0)
    stream.attach(RecordingSource("second"), [H264, OPUS], 10.1)
    stream.request_keyframe(10.2)
    assert source_of(stream).keyframe_requests_s == [10.2]


def test_source_that_begins_without_a_keyframe_is_asked_for_one() -> None:
    stream, _, _ = live_stream()
    second = RecordingSource("second")
    stream.attach(second, [H264, OPUS], 10.0)
    studio = Studio(stream, sequence_number=90_000)
    for tick in range(30):
        studio.video(DELTA_SLICE, arrival_s=10.0 + tick / 30)
    assert second.keyframe_requests_s == [10.0]


@pytest.mark.parametrize(("age_s", "asked"), [(1.9, []), (2.1, [2.1])])
def test_old_keyframe_is_renewed_while_somebody_watches(age_s: float, asked: list[float]) -> None:
    stream, _, _ = live_stream()
    joined(stream)
    stream.refresh_keyframe(age_s)
    assert source_of(stream).keyframe_requests_s == asked


def test_old_keyframe_is_not_renewed_while_nobody_watches() -> None:
    stream, _, _ = live_stream()
    stream.refresh_keyframe(100.0)
    assert source_of(stream).keyframe_requests_s == []


def test_keyframe_is_asked_for_when_there_was_none() -> None:
    stream, _ = stream_of()
    joined(stream, now_s=0.0)
    stream.refresh_keyframe(1.5)
    assert source_of(stream).keyframe_requests_s == [0.0, 1.5]


def test_stream_without_video_asks_for_no_keyframe() -> None:
    stream, _ = stream_of(OPUS)
    joined(stream)
    stream.refresh_keyframe(100.0)
    stream.pace(100.0)
    assert source_of(stream).keyframe_requests_s == []


# One source after another


def test_takeover_closes_the_source_before() -> None:
    stream, _, _ = live_stream()
    first, second = source_of(stream), RecordingSource("second")
    assert stream.attach(second, [H264, OPUS], 5.0) == []
    assert first.closed_by == "taken_over"
    assert stream.source is second
    assert stream.live_since_s == 5.0


def test_takeover_keeps_viewers_ssrcs_and_numbers() -> None:
    stream, sender, _ = live_stream()
    ann = joined(stream)
    ssrcs = {kind: track.ssrc for kind, track in stream.tracks.items()}
    stream.attach(RecordingSource("second"), [H264, OPUS], 5.0)
    studio = Studio(stream, sequence_number=90_000)
    studio.video(DELTA_SLICE, arrival_s=5.0)
    studio.video(IDR_SLICE, arrival_s=5.1)
    studio.audio(arrival_s=5.1)
    stream.flush(5.1)
    assert {kind: track.ssrc for kind, track in stream.tracks.items()} == ssrcs
    assert sender.video_to(ann) == [FIRST, FIRST + 1]
    assert sender.audio_to(ann) == [FIRST + 1]
    assert ann.video is VideoState.LIVE


def test_takeover_with_another_format_replaces_that_track_only() -> None:
    stream, sender, studio = live_stream()
    audio, video = stream.tracks["audio"], stream.tracks["video"]
    ann = joined(stream)
    studio.video()
    studio.audio()
    assert stream.attach(RecordingSource("second"), [VP8, OPUS], 5.0) == [video]
    assert stream.tracks["audio"] is audio
    assert stream.tracks["video"] is not video
    assert stream.tracks["video"].ssrc != video.ssrc
    stream.flush(5.0)
    assert sender.audio_to(ann) == [FIRST + 1]
    assert sender.video_to(ann) == [FIRST]


def test_detach_of_the_source_leaves_the_stream_waiting() -> None:
    stream, _, _ = live_stream()
    assert stream.detach(source_of(stream), 7.0, "peer_left")
    assert (stream.source, stream.source_lost_s, stream.live_since_s) == (None, 7.0, None)
    assert stream.source_lost_by == "peer_left"


def test_source_that_comes_back_is_not_lost() -> None:
    stream, _, _ = live_stream()
    stream.detach(source_of(stream), 7.0, "peer_left")
    stream.attach(RecordingSource("again"), [H264, OPUS], 8.0)
    assert (stream.source_lost_s, stream.source_lost_by) == (None, None)


def test_detach_of_a_source_that_was_taken_over_changes_nothing() -> None:
    stream, _, _ = live_stream()
    first, second = source_of(stream), RecordingSource("second")
    stream.attach(second, [H264, OPUS], 5.0)
    assert not stream.detach(first, 7.0, "idle")
    assert (stream.source, stream.source_lost_s, stream.source_lost_by) == (second, None, None)


def test_source_that_is_silent_is_stale() -> None:
    stream, _, _ = live_stream()
    source_of(stream).last_media_s = 10.0
    assert not stream.is_stale(11.9, 2.0)
    assert stream.is_stale(12.1, 2.0)
    stream.detach(source_of(stream), 12.1)
    assert stream.is_stale(12.1, 2.0)


def test_sender_report_ties_the_outgoing_timestamp() -> None:
    stream, _, _ = live_stream()
    track, clock = stream.tracks["video"], PublisherClock()
    clock.on_sender_report(NTP, NTP)
    stream.on_sender_report(track, NTP, 9000, clock)
    assert track.clock.timestamp_at(NTP) == track.rewriter.outgoing_timestamp(9000)


def test_sender_report_before_any_packet_is_left_out() -> None:
    stream, _ = stream_of()
    clock = PublisherClock()
    clock.on_sender_report(NTP, NTP)
    stream.on_sender_report(stream.tracks["video"], NTP, 9000, clock)
    assert stream.tracks["video"].clock.timestamp_at(NTP) is None


def test_bitrate_is_that_of_all_tracks() -> None:
    stream, _, studio = live_stream()
    stream.sample_rate(0.0)
    studio.video(bytes(10_000))
    studio.audio()
    stream.sample_rate(1.0)
    assert stream.bitrate_bps == pytest.approx(8 * (10_000 + len(b"opus")))


def test_packet_that_goes_no_further_is_not_in_the_batch() -> None:
    stream, _ = stream_of()
    Studio(stream).video(DELTA_SLICE)
    assert stream.wait_s(0.0) is None
    assert not any(isinstance(each, MediaPacket) for each in stream.tracks["video"].cache.newest_first(FIRST))
