"""A player's session: what it is told, and what is made of what it says."""

import pytest

from gateway.clock import WallClock, ntp_middle32
from gateway.stream.contract import VideoState
from gateway.stream.layout import Layout
from gateway.stream.timing import PublisherClock
from gateway.viewers.retransmission import RetransmissionFigures
from gateway.viewers.viewer import (
    FIRST_REPORT_INTERVAL_S,
    FIRST_REPORTS,
    REPORT_INTERVAL_S,
    Viewer,
    ViewerEvents,
    ViewerFigures,
)
from gateway.wire import rtcp
from gateway.wire.rtp import parse_header
from tests.stream.doubles import (
    H264,
    IDR_SLICE,
    OPUS,
    PlainSealer,
    RecordingSession,
    RecordingSource,
    incoming,
    layout_of,
    media_packet,
    srtp_of,
    stream_of,
)

FIRST = 1000
CLOCK = WallClock(1_700_000_000.0)
PLAYER_SSRC = 0x77


class Bench:
    """A player of a stream that has a keyframe of one packet and one audio packet."""

    def __init__(self, created_s: float = 0.0, *, connects: bool = True) -> None:
        self.session = RecordingSession("player", created_s)
        self.sealer = PlainSealer()
        self.stream, self.sender = stream_of(first_index=FIRST)
        self.feed("video", 70_000, IDR_SLICE)
        self.feed("audio", 5)
        self.stream.flush(0.0)
        self.layouts: dict[str, Layout] = {
            kind: layout_of(track, rtx_payload_type=97 if track.is_video else None)
            for kind, track in self.stream.tracks.items()
        }
        self.figures, self.retransmissions = ViewerFigures(), RetransmissionFigures()
        self.events: list[tuple[str, float | str]] = []
        self.viewer = Viewer(
            self.session.as_session(),
            self.stream,
            self.layouts,
            self.sender,
            CLOCK,
            self.figures,
            self.retransmissions,
            ViewerEvents(
                lambda _viewer, seconds: self.events.append(("joined", seconds)),
                lambda _viewer, _seconds: self.events.append(("first frame", 0.0)),
                lambda _viewer, seconds: self.events.append(("round trip", seconds)),
                lambda _viewer, cause: self.events.append(("closed", cause)),
            ),
        )
        if connects:
            self.connect()

    def connect(self, now_s: float = 0.0) -> None:
        self.viewer.on_connected(srtp_of(self.sealer), now_s)

    def feed(self, kind: str, sequence_number: int, payload: bytes = b"opus", now_s: float = 0.0) -> None:
        packet = incoming(sequence_number, 0, payload, arrival_s=now_s)
        self.stream.feed(self.stream.tracks[kind], packet, CLOCK.ntp(now_s))

    def ssrc(self, kind: str) -> int:
        return self.stream.tracks[kind].ssrc

    def reports(self, kind: str) -> list[rtcp.SenderReport]:
        return [report for report in self.session.sent(rtcp.SenderReport) if report.ssrc == self.ssrc(kind)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


# Joining


def test_connected_player_watches(bench: Bench) -> None:
    outlet = bench.viewer.outlet
    assert outlet is not None
    assert outlet.address == bench.session.address
    assert outlet.video is VideoState.LIVE
    assert bench.sender.video_to(outlet) == [FIRST]
    assert bench.stream.viewers == 1


def test_joining_is_told_with_the_time_since_the_post() -> None:
    bench = Bench(created_s=10.0, connects=False)
    bench.connect(10.25)
    assert ("joined", 0.25) in bench.events
    assert ("first frame", 0.0) in bench.events


def test_sealer_is_told_where_each_ssrc_begins(bench: Bench) -> None:
    video, audio = bench.stream.tracks["video"], bench.stream.tracks["audio"]
    assert set(bench.sealer.started_at) == {video.ssrc, video.rtx_ssrc, audio.ssrc, audio.rtx_ssrc}
    assert bench.sealer.started_at[video.ssrc] == FIRST
    assert bench.sealer.started_at[audio.ssrc] == FIRST + 1


def test_report_goes_out_before_the_first_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(connects=False)
    sent_before: list[int] = []
    monkeypatch.setattr(bench.session, "send_rtcp", lambda _packets: sent_before.append(len(bench.sender.datagrams)))
    bench.connect()
    assert sent_before == [0]
    assert bench.sender.datagrams != []


def test_player_whose_track_was_replaced_meanwhile_is_sent_away() -> None:
    bench = Bench(connects=False)
    old = bench.stream.tracks["video"]
    bench.stream.tracks["video"] = type(old)(H264, bench.stream._random)
    assert bench.stream.tracks["video"].ssrc != old.ssrc
    bench.connect()
    assert bench.session.closed_by == "stream_changed"
    assert bench.viewer.outlet is None


def test_player_whose_track_is_gone_is_sent_away() -> None:
    bench = Bench(connects=False)
    del bench.stream.tracks["audio"]
    bench.connect()
    assert bench.session.closed_by == "stream_changed"


def test_player_that_left_watches_no_more(bench: Bench) -> None:
    bench.viewer.on_closed("peer_left")
    assert bench.stream.viewers == 0
    assert ("closed", "peer_left") in bench.events


def test_player_that_left_before_it_was_connected_is_told_of() -> None:
    bench = Bench(connects=False)
    bench.viewer.on_closed("dtls_failed")
    assert bench.events == [("closed", "dtls_failed")]


def test_new_address_is_where_packets_go(bench: Bench) -> None:
    bench.viewer.on_moved(("elsewhere", 6000))
    bench.feed("audio", 6)
    bench.stream.flush(0.0)
    assert bench.sender.datagrams[-1].address == ("elsewhere", 6000)


def test_new_address_before_the_keys_is_no_error() -> None:
    Bench(connects=False).viewer.on_moved(("elsewhere", 6000))


def test_media_of_players_is_refused(bench: Bench) -> None:
    packet = media_packet(5)
    assert not bench.viewer.wants_rtp(parse_header(bench.layouts["video"].header(packet) + packet.payload))


# Sender reports


def test_sender_report_is_in_the_gateways_clock(bench: Bench) -> None:
    track, clock = bench.stream.tracks["video"], PublisherClock()
    studio_ntp = 5 << 32
    clock.on_sender_report(studio_ntp, CLOCK.ntp(1.0))
    bench.stream.on_sender_report(track, studio_ntp, 9000, clock)
    bench.viewer.report(3.0)
    report = bench.reports("video")[-1]
    assert report.ntp_timestamp == CLOCK.ntp(3.0)
    expected = track.rewriter.outgoing_timestamp(9000 + 2 * 90_000)
    assert (report.rtp_timestamp - expected + 1) & 0xFFFFFFFF <= 2


def test_sender_report_counts_from_where_the_player_joined(bench: Bench) -> None:
    for number in range(3):
        bench.feed("audio", 6 + number, b"12345")
    bench.stream.flush(1.0)
    bench.viewer.report(1.0)
    first, second = bench.reports("audio")
    assert (first.packet_count, first.octet_count) == (0, 0)
    assert (second.packet_count, second.octet_count) == (3, 15)


def test_report_tells_of_every_track_and_names_us(bench: Bench) -> None:
    (compound,) = bench.session.compounds
    video, audio, names = compound
    assert isinstance(video, rtcp.SenderReport)
    assert isinstance(audio, rtcp.SenderReport)
    assert {video.ssrc, audio.ssrc} == {bench.ssrc("video"), bench.ssrc("audio")}
    assert names == rtcp.SourceDescription(((video.ssrc, "railbird"), (audio.ssrc, "railbird")))


def test_report_before_any_packet_is_left_out() -> None:
    bench = Bench(connects=False)
    bench.stream.tracks.clear()
    bench.stream.attach(RecordingSource(), [H264, OPUS], 0.0)
    bench.layouts.clear()
    bench.layouts.update({kind: layout_of(track) for kind, track in bench.stream.tracks.items()})
    bench.connect()
    assert bench.session.compounds == []


def test_reports_go_out_often_at_first_then_once_an_interval(bench: Bench) -> None:
    quick_s = (FIRST_REPORTS - 1) * FIRST_REPORT_INTERVAL_S
    for tick in range(1, 1 + round((quick_s + 2 * REPORT_INTERVAL_S + 0.2) * 10)):
        bench.viewer.tick(tick / 10)
    assert len(bench.reports("video")) == FIRST_REPORTS + 2


def test_reports_go_out_often_again_when_another_studio_takes_over(bench: Bench) -> None:
    for tick in range(1, 60):
        bench.viewer.tick(tick / 10)
    before = len(bench.reports("video"))
    bench.viewer.expect_new_clock()
    bench.viewer.tick(6.0)
    bench.viewer.tick(6.0 + FIRST_REPORT_INTERVAL_S)
    assert len(bench.reports("video")) == before + 2


def test_player_without_keys_is_told_nothing() -> None:
    bench = Bench(connects=False)
    bench.viewer.tick(10.0)
    bench.viewer.say_bye()
    assert bench.session.compounds == []


def test_goodbye_names_every_track(bench: Bench) -> None:
    bench.viewer.say_bye()
    report, bye = bench.session.compounds[-1]
    assert isinstance(report, rtcp.ReceiverReport)
    assert isinstance(bye, rtcp.Bye)
    assert set(bye.ssrcs) == {bench.ssrc("video"), bench.ssrc("audio")}


# Round trips


def reference(ntp_timestamp: int) -> rtcp.ExtendedReport:
    return rtcp.ExtendedReport(PLAYER_SSRC, (rtcp.ReceiverReferenceTime(ntp_timestamp),))


def test_reference_time_is_answered_with_the_delay_since(bench: Bench) -> None:
    bench.viewer.on_rtcp([reference(0x1122_3344_5566_7788)], 1.0)
    bench.viewer.report(1.5)
    (answer,) = bench.session.sent(rtcp.ExtendedReport)
    assert answer.blocks == (rtcp.Dlrr((rtcp.DlrrReport(PLAYER_SSRC, 0x3344_5566, 32768),)),)


def test_reference_time_is_answered_once_and_the_newest_counts(bench: Bench) -> None:
    bench.viewer.on_rtcp([reference(1 << 16)], 1.0)
    bench.viewer.on_rtcp([reference(2 << 16)], 1.25)
    bench.viewer.report(1.5)
    bench.viewer.report(2.5)
    (answer,) = bench.session.sent(rtcp.ExtendedReport)
    assert answer.blocks == (rtcp.Dlrr((rtcp.DlrrReport(PLAYER_SSRC, 2, 16384),)),)


def receiver_report(*blocks: rtcp.ReportBlock) -> list[rtcp.RtcpPacket]:
    return [rtcp.ReceiverReport(PLAYER_SSRC, blocks)]


def report_block(ssrc: int, *, packets_lost: int = 0, last_sr: int = 0, delay: int = 0) -> rtcp.ReportBlock:
    return rtcp.ReportBlock(ssrc, 0, packets_lost, 0, 0, last_sr, delay)


def test_round_trip_is_measured_by_receiver_reports(bench: Bench) -> None:
    (sent,) = bench.reports("video")
    block = report_block(bench.ssrc("video"), last_sr=ntp_middle32(sent.ntp_timestamp), delay=32768)
    bench.viewer.on_rtcp(receiver_report(block), 0.54)
    assert bench.viewer.round_trip_s == pytest.approx(0.04, abs=1e-4)
    assert bench.events[-1] == ("round trip", bench.viewer.round_trip_s)


def test_round_trip_before_any_sender_report_is_not_known(bench: Bench) -> None:
    bench.viewer.on_rtcp(receiver_report(report_block(bench.ssrc("video"))), 0.54)
    assert bench.viewer.round_trip_s is None


def test_loss_is_what_is_more_than_ever_before(bench: Bench) -> None:
    ssrc = bench.ssrc("video")
    for packets_lost in (3, 5, 5, 2, 4):
        bench.viewer.on_rtcp(receiver_report(report_block(ssrc, packets_lost=packets_lost)), 1.0)
    assert bench.figures.packets_lost == 5


def test_reports_about_unknown_ssrcs_are_left_out(bench: Bench) -> None:
    bench.viewer.on_rtcp(receiver_report(report_block(0x99, packets_lost=50, last_sr=1)), 1.0)
    assert bench.figures.packets_lost == 0
    assert bench.viewer.round_trip_s is None


# Feedback


def test_nack_is_answered(bench: Bench) -> None:
    nack = rtcp.GenericNack(PLAYER_SSRC, bench.ssrc("video"), (FIRST, FIRST + 7))
    bench.viewer.on_rtcp([nack], 1.0)
    assert bench.figures.nacked_packets == 2
    assert (bench.retransmissions.by_rtx, bench.retransmissions.unknown) == (1, 1)
    assert bench.sender.datagrams[-1].payload_type == 97


def test_nack_for_audio_is_answered_by_the_identical_packet(bench: Bench) -> None:
    bench.feed("audio", 6)
    bench.stream.flush(0.5)
    bench.viewer.on_rtcp([rtcp.GenericNack(PLAYER_SSRC, bench.ssrc("audio"), (FIRST + 1,))], 1.0)
    assert bench.retransmissions.identical == 1
    assert bench.sender.datagrams[-1] == bench.sender.datagrams[-2]


def test_nack_for_an_unknown_ssrc_is_left_out(bench: Bench) -> None:
    bench.viewer.on_rtcp([rtcp.GenericNack(PLAYER_SSRC, 0x99, (FIRST,))], 1.0)
    assert bench.figures.nacked_packets == 0


@pytest.mark.parametrize(
    "request_packet", [rtcp.PictureLossIndication(PLAYER_SSRC, 1), rtcp.FullIntraRequest(PLAYER_SSRC, ((1, 1),))]
)
def test_keyframe_request_is_passed_on(bench: Bench, request_packet: rtcp.RtcpPacket) -> None:
    bench.viewer.on_rtcp([request_packet], 1.0)
    assert isinstance(bench.stream.source, RecordingSource)
    assert bench.stream.source.keyframe_requests_s == [1.0]
    assert bench.figures.keyframe_requests == 1


def test_feedback_before_the_keys_is_no_error() -> None:
    bench = Bench(connects=False)
    bench.viewer.on_rtcp([rtcp.GenericNack(1, bench.ssrc("video"), (FIRST,)), reference(1)], 1.0)
    assert bench.sender.datagrams == []
