"""What a player tells the server by RTCP, as a browser does: every second a receiver report of its tracks with a
reference time (RFC 3550 section 6.4.2, RFC 3611 section 4.4), NACK and PLI as they are needed (RFC 4585).

Every compound begins with a receiver report, so that servers without reduced-size RTCP (RFC 5506) take it, too.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass

from gateway.clock import (
    middle32_from_seconds,
    ntp_from_unix,
    ntp_middle32,
    round_trip_s,
)
from gateway.transport.srtp import SrtpSession
from gateway.wire import rtcp
from loadgen.players.track import MAX_SSRCS, Track
from loadgen.players.video import CLOCK_RATE_HZ, VideoTrack

MAX_LOST = 0x7F_FFFF
"""Cumulative loss saturates (RFC 3550 section 6.4.1)."""


@dataclass(slots=True)
class _Source:
    """What is remembered of one SSRC between two reports."""

    expected: int = 0
    lost: int = 0
    last_sr: int = 0
    sr_arrival_s: float = 0.0


class Reporter:
    """Writes one player's reports and reads the server's."""

    __slots__ = ("_cname", "_gone_ssrcs", "_rtts_s", "_sources", "_srtp", "ssrc")

    def __init__(self, srtp: SrtpSession, ssrc: int | None = None) -> None:
        self.ssrc = ssrc if ssrc is not None else random.randrange(1, 1 << 32)
        self._gone_ssrcs: set[int] = set()
        """Of which the server has said BYE."""
        self._rtts_s: list[float] = []
        self._srtp = srtp
        self._cname = f"loadgen-{self.ssrc:08x}"
        self._sources: dict[int, _Source] = {}

    def on_compound(self, compound: bytes, arrival_s: float) -> None:
        """A decrypted compound packet. Raises WireError."""
        for packet in rtcp.parse_compound(compound):
            if isinstance(packet, rtcp.SenderReport) and self._is_known(packet.ssrc):
                source = self._sources[packet.ssrc]
                source.last_sr, source.sr_arrival_s = ntp_middle32(packet.ntp_timestamp), arrival_s
            elif isinstance(packet, rtcp.ExtendedReport):
                self._on_extended_report(packet, arrival_s)
            elif isinstance(packet, rtcp.Bye):
                self._gone_ssrcs.update(packet.ssrcs[: MAX_SSRCS - len(self._gone_ssrcs)])

    def are_gone(self, ssrcs: Collection[int]) -> bool:
        """Whether the server has said BYE of all `ssrcs`, and there are any. One of them that ends (RFC 3550 section
        6.6) is no end of the session: a browser only mutes its track."""
        return len(ssrcs) > 0 and self._gone_ssrcs.issuperset(ssrcs)

    def _is_known(self, ssrc: int) -> bool:
        """Whether there is room to remember `ssrc`, of which a report may come before the first packet."""
        if ssrc not in self._sources and len(self._sources) < MAX_SSRCS:
            self._sources[ssrc] = _Source()
        return ssrc in self._sources

    def _on_extended_report(self, packet: rtcp.ExtendedReport, arrival_s: float) -> None:
        now = ntp_middle32(ntp_from_unix(arrival_s))
        for block in packet.blocks:
            if not isinstance(block, rtcp.Dlrr):
                continue
            for report in block.reports:
                if report.ssrc != self.ssrc:
                    continue
                rtt_s = round_trip_s(now, report.last_rr, report.delay_since_last_rr)
                if rtt_s is not None:
                    self._rtts_s.append(rtt_s)

    def take_rtts_s(self) -> list[float]:
        """Round trips by DLRR since the last call."""
        rtts_s, self._rtts_s = self._rtts_s, []
        return rtts_s

    def report(self, tracks: dict[int, Track], now_s: float) -> bytes:
        """The report of `tracks` by SSRC, sealed."""
        blocks = tuple(self._block(ssrc, track, now_s) for ssrc, track in tracks.items())
        compound: list[rtcp.RtcpPacket] = [
            rtcp.ReceiverReport(self.ssrc, blocks),
            rtcp.SourceDescription(((self.ssrc, self._cname),)),
            rtcp.ExtendedReport(self.ssrc, (rtcp.ReceiverReferenceTime(ntp_from_unix(now_s)),)),
        ]
        return self._seal(compound)

    def _block(self, ssrc: int, track: Track, now_s: float) -> rtcp.ReportBlock:
        source = self._sources.setdefault(ssrc, _Source())
        expected, lost = track.expected_packets, track.lost
        new_expected, new_lost = expected - source.expected, lost - source.lost
        source.expected, source.lost = expected, lost
        fraction = min(max(256 * new_lost // new_expected, 0), 255) if new_expected > 0 else 0
        return rtcp.ReportBlock(
            ssrc=ssrc,
            fraction_lost=fraction,
            packets_lost=min(lost, MAX_LOST),
            highest_sequence_number=track.highest & 0xFFFFFFFF,
            jitter_rtp_ticks=_jitter_rtp_ticks(track),
            last_sr=source.last_sr,
            delay_since_last_sr=middle32_from_seconds(now_s - source.sr_arrival_s) if source.last_sr else 0,
        )

    def nack(self, media_ssrc: int, indices: list[int]) -> bytes:
        """A NACK for packets by extended sequence number, sealed."""
        numbers = tuple(index & 0xFFFF for index in sorted(indices))
        return self._feedback(rtcp.GenericNack(self.ssrc, media_ssrc, numbers))

    def pli(self, media_ssrc: int) -> bytes:
        """A request for a keyframe, sealed."""
        return self._feedback(rtcp.PictureLossIndication(self.ssrc, media_ssrc))

    def _feedback(self, packet: rtcp.RtcpPacket) -> bytes:
        return self._seal([rtcp.ReceiverReport(self.ssrc), packet])

    def _seal(self, compound: list[rtcp.RtcpPacket]) -> bytes:
        return self._srtp.sealer.seal_rtcp(rtcp.serialize_compound(compound))


def _jitter_rtp_ticks(track: Track) -> int:
    return min(round(track.jitter_s * CLOCK_RATE_HZ), 0xFFFFFFFF) if isinstance(track, VideoTrack) else 0
