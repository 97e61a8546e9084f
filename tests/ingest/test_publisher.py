"""A studio's session: what of its packets reaches the stream, and what is said back to it."""

from dataclasses import replace

import pytest

from gateway.clock import WallClock, ntp_from_seconds, ntp_middle32
from gateway.errors import WireError
from gateway.ingest.incoming import PublishedMedia
from gateway.ingest.nack import MAX_MISSING
from gateway.ingest.publisher import (
    FEEDBACK_INTERVAL_S,
    MAX_EARLY_REPORTS,
    MAX_PAYLOAD_BYTES,
    MAX_SSRCS,
    REPORT_INTERVAL_S,
    Publisher,
)
from gateway.stream.layout import Layout, LayoutKey, PlayoutDelay
from gateway.stream.stream import Stream
from gateway.transport.srtp.cm import MAX_PACKET_BYTES
from gateway.wire import rtcp
from gateway.wire.header_extensions import (
    ABS_CAPTURE_TIME,
    COLOR_SPACE,
    MID,
    PLAYOUT_DELAY,
    TRANSPORT_SEQUENCE_NUMBER,
    VIDEO_ORIENTATION,
    AbsCaptureTime,
    parse_abs_capture_time,
    serialize_extensions,
)
from gateway.wire.rtp import RtpHeader, pack_header, pack_rtx_payload, parse_header
from gateway.wire.sdp import MAX_MID_BYTES
from tests.stream.doubles import (
    DELTA_SLICE,
    H264,
    IDR_SLICE,
    OPUS,
    RecordingSession,
    media_packet,
    stream_of,
)

VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE = 102, 103, 109
VIDEO_SSRC, RTX_SSRC, AUDIO_SSRC = 0x11, 0x12, 0x13
IDS = {TRANSPORT_SEQUENCE_NUMBER: 3, ABS_CAPTURE_TIME: 4, VIDEO_ORIENTATION: 5, COLOR_SPACE: 6, MID: 7}
BY_ID = {number: uri for uri, number in IDS.items()}
EVERY_FEEDBACK = frozenset({"nack", "nack pli", "ccm fir", "transport-cc"})

VIDEO = PublishedMedia(H264, VIDEO_TYPE, RTX_TYPE, BY_ID, EVERY_FEEDBACK)
AUDIO = PublishedMedia(OPUS, AUDIO_TYPE, None, BY_ID, frozenset({"nack"}))

FIRST = 1000
CLOCK = WallClock(1_700_000_000.0)


class Bench:
    """A publisher, the stream that it feeds, and its hub."""

    def __init__(self, *media: PublishedMedia, is_connected: bool = True) -> None:
        self.session = RecordingSession("studio")
        self.stream, self.sender = stream_of(source=False, first_index=FIRST)
        self.ended: list[str] = []
        self.round_trips_s: list[float] = []
        self.publisher = Publisher(self.session.as_session(), list(media or (VIDEO, AUDIO)), self, CLOCK)
        if is_connected:
            assert self.session.srtp is not None
            self.publisher.on_connected(self.session.srtp, 0.0)

    def publish(self, publisher: Publisher, now_s: float) -> Stream | None:
        self.stream.attach(publisher, [track.media.format for track in publisher.tracks], now_s)
        return self.stream

    def unpublish(self, publisher: Publisher, cause: str, now_s: float) -> None:
        self.stream.detach(publisher, now_s)
        self.ended.append(cause)

    def measured_round_trip(self, seconds: float) -> None:
        self.round_trips_s.append(seconds)

    def rtp(
        self,
        sequence_number: int,
        payload: bytes = DELTA_SLICE,
        *,
        payload_type: int = VIDEO_TYPE,
        ssrc: int = VIDEO_SSRC,
        timestamp: int = 0,
        elements: tuple[tuple[str, bytes], ...] = (),
        has_padding: bool = False,
        marker: bool = False,
        now_s: float = 0.0,
    ) -> bool:
        """A packet arrives; whether it was wanted."""
        header = header_of(sequence_number, payload_type, ssrc, timestamp, elements, has_padding, marker)
        if not self.publisher.wants_rtp(header):
            return False
        self.publisher.on_rtp(header, payload, now_s)
        return True

    def rtx(self, sequence_number: int, original: int, payload: bytes = DELTA_SLICE, now_s: float = 0.0) -> None:
        self.rtp(
            sequence_number,
            pack_rtx_payload(original, payload),
            payload_type=RTX_TYPE,
            ssrc=RTX_SSRC,
            now_s=now_s,
        )

    def keyframe(self, sequence_number: int = 100) -> None:
        self.rtp(sequence_number, IDR_SLICE)

    @property
    def video_indices(self) -> list[int]:
        """What the video track holds."""
        cache = self.stream.tracks["video"].cache
        return [index for index in range(cache.oldest, cache.next_index) if index in cache]


def header_of(
    sequence_number: int,
    payload_type: int,
    ssrc: int,
    timestamp: int = 0,
    elements: tuple[tuple[str, bytes], ...] = (),
    has_padding: bool = False,
    marker: bool = False,
) -> RtpHeader:
    block = serialize_extensions([(IDS[uri], value) for uri, value in elements])
    return parse_header(pack_header(payload_type, marker, sequence_number, timestamp, ssrc, block, has_padding))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def elements_of(bench: Bench, *elements: tuple[str, bytes]) -> dict[str, bytes]:
    """What viewers are to get of a packet with `elements`."""
    bench.rtp(100, IDR_SLICE, elements=elements)
    packet = bench.stream.tracks["video"].cache.packet(FIRST)
    assert packet is not None
    return dict(packet.elements)


# Packets in


def test_connected_publisher_is_the_streams_source(bench: Bench) -> None:
    assert bench.stream.source is bench.publisher
    assert bench.publisher.session_id == "studio"


def test_packets_reach_their_tracks(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(101)
    bench.rtp(7, b"opus", payload_type=AUDIO_TYPE, ssrc=AUDIO_SSRC)
    assert bench.video_indices == [FIRST, FIRST + 1]
    assert bench.stream.tracks["audio"].figures.packets == 1


def test_packets_before_the_stream_is_ours_go_nowhere() -> None:
    bench = Bench(is_connected=False)
    bench.rtp(100, IDR_SLICE)
    assert bench.stream.tracks == {}


def test_packets_after_the_end_go_nowhere(bench: Bench) -> None:
    bench.keyframe()
    bench.publisher.on_closed("peer_left")
    bench.rtp(101)
    assert bench.video_indices == [FIRST]
    assert bench.ended == ["peer_left"]
    assert bench.stream.source is None


def test_unknown_payload_type_is_refused(bench: Bench) -> None:
    assert not bench.rtp(100, payload_type=99)


def test_ssrcs_are_bounded(bench: Bench) -> None:
    taken = [bench.rtp(100, IDR_SLICE, ssrc=1 + number) for number in range(MAX_SSRCS + 3)]
    assert taken == [True] * MAX_SSRCS + [False] * 3
    assert bench.rtp(101, IDR_SLICE, ssrc=MAX_SSRCS)


def test_padding_is_taken_off(bench: Bench) -> None:
    bench.rtp(100, IDR_SLICE + b"\0\0\3", has_padding=True)
    packet = bench.stream.tracks["video"].cache.packet(FIRST)
    assert packet is not None
    assert (packet.payload, packet.has_padding) == (IDR_SLICE, False)


def test_padding_only_packet_keeps_its_place(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(101, b"\0\0\3", has_padding=True)
    bench.rtp(102)
    assert bench.video_indices == [FIRST, FIRST + 1, FIRST + 2]


def test_wrong_padding_is_an_error(bench: Bench) -> None:
    with pytest.raises(WireError):
        bench.rtp(100, b"\0\0\xff", has_padding=True)


def test_oversized_packet_is_not_asked_for_again(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(101, bytes(MAX_PAYLOAD_BYTES + 1))
    bench.rtp(102)
    bench.publisher.ask_for_missing(1.0)
    assert bench.session.sent(rtcp.GenericNack) == []


@pytest.mark.parametrize(("size_bytes", "dropped"), [(MAX_PAYLOAD_BYTES, 0), (MAX_PAYLOAD_BYTES + 1, 1)])
def test_oversized_payload_is_dropped_and_counted(bench: Bench, size_bytes: int, dropped: int) -> None:
    bench.rtp(100, IDR_SLICE.ljust(size_bytes))
    assert not bench.publisher.tracks[0].nacks
    assert bench.publisher.figures.oversized == dropped
    assert bench.stream.tracks["video"].figures.packets == 1 - dropped


def test_largest_payload_with_every_extension_can_be_sealed_for_every_viewer() -> None:
    ids = tuple((uri, 200 + number) for number, uri in enumerate((*IDS, PLAYOUT_DELAY)))
    layout = Layout(LayoutKey(1, 2, 96, 97, "m" * MAX_MID_BYTES, ids, PlayoutDelay(0, 0)))
    packet = media_packet(5, payload=bytes(MAX_PAYLOAD_BYTES))
    packet.elements = ((ABS_CAPTURE_TIME, bytes(16)), (VIDEO_ORIENTATION, b"\1"), (COLOR_SPACE, bytes(28)))
    header, payload = layout.rtx(packet, 9)
    assert len(header) + len(payload) <= MAX_PACKET_BYTES


# Retransmissions in


def test_retransmission_fills_the_hole(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(102)
    bench.rtx(5000, original=101)
    assert bench.video_indices == [FIRST, FIRST + 1, FIRST + 2]
    assert bench.publisher.tracks[0].retransmissions == 1
    assert bench.publisher.tracks[0].nacks.recovered == 1


def test_retransmission_before_the_first_packet_goes_nowhere(bench: Bench) -> None:
    bench.rtx(5000, original=101, payload=IDR_SLICE)
    assert bench.video_indices == []


def test_padding_on_the_retransmission_ssrc_goes_nowhere(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(5000, b"\0\0\3", payload_type=RTX_TYPE, ssrc=RTX_SSRC, has_padding=True)
    assert bench.video_indices == [FIRST]
    assert bench.publisher.tracks[0].retransmissions == 0


def test_retransmission_of_an_old_packet_is_no_restart(bench: Bench) -> None:
    bench.keyframe(30_000)
    for step in range(3):
        bench.rtx(5000 + step, original=10_000 + step)
    bench.rtp(30_001)
    assert bench.video_indices == [FIRST, FIRST + 1]


def test_retransmissions_do_not_count_as_received(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(102)
    bench.rtx(5000, original=101)
    reception = bench.publisher.tracks[0].reception
    assert reception is not None
    assert (reception.received, reception.packets_lost) == (2, 1)


def test_retransmission_too_short_to_name_its_original_is_an_error(bench: Bench) -> None:
    bench.keyframe()
    with pytest.raises(WireError):
        bench.rtp(5000, b"\1", payload_type=RTX_TYPE, ssrc=RTX_SSRC)


# Other numbers


def test_other_ssrc_goes_on_at_its_keyframe(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(40_000, ssrc=0x99)
    bench.rtp(40_001, IDR_SLICE, ssrc=0x99, now_s=1.0)
    assert bench.video_indices == [FIRST, FIRST + 1]
    assert bench.publisher.tracks[0].ssrc == 0x99


def test_ssrc_that_was_left_is_not_taken_up_again(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(40_000, IDR_SLICE, ssrc=0x99)
    bench.rtp(101)
    assert bench.publisher.tracks[0].ssrc == 0x99
    assert bench.video_indices == [FIRST, FIRST + 1]


def test_numbers_that_restart_go_on_at_a_keyframe(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(101)
    for step, payload in enumerate((DELTA_SLICE, DELTA_SLICE, IDR_SLICE, DELTA_SLICE)):
        bench.rtp(30_000 + step, payload, now_s=1.0)
    assert bench.video_indices == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
    assert len(bench.publisher.tracks[0].nacks) == 0


def test_loss_is_counted_anew_after_a_restart(bench: Bench) -> None:
    bench.keyframe()
    for sequence_number in (30_000, 30_001, 30_002):
        bench.rtp(sequence_number, IDR_SLICE)
    reception = bench.publisher.tracks[0].reception
    assert reception is not None
    assert (reception.restarts, reception.packets_lost) == (1, 0)


def test_outage_of_more_than_can_be_asked_for_asks_for_a_keyframe(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(100 + 2000)
    assert bench.session.sent(rtcp.PictureLossIndication) != []
    assert len(bench.publisher.tracks[0].nacks) == 0


# Extensions


def test_elements_for_viewers_travel_with_the_packet(bench: Bench) -> None:
    assert elements_of(bench, (VIDEO_ORIENTATION, b"\1"), (COLOR_SPACE, b"rgb!"), (MID, b"0")) == {
        VIDEO_ORIENTATION: b"\1",
        COLOR_SPACE: b"rgb!",
    }


@pytest.mark.parametrize(
    "element",
    [(VIDEO_ORIENTATION, b""), (VIDEO_ORIENTATION, b"12"), (COLOR_SPACE, bytes(200)), (ABS_CAPTURE_TIME, bytes(9))],
)
def test_element_of_a_length_that_its_extension_does_not_have_is_left_out(
    bench: Bench, element: tuple[str, bytes]
) -> None:
    assert elements_of(bench, element) == {}


def test_capture_time_stays_the_studios_and_its_clock_unknown_at_first(bench: Bench) -> None:
    studio = AbsCaptureTime(123 << 32, 45)
    carried = elements_of(bench, (ABS_CAPTURE_TIME, studio.serialize()))[ABS_CAPTURE_TIME]
    assert parse_abs_capture_time(carried) == AbsCaptureTime(123 << 32, None)


@pytest.mark.parametrize("skew_s", [3600.0, -3600.0])
def test_capture_time_says_how_the_studios_clock_stands_to_ours(bench: Bench, skew_s: float) -> None:
    bench.keyframe()
    studio_ntp = (CLOCK.ntp(1.0) + int(skew_s * (1 << 32))) & 0xFFFFFFFFFFFFFFFF
    bench.publisher.on_rtcp([rtcp.SenderReport(VIDEO_SSRC, studio_ntp, 0, 1, 1)], 1.0)
    bench.rtp(101, elements=((ABS_CAPTURE_TIME, AbsCaptureTime(5 << 32).serialize()),), now_s=1.0)
    packet = bench.stream.tracks["video"].cache.packet(FIRST + 1)
    assert packet is not None
    capture = parse_abs_capture_time(dict(packet.elements)[ABS_CAPTURE_TIME])
    assert capture.ntp_timestamp == 5 << 32
    assert capture.clock_offset is not None
    assert capture.clock_offset / (1 << 32) == pytest.approx(skew_s, abs=1e-6)


# NACK


def test_missing_packets_are_asked_for(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(104)
    bench.publisher.tick(0.01)
    (nack,) = bench.session.sent(rtcp.GenericNack)
    assert (nack.media_ssrc, nack.sequence_numbers) == (VIDEO_SSRC, (101, 102, 103))
    assert bench.publisher.tracks[0].nacks_sent == 3


def test_missing_packets_over_the_wrap_are_asked_for(bench: Bench) -> None:
    bench.keyframe(65534)
    bench.rtp(1)
    bench.publisher.tick(0.01)
    (nack,) = bench.session.sent(rtcp.GenericNack)
    assert nack.sequence_numbers == (65535, 0)


def test_feedback_stands_behind_a_report(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(102)
    bench.publisher.tick(0.01)
    (compound,) = (c for c in bench.session.compounds if any(isinstance(p, rtcp.GenericNack) for p in c))
    assert isinstance(compound[0], rtcp.ReceiverReport)


def test_publisher_without_nack_is_not_asked() -> None:
    bench = Bench(replace(VIDEO, feedback=frozenset({"nack pli"})), AUDIO)
    bench.keyframe()
    bench.rtp(102)
    bench.publisher.tick(0.01)
    assert bench.session.sent(rtcp.GenericNack) == []
    assert bench.publisher.tracks[0].nacks_sent == 0


def test_packet_that_never_comes_is_a_lost_frame_and_asks_for_a_keyframe(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(103, timestamp=3000)
    for tick in range(200):
        bench.publisher.tick(tick / 100)
    assert bench.publisher.figures.frames_lost == 1
    assert bench.publisher.tracks[0].nacks.abandoned == 2
    assert len(bench.session.sent(rtcp.PictureLossIndication)) == 1


def test_outage_too_long_to_ask_for_costs_the_frames_that_were_in_it(bench: Bench) -> None:
    bench.keyframe()
    for step in range(1, 4):
        bench.rtp(100 + step, timestamp=3000 * step, marker=True)
    bench.rtp(105 + MAX_MISSING, timestamp=3000 * 33, marker=True)
    assert bench.publisher.figures.frames_lost == 29
    assert bench.publisher.figures.packets_lost == MAX_MISSING + 1


def test_frame_with_an_oversized_packet_is_counted_once(bench: Bench) -> None:
    bench.keyframe()
    for sequence_number in (102, 103):
        bench.rtp(sequence_number, bytes(MAX_PAYLOAD_BYTES + 1), timestamp=3000)
    bench.rtp(104, bytes(MAX_PAYLOAD_BYTES + 1), timestamp=6000)
    bench.rtp(7, bytes(MAX_PAYLOAD_BYTES + 1), payload_type=AUDIO_TYPE, ssrc=AUDIO_SSRC)
    assert (bench.publisher.figures.frames_oversized, bench.publisher.figures.oversized) == (2, 4)


def test_audio_that_never_comes_asks_for_no_keyframe(bench: Bench) -> None:
    for sequence_number in (5, 7):
        bench.rtp(sequence_number, b"opus", payload_type=AUDIO_TYPE, ssrc=AUDIO_SSRC)
    for tick in range(200):
        bench.publisher.tick(tick / 100)
    assert bench.publisher.figures.frames_lost == 0
    assert bench.publisher.figures.video_expected == 0
    assert bench.session.sent(rtcp.PictureLossIndication) == []


# Reports and transport-wide feedback


def test_reports_go_out_once_an_interval(bench: Bench) -> None:
    bench.keyframe()
    for tick in range(301):
        bench.publisher.tick(tick / 100)
    reports = [report for report in bench.session.sent(rtcp.ReceiverReport) if report.reports]
    assert len(reports) == int(3.0 / REPORT_INTERVAL_S) + 1


def test_report_tells_of_every_track_and_names_us(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(102)
    bench.rtp(5, b"opus", payload_type=AUDIO_TYPE, ssrc=AUDIO_SSRC)
    bench.publisher.on_rtcp([rtcp.SenderReport(VIDEO_SSRC, 7 << 32, 0, 1, 1)], 0.5)
    bench.publisher.tick(1.0)
    compound = bench.session.compounds[-1]
    report, names, extended = compound
    assert isinstance(report, rtcp.ReceiverReport)
    video, audio = report.reports
    assert (video.ssrc, video.packets_lost, video.highest_sequence_number) == (VIDEO_SSRC, 1, 102)
    assert (video.last_sr, video.delay_since_last_sr) == (7 << 16, 32768)
    assert (audio.ssrc, audio.packets_lost) == (AUDIO_SSRC, 0)
    assert names == rtcp.SourceDescription(((report.ssrc, "railbird"),))
    assert extended == rtcp.ExtendedReport(report.ssrc, (rtcp.ReceiverReferenceTime(CLOCK.ntp(1.0)),))


def test_round_trip_is_measured_by_the_answer_to_our_reference_time(bench: Bench) -> None:
    bench.publisher.tick(1.0)
    (extended,) = bench.session.sent(rtcp.ExtendedReport)
    (reference,) = extended.blocks
    assert isinstance(reference, rtcp.ReceiverReferenceTime)
    answer = rtcp.DlrrReport(extended.ssrc, ntp_middle32(reference.ntp_timestamp), int(0.2 * 65536))
    bench.publisher.on_rtcp([rtcp.ExtendedReport(9, (rtcp.Dlrr((answer,)),))], 1.25)
    assert bench.publisher.round_trip_s == pytest.approx(0.05, abs=1e-4)
    assert bench.round_trips_s == [bench.publisher.round_trip_s]


def test_answer_to_somebody_elses_reference_time_is_not_taken(bench: Bench) -> None:
    answer = rtcp.DlrrReport(1, ntp_middle32(CLOCK.ntp(1.0)), 0)
    bench.publisher.on_rtcp([rtcp.ExtendedReport(9, (rtcp.Dlrr((answer,)),))], 1.25)
    assert bench.publisher.round_trip_s is None


def test_sender_report_ties_the_track_to_our_clock(bench: Bench) -> None:
    bench.keyframe()
    bench.publisher.on_rtcp([rtcp.SenderReport(VIDEO_SSRC, ntp_from_seconds(5), 9000, 1, 1)], 2.0)
    track = bench.stream.tracks["video"]
    assert track.clock.timestamp_at(CLOCK.ntp(2.0)) == track.rewriter.outgoing_timestamp(9000)


def test_sender_report_before_the_first_packet_ties_the_track_once_that_is_here(bench: Bench) -> None:
    bench.publisher.on_rtcp([rtcp.SenderReport(VIDEO_SSRC, ntp_from_seconds(5), 9000, 1, 1)], 2.0)
    bench.rtp(100, IDR_SLICE, timestamp=18_000, now_s=2.3)
    track = bench.stream.tracks["video"]
    assert track.clock.timestamp_at(CLOCK.ntp(2.0)) == track.rewriter.outgoing_timestamp(9000)


def test_sender_reports_of_unknown_ssrcs_are_kept_only_so_far(bench: Bench) -> None:
    for ssrc in range(0x70, 0x70 + MAX_EARLY_REPORTS):
        bench.publisher.on_rtcp([rtcp.SenderReport(ssrc, ntp_from_seconds(5), 9000, 1, 1)], 1.0)
    bench.publisher.on_rtcp([rtcp.SenderReport(VIDEO_SSRC, ntp_from_seconds(5), 9000, 1, 1)], 2.0)
    bench.rtp(100, IDR_SLICE, timestamp=18_000, now_s=2.3)
    track = bench.stream.tracks["video"]
    assert track.clock.timestamp_at(CLOCK.ntp(2.3)) == track.rewriter.outgoing_timestamp(18_000)


def test_sender_report_without_a_wall_clock_ties_nothing(bench: Bench) -> None:
    bench.keyframe()
    track = bench.stream.tracks["video"]
    before = track.clock.timestamp_at(CLOCK.ntp(2.0))
    bench.publisher.on_rtcp([rtcp.SenderReport(VIDEO_SSRC, 0, 9000, 1, 1)], 2.0)
    assert track.clock.timestamp_at(CLOCK.ntp(2.0)) == before


def test_sender_report_of_an_unknown_ssrc_is_left_out(bench: Bench) -> None:
    bench.keyframe()
    track = bench.stream.tracks["video"]
    before = track.clock.timestamp_at(CLOCK.ntp(2.0))
    bench.publisher.on_rtcp([rtcp.SenderReport(0x77, ntp_from_seconds(5), 9000, 1, 1)], 2.0)
    assert track.clock.timestamp_at(CLOCK.ntp(2.0)) == before


def test_transport_feedback_goes_out_at_its_own_pace(bench: Bench) -> None:
    for tick in range(40):
        number = tick.to_bytes(2, "big")
        bench.rtp(100 + tick, IDR_SLICE, elements=((TRANSPORT_SEQUENCE_NUMBER, number),), now_s=tick / 100)
        bench.publisher.tick(tick / 100)
    feedback = bench.session.sent(rtcp.TransportFeedback)
    assert len(feedback) == pytest.approx(0.4 / FEEDBACK_INTERVAL_S, abs=1)
    assert [packet.feedback_packet_count for packet in feedback] == list(range(len(feedback)))
    assert feedback[0].media_ssrc == VIDEO_SSRC


def test_transport_wide_number_of_another_length_is_left_out(bench: Bench) -> None:
    bench.rtp(100, IDR_SLICE, elements=((TRANSPORT_SEQUENCE_NUMBER, b"123"), (VIDEO_ORIENTATION, b"12")))
    bench.publisher.tick(1.0)
    assert bench.session.sent(rtcp.TransportFeedback) == []


def test_without_keys_nothing_is_sent(bench: Bench) -> None:
    bench.keyframe()
    bench.rtp(102)
    bench.session.srtp = None
    bench.publisher.tick(5.0)
    assert bench.session.compounds == []


# Keyframes


def test_keyframe_is_asked_for_by_pli(bench: Bench) -> None:
    bench.keyframe()
    bench.publisher.request_keyframe(1.0)
    (request,) = bench.session.sent(rtcp.PictureLossIndication)
    assert request.media_ssrc == VIDEO_SSRC
    assert bench.session.sent(rtcp.FullIntraRequest) == []


def test_keyframe_is_asked_for_by_fir_where_there_is_no_pli() -> None:
    bench = Bench(replace(VIDEO, feedback=frozenset({"ccm fir"})))
    bench.keyframe()
    for second in range(3):
        bench.publisher.request_keyframe(float(second))
    requests = bench.session.sent(rtcp.FullIntraRequest)
    assert [request.entries for request in requests] == [((VIDEO_SSRC, number),) for number in (1, 2, 3)]


def test_publisher_that_listens_to_neither_is_not_asked() -> None:
    bench = Bench(replace(VIDEO, feedback=frozenset()))
    bench.keyframe()
    bench.publisher.request_keyframe(1.0)
    assert bench.session.compounds == []


def test_publisher_that_has_sent_no_video_is_not_asked(bench: Bench) -> None:
    bench.publisher.request_keyframe(1.0)
    assert bench.session.compounds == []


def test_takeover_closes_the_session(bench: Bench) -> None:
    bench.publisher.close("taken_over")
    assert bench.session.closed_by == "taken_over"
