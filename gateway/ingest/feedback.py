"""The RTCP that a publisher is sent: what is missing, what arrived and when, and that a keyframe is due."""

import random

from gateway.clock import WallClock
from gateway.ingest.arrivals import ArrivalRecorder
from gateway.ingest.incoming import IncomingTrack
from gateway.transport.session import Session
from gateway.wire import rtcp


class Feedback:
    """Writes and sends; when, is the publisher's business."""

    def __init__(self, session: Session, tracks: list[IncomingTrack], clock: WallClock) -> None:
        self.ssrc = random.SystemRandom().randrange(1, 1 << 32)
        """Who we are as an RTCP sender; what a reference time is answered to."""
        self._session = session
        self._tracks = tracks
        self._clock = clock
        self._fir_sequence_number = 0

    def ask_again(self, track: IncomingTrack, sequence_numbers: list[int]) -> None:
        """Generic NACK (RFC 4585 section 6.2.1) for extended `sequence_numbers`, if the publisher answers such."""
        if sequence_numbers and track.wants_nack:
            track.nacks_sent += len(sequence_numbers)
            wanted = tuple(sequence_number & 0xFFFF for sequence_number in sequence_numbers)
            self._send(rtcp.GenericNack(self.ssrc, track.ssrc, wanted))

    def ask_for_keyframe(self) -> None:
        """PLI or, where only that was agreed on, FIR (RFC 4585 section 6.3.1, RFC 5104 section 4.3.1)."""
        for track in self._tracks:
            if track.media.format.kind != "video" or track.reception is None:
                continue
            if "nack pli" in track.media.feedback:
                self._send(rtcp.PictureLossIndication(self.ssrc, track.ssrc))
            elif "ccm fir" in track.media.feedback:
                self._fir_sequence_number = (self._fir_sequence_number + 1) & 0xFF
                self._send(rtcp.FullIntraRequest(self.ssrc, ((track.ssrc, self._fir_sequence_number),)))

    def report_arrivals(self, arrivals: ArrivalRecorder) -> None:
        """Transport-wide feedback for what arrived since the last."""
        for packet in arrivals.feedback(self.ssrc, max(track.ssrc for track in self._tracks)):
            self._send(packet)

    def report_reception(self, now_s: float) -> None:
        """Receiver report of all tracks, and our reference time, whose answer measures the path (RFC 3611 4.4)."""
        blocks = [track.reception.report_block(now_s) for track in self._tracks if track.reception is not None]
        reference = rtcp.ReceiverReferenceTime(self._clock.ntp(now_s))
        self._session.send_rtcp(
            [
                rtcp.ReceiverReport(self.ssrc, tuple(block for block in blocks if block is not None)),
                rtcp.SourceDescription(((self.ssrc, "railbird"),)),
                rtcp.ExtendedReport(self.ssrc, (reference,)),
            ]
        )

    def _send(self, packet: rtcp.RtcpPacket) -> None:
        # With an empty report in front the compound is valid for peers without reduced-size RTCP (RFC 5506), too.
        self._session.send_rtcp([rtcp.ReceiverReport(self.ssrc, ()), packet])
