"""What a player tells the gateway every second, as Chromium does: RR of both tracks, with RRTR."""

import random
import time

from gateway.clock import NTP_UNIX_OFFSET_S, ntp_from_seconds, ntp_middle32
from gateway.transport.srtp import SrtpSession
from gateway.wire import rtcp

REPORT_INTERVAL_S = 1.0


class Reporter:
    """Writes the reports of one player. It says that nothing was lost: what is lost, the bench says itself."""

    def __init__(self, srtp: SrtpSession) -> None:
        self._srtp = srtp
        self._ssrc = random.randrange(1, 1 << 32)
        self._highest: dict[int, int] = {}
        self._last_sender_report: dict[int, tuple[int, float]] = {}

    def on_rtp(self, ssrc: int, sequence_number: int) -> None:
        """A packet came; only the newest before a report needs to be told."""
        self._highest[ssrc] = sequence_number

    def on_rtcp(self, datagram: bytes) -> None:
        """A compound packet came. Raises what the gateway's own opener and parser raise."""
        for packet in rtcp.parse_compound(self._srtp.opener.open_rtcp(datagram)):
            if isinstance(packet, rtcp.SenderReport):
                self._last_sender_report[packet.ssrc] = (ntp_middle32(packet.ntp_timestamp), time.monotonic())

    def report(self) -> bytes:
        """The next report, sealed."""
        now_s = time.monotonic()
        reference = rtcp.ReceiverReferenceTime(ntp_from_seconds(time.time() + NTP_UNIX_OFFSET_S))
        compound: list[rtcp.RtcpPacket] = [
            rtcp.ReceiverReport(self._ssrc, tuple(self._block(ssrc, now_s) for ssrc in self._highest)),
            rtcp.ExtendedReport(self._ssrc, (reference,)),
        ]
        return self._srtp.sealer.seal_rtcp(rtcp.serialize_compound(compound))

    def _block(self, ssrc: int, now_s: float) -> rtcp.ReportBlock:
        last_sr, arrival_s = self._last_sender_report.get(ssrc, (0, now_s))
        return rtcp.ReportBlock(
            ssrc=ssrc,
            fraction_lost=0,
            packets_lost=0,
            highest_sequence_number=self._highest[ssrc],
            jitter_rtp_ticks=90,
            last_sr=last_sr,
            delay_since_last_sr=int((now_s - arrival_s) * 65536),
        )
