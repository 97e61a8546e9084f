"""A player's session: what it is sent, and what it says about it."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import WallClock, middle32_from_seconds, ntp_middle32, round_trip_s
from gateway.stream.contract import Outlet, Sender
from gateway.stream.layout import Layout
from gateway.stream.stream import Stream
from gateway.stream.track import Track
from gateway.transport.address import Address
from gateway.transport.data_channel import Channel, Receiver
from gateway.transport.session import Session
from gateway.transport.srtp import SrtpSession
from gateway.viewers.retransmission import RetransmissionFigures, Retransmitter
from gateway.wire import rtcp
from gateway.wire.rtp import RtpHeader

REPORT_INTERVAL_S = 2.5
"""Sender reports to a viewer: what its clock mapping and lip sync live on. RFC 3550 section 6.2 would allow 5 s."""

FIRST_REPORT_INTERVAL_S = 0.5
FIRST_REPORTS = 4
"""The first come faster: until it has had two or three, a player's clocks are guesses."""


@dataclass(slots=True)
class ViewerFigures:
    """Counters of one stream's viewers together."""

    nacked_packets: int = 0
    keyframe_requests: int = 0
    packets_lost: int = 0
    """As the viewers' receiver reports say."""


@dataclass(frozen=True, slots=True)
class ViewerEvents:
    """Whom a viewer tells, all called with (viewer, seconds) but `closed` with (viewer, cause)."""

    joined: Callable[["Viewer", float], None]
    """The keys are there: seconds since the POST."""
    first_frame: Callable[["Viewer", float], None]
    """The first keyframe has been sent whole: seconds since the POST."""
    round_trip: Callable[["Viewer", float], None]
    closed: Callable[["Viewer", str], None]
    channel: Callable[["Viewer", Channel], Receiver | None] = lambda _viewer, _channel: None
    """The player has opened the data channel `signals`: who takes it, None to refuse it (see `Peer.on_channel`)."""


class Viewer:
    """Implements `transport.peer.Peer`."""

    def __init__(
        self,
        session: Session,
        stream: Stream,
        layouts: dict[str, Layout],
        sender: Sender,
        clock: WallClock,
        figures: ViewerFigures,
        retransmissions: RetransmissionFigures,
        events: ViewerEvents,
    ) -> None:
        self.session = session
        self.stream = stream
        self.round_trip_s: float | None = None
        self.outlet: Outlet | None = None
        self._layouts = layouts
        self._sender = sender
        self._clock = clock
        self._figures = figures
        self._retransmission_figures = retransmissions
        self._events = events
        self._tracks: dict[int, Track] = {}
        self._retransmitters: dict[int, Retransmitter] = {}
        self._sent_before: dict[int, tuple[int, int]] = {}
        self._lost: dict[int, int] = {}
        self._reference: tuple[int, int, float] | None = None
        self._reports = 0
        self._next_report_s = 0.0

    # Peer

    def on_connected(self, srtp: SrtpSession, now_s: float) -> None:
        """See `Peer`: begin to watch."""
        address = self.session.address
        assert address is not None
        if any(self._track(kind, layout) is None for kind, layout in self._layouts.items()):
            self.session.close("stream_changed")
            return
        self.outlet = outlet = Outlet(srtp.sealer, address, self._layouts, self._on_video_started)
        for kind in self._layouts:
            track = self.stream.tracks[kind]
            self._tracks[track.ssrc] = track
            self._sent_before[track.ssrc] = (track.sent_packets, track.sent_bytes)
            self._retransmitters[track.ssrc] = Retransmitter(outlet, track, self._sender, self._retransmission_figures)
        self._events.joined(self, now_s - self.session.created_s)
        # The report goes first: with it the first frame already has a capture time.
        self.report(now_s)
        self.stream.join(outlet, now_s)

    def _track(self, kind: str, layout: Layout) -> Track | None:
        track = self.stream.tracks.get(kind)
        return track if track is not None and track.ssrc == layout.key.ssrc else None

    def on_moved(self, address: Address) -> None:
        """See `Peer`."""
        if self.outlet is not None:
            self.outlet.address = address

    def wants_rtp(self, header: RtpHeader) -> bool:
        """See `Peer`: players send no media."""
        return False

    def on_rtp(self, header: RtpHeader, payload: bytes, now_s: float) -> None:
        """See `Peer`: never called."""

    def on_rtcp(self, packets: list[rtcp.RtcpPacket], now_s: float) -> None:
        """See `Peer`."""
        for packet in packets:
            if isinstance(packet, rtcp.ReceiverReport | rtcp.SenderReport):
                self._on_reports(packet.reports, now_s)
            elif isinstance(packet, rtcp.GenericNack):
                self._on_nack(packet, now_s)
            elif isinstance(packet, rtcp.PictureLossIndication | rtcp.FullIntraRequest):
                self._figures.keyframe_requests += 1
                self.stream.request_keyframe(now_s)
            elif isinstance(packet, rtcp.ExtendedReport):
                self._on_extended_report(packet, now_s)

    def on_channel(self, channel: Channel) -> Receiver | None:
        """See `Peer`."""
        return self._events.channel(self, channel)

    def on_closed(self, cause: str) -> None:
        """See `Peer`."""
        if self.outlet is not None:
            self.stream.leave(self.outlet)
        self._events.closed(self, cause)

    # What it says

    def _on_nack(self, nack: rtcp.GenericNack, now_s: float) -> None:
        retransmitter = self._retransmitters.get(nack.media_ssrc)
        if retransmitter is not None:
            self._figures.nacked_packets += len(nack.sequence_numbers)
            retransmitter.answer(nack.sequence_numbers, now_s)

    def _on_reports(self, reports: tuple[rtcp.ReportBlock, ...], now_s: float) -> None:
        now_middle32 = ntp_middle32(self._clock.ntp(now_s))
        for block in reports:
            if block.ssrc not in self._tracks:
                continue
            # The highest so far: what was lost may still come, and be counted as lost again.
            lost = self._lost.get(block.ssrc, 0)
            self._lost[block.ssrc] = max(block.packets_lost, lost)
            self._figures.packets_lost += self._lost[block.ssrc] - lost
            measured = round_trip_s(now_middle32, block.last_sr, block.delay_since_last_sr)
            if measured is not None:
                self.round_trip_s = measured
                self._events.round_trip(self, measured)

    def _on_extended_report(self, report: rtcp.ExtendedReport, now_s: float) -> None:
        for block in report.blocks:
            if isinstance(block, rtcp.ReceiverReferenceTime):
                self._reference = (report.ssrc, ntp_middle32(block.ntp_timestamp), now_s)

    # What we say

    def expect_new_clock(self) -> None:
        """Another studio has taken the stream over: report often again, its clock is another one."""
        self._reports = 0
        self._next_report_s = 0.0

    def tick(self, now_s: float) -> None:
        """Report when it is time to. A few times a second."""
        if self.outlet is not None and now_s >= self._next_report_s:
            self.report(now_s)

    def report(self, now_s: float) -> None:
        """Sender reports of all tracks in the gateway's clock, and the answer to the player's reference time (RFC 3611
        4.5)."""
        self._reports += 1
        self._next_report_s = now_s + (FIRST_REPORT_INTERVAL_S if self._reports < FIRST_REPORTS else REPORT_INTERVAL_S)
        ntp = self._clock.ntp(now_s)
        reports = [report for track in self._tracks.values() if (report := self._sender_report(track, ntp)) is not None]
        if not reports:
            return
        names = rtcp.SourceDescription(tuple((report.ssrc, "railbird") for report in reports))
        self.session.send_rtcp([*reports, names, *self._delay_since_reference(reports[0].ssrc, now_s)])

    def _sender_report(self, track: Track, ntp: int) -> rtcp.SenderReport | None:
        timestamp = track.clock.timestamp_at(ntp)
        if timestamp is None:
            return None
        packets, octets = self._sent_before[track.ssrc]
        return rtcp.SenderReport(
            ssrc=track.ssrc,
            ntp_timestamp=ntp,
            rtp_timestamp=timestamp,
            packet_count=(track.sent_packets - packets) & 0xFFFFFFFF,
            octet_count=(track.sent_bytes - octets) & 0xFFFFFFFF,
        )

    def _delay_since_reference(self, ssrc: int, now_s: float) -> list[rtcp.RtcpPacket]:
        if self._reference is None:
            return []
        (receiver_ssrc, last_rr, arrival_s), self._reference = self._reference, None
        delay = middle32_from_seconds(now_s - arrival_s)
        return [rtcp.ExtendedReport(ssrc, (rtcp.Dlrr((rtcp.DlrrReport(receiver_ssrc, last_rr, delay),)),))]

    def _on_video_started(self, now_s: float) -> None:
        self._events.first_frame(self, now_s - self.session.created_s)

    def say_bye(self) -> None:
        """Tell the player that the tracks end (RFC 3550 section 6.6)."""
        if self._tracks:
            first = next(iter(self._tracks))
            self.session.send_rtcp([rtcp.ReceiverReport(first, ()), rtcp.Bye(tuple(self._tracks), "")])
