import contextlib
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.clock import NTP_UNIX_OFFSET_S, ntp_from_seconds, ntp_middle32
from gateway.errors import WireError
from gateway.transport.srtp import SrtpSession
from gateway.wire import rtcp
from loadgen.players.holes import MAX_ASKED
from loadgen.players.reports import MAX_LOST, Reporter
from loadgen.players.track import MAX_SSRCS
from loadgen.players.video import CLOCK_RATE_HZ, VideoTrack
from tests.loadgen.players.origins import AUDIO_SSRC, AUDIO_TYPE, FRAME_S, T0_S, VIDEO_SSRC, Origin, Viewer

OURS = 0xABCD
FIRST = 1000


class Session:
    """A viewer with its reporter, and the server that reads what it sends."""

    def __init__(self, first: int = FIRST) -> None:
        self.viewer = Viewer()
        self.origin = Origin(self.viewer.server, index=first)
        self.reporter = Reporter(self.viewer.player, OURS)
        self.viewer.feed(self.origin.frame(10, is_keyframe=True), T0_S)

    @property
    def server(self) -> SrtpSession:
        return self.viewer.server

    @property
    def video(self) -> VideoTrack:
        assert self.viewer.receiver.video is not None
        return self.viewer.receiver.video

    def opened(self, datagram: bytes) -> list[rtcp.RtcpPacket]:
        return rtcp.parse_compound(self.server.opener.open_rtcp(datagram))

    def frame(self, size: int, lost: Iterable[int] = (), now_s: float = T0_S) -> None:
        packets = self.origin.frame(size)
        self.viewer.feed([packet for place, packet in enumerate(packets) if place not in list(lost)], now_s)

    def block(self, now_s: float = T0_S + 1.0) -> rtcp.ReportBlock:
        """Of video, in the report that is sent now."""
        report = self.opened(self.reporter.report(self.viewer.receiver.tracks, now_s))[0]
        assert isinstance(report, rtcp.ReceiverReport)
        return next(block for block in report.reports if block.ssrc == VIDEO_SSRC)

    def hear(self, *packets: rtcp.RtcpPacket, arrival_s: float = T0_S) -> None:
        self.reporter.on_compound(rtcp.serialize_compound(packets), arrival_s)


def ntp(unix_s: float) -> int:
    return ntp_from_seconds(unix_s + NTP_UNIX_OFFSET_S)


def test_report_is_a_receiver_report_with_cname_and_reference_time() -> None:
    session = Session()
    session.viewer.feed(Origin(session.server, AUDIO_SSRC, AUDIO_TYPE, index=7).frame(1))
    report, description, extended = session.opened(session.reporter.report(session.viewer.receiver.tracks, T0_S))
    assert isinstance(report, rtcp.ReceiverReport)
    assert report.ssrc == OURS
    assert [(block.ssrc, block.highest_sequence_number) for block in report.reports] == [
        (VIDEO_SSRC, FIRST + 9),
        (AUDIO_SSRC, 7),
    ]
    assert description == rtcp.SourceDescription(((OURS, "loadgen-0000abcd"),))
    assert extended == rtcp.ExtendedReport(OURS, (rtcp.ReceiverReferenceTime(ntp(T0_S)),))


def test_report_before_the_first_packet_has_no_blocks() -> None:
    session = Session()
    assert session.opened(session.reporter.report({}, T0_S))[0] == rtcp.ReceiverReport(OURS)


def test_block_of_a_stream_without_loss() -> None:
    session = Session()
    session.frame(10)
    assert session.block() == rtcp.ReportBlock(VIDEO_SSRC, 0, 0, FIRST + 19, session.block().jitter_rtp_ticks, 0, 0)


def test_highest_sequence_number_is_extended_by_the_cycles() -> None:
    session = Session(first=65_530)
    assert session.block().highest_sequence_number == 65_539 == 1 << 16 | 3


def test_fraction_lost_is_of_the_interval_and_the_loss_cumulative() -> None:
    session = Session()
    session.block()
    session.frame(40, lost=range(10, 20))
    block = session.block()
    assert (block.fraction_lost, block.packets_lost) == (10 * 256 // 40, 10)
    session.frame(40)
    block = session.block()
    assert (block.fraction_lost, block.packets_lost) == (0, 10)
    session.frame(20, lost=range(4, 5))
    block = session.block()
    assert (block.fraction_lost, block.packets_lost) == (256 // 20, 11)


def test_fraction_lost_saturates() -> None:
    session = Session()
    session.block()
    session.frame(400, lost=range(399))
    assert session.block().fraction_lost == 399 * 256 // 400 == 255


def test_repair_after_a_report_is_no_negative_fraction() -> None:
    session = Session()
    session.frame(40, lost=[10, 11])
    session.block()
    session.viewer.feed([session.origin.repeat(FIRST + 20)])
    block = session.block()
    assert (block.fraction_lost, block.packets_lost) == (0, 1)


def test_given_up_packets_stay_lost() -> None:
    session = Session()
    session.frame(40, lost=[10])
    session.video.give_up(FIRST + 20, T0_S)
    assert session.block().packets_lost == 1


def test_cumulative_loss_saturates() -> None:
    session = Session()
    session.video.lost = MAX_LOST + 5
    assert session.block().packets_lost == MAX_LOST


def test_block_after_a_restart_of_the_sequence_is_of_the_new_numbers() -> None:
    session = Session(first=40_000)
    session.block()
    session.origin.index = 65_536 + 5
    session.frame(10)
    block = session.block()
    assert (block.highest_sequence_number, block.fraction_lost, block.packets_lost) == (14, 0, 0)


def test_jitter_is_in_ticks() -> None:
    session = Session()
    session.frame(3, now_s=T0_S + FRAME_S + 0.016)
    assert session.block().jitter_rtp_ticks == pytest.approx(0.001 * CLOCK_RATE_HZ, abs=1)


def test_jitter_that_no_report_can_hold_saturates() -> None:
    session = Session()
    session.video.jitter_s = 1e9
    assert session.block().jitter_rtp_ticks == 0xFFFFFFFF


def test_last_sr_and_its_delay_are_told() -> None:
    session = Session()
    session.hear(rtcp.SenderReport(VIDEO_SSRC, ntp(T0_S), 0, 0, 0), arrival_s=T0_S + 0.25)
    block = session.block(T0_S + 0.75)
    assert (block.last_sr, block.delay_since_last_sr) == (ntp_middle32(ntp(T0_S)), 0x8000)


def test_sender_report_before_the_first_packet_is_remembered() -> None:
    session = Session()
    session.hear(rtcp.SenderReport(AUDIO_SSRC, 5 << 16, 0, 0, 0))
    session.viewer.feed(Origin(session.server, AUDIO_SSRC, AUDIO_TYPE).frame(1))
    report = session.opened(session.reporter.report(session.viewer.receiver.tracks, T0_S + 1.0))[0]
    assert isinstance(report, rtcp.ReceiverReport)
    assert [(block.last_sr, block.delay_since_last_sr) for block in report.reports] == [(0, 0), (5, 0x10000)]


def test_sender_reports_of_any_number_of_ssrcs_are_bounded() -> None:
    session = Session()
    for ssrc in range(100):
        session.hear(rtcp.SenderReport(ssrc, 5 << 16, 0, 0, 0))
    assert len(session.reporter._sources) == MAX_SSRCS
    assert session.block().last_sr == 0


def test_round_trip_is_measured_by_dlrr() -> None:
    session = Session()
    reference = ntp_middle32(ntp(T0_S))
    mine = rtcp.DlrrReport(OURS, reference, 0x8000)
    others = rtcp.DlrrReport(OURS + 1, reference, 0)
    none = rtcp.DlrrReport(OURS, 0, 0)
    block = rtcp.ExtendedReport(VIDEO_SSRC, (rtcp.Dlrr((others, mine, none)),))
    session.hear(block, arrival_s=T0_S + 0.5 + 0.0625)
    assert session.reporter.take_rtts_s() == pytest.approx([0.0625], abs=1 / 65536)
    assert session.reporter.take_rtts_s() == []


def test_goodbye_is_of_the_ssrcs_that_it_names() -> None:
    session = Session()
    assert not session.reporter.are_gone([])
    session.hear(rtcp.ReceiverReport(1), rtcp.Bye((VIDEO_SSRC,)))
    assert session.reporter.are_gone([VIDEO_SSRC])
    assert not session.reporter.are_gone([VIDEO_SSRC, VIDEO_SSRC + 1])
    session.hear(rtcp.ReceiverReport(1), rtcp.Bye((VIDEO_SSRC + 1,)))
    assert session.reporter.are_gone([VIDEO_SSRC, VIDEO_SSRC + 1])


def test_goodbyes_of_ever_new_ssrcs_are_not_remembered() -> None:
    session = Session()
    for first in range(1, 300, 30):
        session.hear(rtcp.ReceiverReport(1), rtcp.Bye(tuple(range(first, first + 30))))
    assert session.reporter.are_gone(range(1, MAX_SSRCS + 1))
    assert not session.reporter.are_gone([MAX_SSRCS + 1])


def test_nack_names_packets_by_their_sequence_numbers() -> None:
    session = Session()
    report, nack = session.opened(session.reporter.nack(VIDEO_SSRC, [65_537, 65_535, 65_600]))
    assert report == rtcp.ReceiverReport(OURS)
    assert nack == rtcp.GenericNack(OURS, VIDEO_SSRC, (65_535, 1, 64))


def test_largest_nack_parses_and_fits_a_datagram() -> None:
    session = Session()
    indices = list(range(0, MAX_ASKED * 20, 20))
    datagram = session.reporter.nack(VIDEO_SSRC, indices)
    assert session.opened(datagram)[1] == rtcp.GenericNack(OURS, VIDEO_SSRC, tuple(indices))
    assert len(datagram) < 1200


def test_pli_asks_for_a_keyframe_of_its_ssrc() -> None:
    session = Session()
    report, pli = session.opened(session.reporter.pli(VIDEO_SSRC))
    assert report == rtcp.ReceiverReport(OURS)
    assert pli == rtcp.PictureLossIndication(OURS, VIDEO_SSRC)


def test_own_ssrc_is_random_and_never_0() -> None:
    session = Session()
    ssrcs = {Reporter(session.viewer.player).ssrc for _ in range(50)}
    assert len(ssrcs) == 50
    assert 0 not in ssrcs


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=120),
        st.builds(
            lambda kind, count, body: bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2) + body,
            st.sampled_from([200, 201, 202, 203, 204, 205, 206, 207]),
            st.integers(0, 31),
            st.binary(max_size=30).map(lambda body: body * 4),
        ),
    ),
    st.sampled_from([0.0, T0_S]),
)
def test_compound_that_is_malformed_raises_wire_errors_only(compound: bytes, arrival_s: float) -> None:
    session = Session()
    with contextlib.suppress(WireError):
        session.reporter.on_compound(compound, arrival_s)
    session.block(T0_S + 5.0)
