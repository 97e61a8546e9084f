"""A studio's session: RTP in, packets into the stream, feedback back."""

from typing import NamedTuple, Protocol

from gateway.clock import WallClock, ntp_middle32, round_trip_s
from gateway.ingest.arrivals import ArrivalRecorder
from gateway.ingest.feedback import Feedback
from gateway.ingest.incoming import IncomingTrack, PublishedMedia
from gateway.stream.figures import IngestFigures
from gateway.stream.layout import CARRIED
from gateway.stream.stream import Stream
from gateway.stream.timing import PublisherClock, capture_clock_offset
from gateway.stream.track import Incoming
from gateway.transport.address import Address
from gateway.transport.data_channel import Channel, Receiver
from gateway.transport.session import Session
from gateway.transport.srtp import SrtpSession
from gateway.wire import rtcp
from gateway.wire.header_extensions import (
    ABS_CAPTURE_TIME,
    TRANSPORT_SEQUENCE_NUMBER,
    AbsCaptureTime,
    parse_abs_capture_time,
    parse_extensions,
)
from gateway.wire.rtp import RtpHeader, strip_padding, unpack_rtx_payload

MAX_SSRCS = 8
"""SSRCs of one publisher: two tracks, their RTX, and a restart of each."""

MAX_EARLY_REPORTS = 4
"""FFmpeg sends a track's first sender report right before its first packet, and the next one 5 s later."""

MAX_PAYLOAD_BYTES = 1300
"""Larger payloads would not fit a viewer's datagram with our header, all extensions and an authentication tag."""

REPORT_INTERVAL_S = 1.0
FEEDBACK_INTERVAL_S = 0.045
"""What Chromium's congestion controller was made for: 50 to 100 ms."""


class Hub(Protocol):
    """Where a publisher's stream comes from."""

    def publish(self, publisher: "Publisher", now_s: float) -> Stream | None:
        """The publisher is connected: give it the stream. None when it is refused (and closed)."""

    def unpublish(self, publisher: "Publisher", cause: str, now_s: float) -> None:
        """The publisher has ended."""

    def measured_round_trip(self, seconds: float) -> None:
        """A publisher's path was measured."""


class _Arrived(NamedTuple):
    """An authentic packet: its payload without padding, and the header extension elements that travel on."""

    header: RtpHeader
    payload: bytes
    elements: tuple[tuple[str, bytes], ...]
    now_s: float


class Publisher:
    """Implements `transport.peer.Peer` and `stream.contract.Source`."""

    def __init__(self, session: Session, media: list[PublishedMedia], hub: Hub, clock: WallClock) -> None:
        self.session = session
        self.tracks = [IncomingTrack(each) for each in media]
        self.last_media_s = session.created_s
        self.round_trip_s: float | None = None
        self._oversized = 0
        self._frames_lost = 0
        self._frames_oversized = 0
        self._oversized_timestamp: int | None = None
        self._hub = hub
        self._clock = clock
        self._stream: Stream | None = None
        self._publisher_clock = PublisherClock()
        self._arrivals = ArrivalRecorder()
        self._feedback = Feedback(session, self.tracks, clock)
        self._ssrcs: set[int] = set()
        self._early_reports: dict[int, tuple[rtcp.SenderReport, float]] = {}
        self._next_report_s = self._next_feedback_s = 0.0
        self._by_payload_type: dict[int, tuple[IncomingTrack, bool]] = {}
        for track in self.tracks:
            self._by_payload_type[track.media.payload_type] = (track, False)
            if track.media.rtx_payload_type is not None:
                self._by_payload_type[track.media.rtx_payload_type] = (track, True)

    @property
    def session_id(self) -> str:
        """See `Source`."""
        return self.session.session_id

    @property
    def figures(self) -> IngestFigures:
        """What this publisher has counted so far."""
        videos = [track for track in self.tracks if track.media.format.kind == "video"]
        return IngestFigures(
            packets_lost=sum(track.nacks.abandoned for track in self.tracks),
            packets_recovered=sum(track.nacks.recovered for track in self.tracks),
            packets_nacked=sum(track.nacks_sent for track in self.tracks),
            frames_lost=self._frames_lost,
            frames_oversized=self._frames_oversized,
            oversized=self._oversized,
            video_expected=sum(video.nacks.expected for video in videos),
            video_missed=sum(video.nacks.missed for video in videos),
            video_recovered=sum(video.nacks.recovered for video in videos),
            video_unseen=sum(video.reception.unseen for video in videos if video.reception is not None),
        )

    # Peer

    def on_connected(self, srtp: SrtpSession, now_s: float) -> None:
        """See `Peer`: only now is the stream ours."""
        self.last_media_s = now_s
        self._stream = self._hub.publish(self, now_s)

    def on_moved(self, address: Address) -> None:
        """See `Peer`; feedback goes where the session says."""

    def wants_rtp(self, header: RtpHeader) -> bool:
        """See `Peer`."""
        if header.payload_type not in self._by_payload_type:
            return False
        return header.ssrc in self._ssrcs or len(self._ssrcs) < MAX_SSRCS

    def on_rtp(self, header: RtpHeader, payload: bytes, now_s: float) -> None:
        """See `Peer`."""
        self._ssrcs.add(header.ssrc)
        track, is_rtx = self._by_payload_type[header.payload_type]
        elements = parse_extensions(header.extension_profile, header.extension) if header.extension else {}
        carried = self._carried(track, elements, now_s)
        arrived = _Arrived(header, strip_padding(payload) if header.has_padding else payload, carried, now_s)
        if is_rtx:
            self._on_retransmission(track, arrived)
        else:
            self._on_original(track, arrived)

    def on_rtcp(self, packets: list[rtcp.RtcpPacket], now_s: float) -> None:
        """See `Peer`."""
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport):
                self._on_sender_report(packet, now_s)
            elif isinstance(packet, rtcp.ExtendedReport):
                self._on_extended_report(packet, now_s)

    def on_channel(self, channel: Channel) -> Receiver | None:
        """See `Peer`: studios are answered none."""
        return None

    def on_closed(self, cause: str) -> None:
        """See `Peer`."""
        self._hub.unpublish(self, cause, self.session.last_seen_s)
        self._stream = None

    # Packets

    def _carried(self, track: IncomingTrack, elements: dict[int, bytes], now_s: float) -> tuple[tuple[str, bytes], ...]:
        """Note the transport-wide number; return the elements that viewers are to get, as they are to get them."""
        carried = []
        for element_id, value in elements.items():
            uri = track.media.extensions.get(element_id, "")
            if uri == TRANSPORT_SEQUENCE_NUMBER and len(value) == 2:
                self._arrivals.on_packet(int.from_bytes(value, "big"), now_s)
            elif len(value) in CARRIED.get(uri, ()):
                carried.append((uri, self._capture_time(value) if uri == ABS_CAPTURE_TIME else value))
        return tuple(carried)

    def _capture_time(self, value: bytes) -> bytes:
        # The capture time stays the studio's; the offset says how its clock stands to ours, who are the sender now.
        capture = parse_abs_capture_time(value)
        return AbsCaptureTime(capture.ntp_timestamp, capture_clock_offset(self._publisher_clock)).serialize()

    def _on_retransmission(self, track: IncomingTrack, arrived: _Arrived) -> None:
        if not arrived.payload or track.reception is None:
            return  # Padding that probes the path, or nothing yet to repair.
        sequence_number, original = unpack_rtx_payload(arrived.payload)
        extended = track.reception.place(sequence_number)
        track.retransmissions += 1
        if extended is not None:
            self._feed(track, extended, arrived._replace(payload=original))

    def _on_original(self, track: IncomingTrack, arrived: _Arrived) -> None:
        if track.is_retired(arrived.header.ssrc):
            return
        begins_anew = track.switch_to(arrived.header.ssrc)
        assert track.reception is not None
        restarts = track.reception.restarts
        extended = track.reception.extend(arrived.header.sequence_number)
        if extended is None:
            return
        has_restarted = track.reception.restarts != restarts
        if has_restarted:
            track.nacks.restart()
        if (begins_anew or has_restarted) and self._stream is not None:
            self._stream.tracks[track.media.format.kind].begin_epoch()
        self._feed(track, extended, arrived)
        track.reception.on_packet(arrived.header.timestamp, arrived.now_s)
        if begins_anew and (early := self._early_reports.pop(arrived.header.ssrc, None)) is not None:
            self._on_sender_report(*early)

    def _feed(self, track: IncomingTrack, extended: int, arrived: _Arrived) -> None:
        """Pass the packet with the `extended` sequence number on to the stream."""
        stream = self._stream
        if stream is None:
            return
        header, payload, _, now_s = arrived
        self.last_media_s = now_s
        outgoing = stream.tracks[track.media.format.kind]
        last_index = outgoing.cache.next_index - 1
        is_outage = not track.nacks.on_packet(extended, now_s)
        if is_outage:
            stream.request_keyframe(now_s)
        if len(payload) > MAX_PAYLOAD_BYTES:
            self._refuse_oversized(track, arrived)
            return
        incoming = Incoming(extended, header.timestamp, header.marker, payload, now_s, arrived.elements)
        stream.feed(outgoing, incoming, self._clock.ntp(now_s))
        if is_outage and outgoing.is_video:
            self._frames_lost += outgoing.frames_of_outage(last_index)

    def _refuse_oversized(self, track: IncomingTrack, arrived: _Arrived) -> None:
        if not self._oversized:
            size_bytes = len(arrived.payload)
            self.session.log.warning("payload too large", payload_bytes=size_bytes, largest=MAX_PAYLOAD_BYTES)
        self._oversized += 1
        if track.media.format.kind == "video" and arrived.header.timestamp != self._oversized_timestamp:
            self._oversized_timestamp = arrived.header.timestamp
            self._frames_oversized += 1

    def _on_sender_report(self, report: rtcp.SenderReport, now_s: float) -> None:
        track = next((t for t in self.tracks if t.reception is not None and t.ssrc == report.ssrc), None)
        if track is None or track.reception is None or self._stream is None:
            if len(self._early_reports) < MAX_EARLY_REPORTS:
                self._early_reports[report.ssrc] = (report, now_s)
            return
        track.reception.on_sender_report(report, now_s)
        if not report.ntp_timestamp:
            return  # No wall clock at the sender (RFC 3550 section 6.4.1).
        self._publisher_clock.on_sender_report(report.ntp_timestamp, self._clock.ntp(now_s))
        outgoing = self._stream.tracks[track.media.format.kind]
        self._stream.on_sender_report(outgoing, report.ntp_timestamp, report.rtp_timestamp, self._publisher_clock)

    def _on_extended_report(self, report: rtcp.ExtendedReport, now_s: float) -> None:
        now_middle32 = ntp_middle32(self._clock.ntp(now_s))
        for block in report.blocks:
            for entry in block.reports if isinstance(block, rtcp.Dlrr) else ():
                if entry.ssrc == self._feedback.ssrc:
                    self._on_round_trip(round_trip_s(now_middle32, entry.last_rr, entry.delay_since_last_rr))

    def _on_round_trip(self, measured_s: float | None) -> None:
        if measured_s is not None:
            self.round_trip_s = measured_s
            self._hub.measured_round_trip(measured_s)

    # Feedback

    def tick(self, now_s: float) -> None:
        """Send what is due: NACK again, transport-wide feedback, receiver reports. Every 50 to 100 ms."""
        if self.session.srtp is None:
            return
        self.ask_for_missing(now_s)
        if now_s >= self._next_feedback_s:
            self._next_feedback_s = now_s + FEEDBACK_INTERVAL_S
            self._feedback.report_arrivals(self._arrivals)
        if now_s >= self._next_report_s:
            self._next_report_s = now_s + REPORT_INTERVAL_S
            self._feedback.report_reception(now_s)

    def ask_for_missing(self, now_s: float) -> None:
        """Send the NACKs that are due."""
        for track in self.tracks:
            if track.nacks:
                self._ask_for_missing(track, now_s)

    def _ask_for_missing(self, track: IncomingTrack, now_s: float) -> None:
        due, given_up = track.nacks.due(now_s, self.round_trip_s)
        self._feedback.ask_again(track, due)
        if given_up and track.media.format.kind == "video" and self._stream is not None:
            # Viewers' decoders stand still from here on: the sooner a keyframe, the better.
            self._frames_lost += self._stream.tracks["video"].frames_around(given_up)
            self._stream.request_keyframe(now_s)

    def request_keyframe(self, now_s: float) -> None:
        """See `Source`. The stream has limited how often."""
        self._feedback.ask_for_keyframe()

    def close(self, cause: str) -> None:
        """See `Source`."""
        self.session.close(cause)
