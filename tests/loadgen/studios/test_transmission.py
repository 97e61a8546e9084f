import itertools
import math
from collections.abc import Sequence

import pytest

from gateway.clock import NTP_UNIX_OFFSET_S
from gateway.wire import rtcp
from gateway.wire.header_extensions import parse_abs_capture_time
from gateway.wire.serial import delta32
from loadgen.figures import StudioCounts
from loadgen.studios.clip import Clip
from loadgen.studios.outgoing_track import OutgoingTrack, Ssrcs
from loadgen.studios.packetizer import Pacing
from loadgen.studios.stamps import Stamp, find_stamp
from loadgen.studios.transmission import MAX_CATCH_UP_S, MAX_RTCP_SSRCS, Instant, Transmission
from tests.loadgen.studios.clips import FRAME_TICKS, packetized, synthetic
from tests.loadgen.studios.receiver import AUDIO, AUDIO_TYPE, CAPTURE_TIME_ID, RTX_TYPE, VIDEO, VIDEO_TYPE, Receiver

UNIX_S = 1_790_000_000
FRAME_S = 1 / 30
SERVER_SSRC = 77


class Air:
    """A transmission on virtual time, and its receiver."""

    def __init__(self, clip: Clip | None = None, pacing: Pacing = "burst") -> None:
        self.receiver = Receiver()
        self.counts = StudioCounts()
        self.sent_at_s: list[float] = []
        """Of each RTP packet."""
        self.now_s = 0.0
        wanted = packetized(clip, pacing)
        numbers = itertools.count()
        sealer = self.receiver.studio.sealer
        tracks = {"video": OutgoingTrack(VIDEO, Ssrcs(1000, 2000), sealer, numbers)}
        if wanted.audio:
            tracks["audio"] = OutgoingTrack(AUDIO, Ssrcs(3000, None), sealer, numbers)
        self.transmission = Transmission(wanted, tracks, self.receiver.studio, self._take, self.counts, self.instant())

    def instant(self) -> Instant:
        return Instant(self.now_s, int((UNIX_S + self.now_s) * 1e9))

    def _take(self, datagrams: Sequence[bytes]) -> None:
        count = len(self.receiver.packets)
        for datagram in datagrams:
            self.receiver.take(datagram)
        self.sent_at_s += [self.now_s] * (len(self.receiver.packets) - count)

    def run(self, until_s: float, late_s: float = 0.0) -> None:
        """Each time at the instant when something is due, or so much later."""
        while (due_s := max(self.transmission.next_due_s + late_s, self.now_s)) <= until_s + 1e-9:
            self.now_s = due_s
            self.transmission.run_due(self.instant())
        self.now_s = until_s

    def feed(self, *packets: rtcp.RtcpPacket) -> None:
        self.transmission.on_rtcp(self.receiver.feedback(*packets), self.instant())

    def frames(self) -> list[tuple[float, int, int]]:
        """(when its first packet was sent, its timestamp since the first frame's, the frame of the clip)."""
        found = []
        first: int | None = None
        for packet, sent_s in zip(self.receiver.packets, self.sent_at_s, strict=True):
            if packet.header.payload_type != VIDEO_TYPE:
                continue
            first = packet.header.timestamp if first is None else first
            if packet.header.marker:
                found.append((sent_s, delta32(packet.header.timestamp, first), packet.payload[-1] - 1))
        return found

    def stamps(self) -> list[Stamp]:
        found = (find_stamp([packet.payload]) for packet in self.receiver.of(VIDEO_TYPE))
        return [stamp for stamp in found if stamp is not None]

    def sender_reports(self) -> list[rtcp.SenderReport]:
        return [report for report in self.receiver.reports if isinstance(report, rtcp.SenderReport)]


def test_frames_leave_at_their_times_and_the_clip_is_looped() -> None:
    air = Air()
    air.run(1.0)
    frames = air.frames()
    assert len(frames) == 31
    for number, (sent_s, timestamp, shown) in enumerate(frames):
        assert sent_s == pytest.approx(number * FRAME_S)
        assert timestamp == number * FRAME_TICKS
        assert shown == number % 8
    assert air.counts.frames == 31
    assert air.counts.keyframes == 8


def test_each_frame_carries_its_time_twice() -> None:
    air = Air()
    air.run(0.5)
    stamps = air.stamps()
    assert [stamp.frame_number for stamp in stamps] == list(range(16))
    captured = [packet for packet in air.receiver.of(VIDEO_TYPE) if CAPTURE_TIME_ID in packet.elements]
    assert len(captured) == 16
    for number, (stamp, packet) in enumerate(zip(stamps, captured, strict=True)):
        assert stamp.unix_ns / 1e9 - UNIX_S == pytest.approx(number * FRAME_S, abs=1e-6)
        ntp = parse_abs_capture_time(packet.elements[CAPTURE_TIME_ID]).ntp_timestamp
        assert ntp / 2**32 - NTP_UNIX_OFFSET_S == pytest.approx(stamp.unix_ns / 1e9, abs=1e-5)
        assert find_stamp([packet.payload]) == stamp, "both in the first packet"


def test_audio_leaves_every_20_ms_without_marker() -> None:
    air = Air()
    air.run(1.0)
    audio = air.receiver.of(AUDIO_TYPE)
    stamps = [packet.header.timestamp for packet in audio]
    assert [delta32(timestamp, stamps[0]) for timestamp in stamps[:13]] == [number * 960 for number in range(13)]
    # A clip of 8 frames has 13 packets of sound and a third of one: what is over is no packet.
    assert delta32(stamps[13], stamps[0]) == 8 * 1600
    assert not any(packet.header.marker for packet in audio)


def test_counts_are_of_what_was_sent() -> None:
    air = Air()
    air.run(2.0)
    assert air.counts.packets == len(air.receiver.packets)
    assert air.counts.bytes == sum(len(packet.datagram) for packet in air.receiver.packets)
    assert air.counts.retransmissions == 0


def test_paced_frame_is_spread_and_stays_in_order() -> None:
    air = Air(synthetic(slice_bytes=20_000), pacing="paced")
    air.run(0.5)
    first = [
        sent_s
        for packet, sent_s in zip(air.receiver.packets, air.sent_at_s, strict=True)
        if packet.header.payload_type == VIDEO_TYPE
        and packet.header.timestamp == air.receiver.of(VIDEO_TYPE)[0].header.timestamp
    ]
    assert first[-1] - first[0] == pytest.approx(0.010, abs=0.006)
    frames = air.frames()
    assert [shown for _sent_s, _timestamp, shown in frames[:8]] == list(range(8))
    numbers = [packet.header.sequence_number for packet in air.receiver.of(VIDEO_TYPE)]
    assert all((later - earlier) & 0xFFFF == 1 for earlier, later in itertools.pairwise(numbers))


def test_lateness_is_made_up_for_and_told() -> None:
    air = Air()
    air.run(0.5)
    air.now_s = 0.9
    air.transmission.run_due(air.instant())
    assert air.transmission.lateness_s == pytest.approx(0.9 - 0.507, abs=0.001), "since the next sound was due"
    air.run(1.0)
    frames = air.frames()
    assert len(frames) == 31, "none is left out"
    assert frames[-1][0] == pytest.approx(1.0), "and what follows is on time"


def test_studio_that_was_stopped_goes_on_live() -> None:
    air = Air()
    air.run(0.5)
    before = len(air.frames())
    air.now_s += MAX_CATCH_UP_S + 2.0
    air.transmission.run_due(air.instant())
    frames = air.frames()
    assert len(frames) == before + 1
    assert frames[-1][1] == pytest.approx(air.now_s * 90_000, abs=2)
    assert frames[-1][2] % 4 == 0, "a keyframe"


def test_pause_sends_nothing_and_goes_on_at_live_time_with_a_keyframe() -> None:
    air = Air()
    air.run(0.5)
    count, reports = len(air.receiver.packets), len(air.receiver.reports)
    air.transmission.pause(air.now_s + 2.0)
    air.run(2.49)
    assert len(air.receiver.packets) == count
    assert len(air.receiver.reports) == reports
    air.run(4.0)
    frames = air.frames()
    sent_s, timestamp, shown = frames[16]
    assert sent_s == pytest.approx(2.5)
    assert timestamp == pytest.approx(2.5 * 90_000, abs=2)
    assert shown == 0, "frame 16 would have been frame 0 of the clip anyway"
    assert frames[17][0] == pytest.approx(2.5 + FRAME_S)
    audio_s = [
        s for p, s in zip(air.receiver.packets, air.sent_at_s, strict=True) if p.header.payload_type == AUDIO_TYPE
    ]
    assert max(later - earlier for earlier, later in itertools.pairwise(audio_s)) == pytest.approx(2.0, abs=0.03)


def test_pause_in_the_middle_of_a_group_skips_to_its_end() -> None:
    air = Air()
    air.run(0.55)
    air.transmission.pause(air.now_s + 0.5)
    air.run(1.5)
    shown = [shown for _sent_s, _timestamp, shown in air.frames()]
    assert shown[15:19] == [7, 0, 4, 5]


def test_keyframe_request_skips_to_the_next_keyframe_once_a_second() -> None:
    air = Air(synthetic(frames=120, keyframe_every=60))
    air.run(0.1)
    air.feed(rtcp.PictureLossIndication(SERVER_SSRC, 1000))
    air.run(0.5)
    air.feed(rtcp.PictureLossIndication(SERVER_SSRC, 1000))
    air.run(2.0)
    frames = air.frames()
    assert [shown for _sent_s, _timestamp, shown in frames[:6]] == [0, 1, 2, 3, 60, 61]
    keyframes_s = [round(sent_s, 2) for sent_s, _timestamp, shown in frames if shown in (0, 60)]
    assert keyframes_s == [0.0, 0.13, 1.13]
    assert [timestamp for _sent_s, timestamp, _shown in frames] == [
        number * FRAME_TICKS for number in range(len(frames))
    ]
    assert air.counts.plis_received == 2


def test_keyframe_that_comes_anyway_answers_the_request() -> None:
    air = Air(synthetic(frames=120, keyframe_every=60))
    air.feed(rtcp.PictureLossIndication(SERVER_SSRC, 1000))
    air.run(1.5)
    assert [shown for _sent_s, _timestamp, shown in air.frames()] == list(range(46))


def test_sound_skips_with_the_picture() -> None:
    air = Air(synthetic(frames=120, keyframe_every=60))
    air.run(0.5)
    air.feed(rtcp.PictureLossIndication(SERVER_SSRC, 1000))
    air.run(1.0)
    packets = zip(air.receiver.packets, air.sent_at_s, strict=True)
    audio = [(sent_s, packet.payload[1]) for packet, sent_s in packets if packet.header.payload_type == AUDIO_TYPE]
    after = [(sent_s, number * 0.02) for sent_s, number in audio if sent_s > 0.56]
    offset_s = {round(pts_s - sent_s, 3) for sent_s, pts_s in after}
    assert offset_s == {round(44 * FRAME_S, 3)}, "frames 16 to 59 were skipped"


def test_missing_packets_are_sent_again() -> None:
    air = Air()
    air.run(0.2)
    wanted = air.receiver.of(VIDEO_TYPE)[4].header.sequence_number
    audio = air.receiver.of(AUDIO_TYPE)[1]
    air.feed(rtcp.GenericNack(SERVER_SSRC, 1000, (wanted, (wanted - 100) & 0xFFFF)))
    assert [int.from_bytes(packet.payload[:2], "big") for packet in air.receiver.of(RTX_TYPE)] == [wanted]
    assert air.counts.nacks_received == 2
    assert air.counts.retransmissions == 1
    sent: list[bytes] = []
    air.transmission._send = sent.extend
    air.feed(rtcp.GenericNack(SERVER_SSRC, 3000, (audio.header.sequence_number,)))
    assert sent == [audio.datagram], "no RTX for sound: the identical packet"
    assert air.counts.packets == len(air.receiver.packets) - 1, "retransmissions are counted apart"


def test_reports_every_second_tell_both_tracks_and_answer_the_reference_time() -> None:
    air = Air()
    air.run(0.75)
    air.feed(rtcp.ExtendedReport(SERVER_SSRC, (rtcp.ReceiverReferenceTime(1234 << 32),)))
    air.run(3.5)
    reports = air.sender_reports()
    assert [report.ssrc for report in reports] == [1000, 3000] * 4
    last = reports[-2]
    expected = air.receiver.of(VIDEO_TYPE)[0].header.timestamp + 3 * 90_000
    assert delta32(last.rtp_timestamp, expected) == pytest.approx(0, abs=2)
    assert last.ntp_timestamp / 2**32 - NTP_UNIX_OFFSET_S == pytest.approx(UNIX_S + 3, abs=1e-3)
    (extended,) = [report for report in air.receiver.reports if isinstance(report, rtcp.ExtendedReport)]
    assert extended.blocks == (rtcp.Dlrr((rtcp.DlrrReport(SERVER_SSRC, 1234 << 16, 0x4000),)),)


@pytest.mark.parametrize("datagram", [b"\x80\xc9", b"\x80\xc8" + bytes(40)])
def test_what_is_no_rtcp_is_counted(datagram: bytes) -> None:
    air = Air()
    air.transmission.on_rtcp(datagram, air.instant())
    assert air.transmission.malformed == 1


def test_clip_without_sound_sends_none() -> None:
    air = Air(synthetic(has_audio=False))
    air.run(1.0)
    assert air.receiver.of(AUDIO_TYPE) == []
    assert {report.ssrc for report in air.sender_reports()} == {1000}
    assert air.transmission.next_due_s < math.inf


def test_reports_of_ever_new_ssrcs_are_not_remembered() -> None:
    air = Air()
    for ssrc in range(1, 100):
        air.feed(rtcp.ReceiverReport(ssrc), rtcp.PictureLossIndication(ssrc, 1000))
    assert air.counts.plis_received == MAX_RTCP_SSRCS
    air.feed(rtcp.ReceiverReport(1), rtcp.PictureLossIndication(1, 1000))
    assert air.counts.plis_received == MAX_RTCP_SSRCS + 1
    assert air.transmission.malformed == 0
