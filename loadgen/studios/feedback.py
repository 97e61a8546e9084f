"""What the server tells a studio by RTCP: packets it misses, a keyframe that it needs, its own time. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, field

from gateway.clock import middle32_from_seconds, ntp_middle32
from gateway.wire import rtcp
from gateway.wire.rtcp_xr import XrBlock

MAX_REFERENCES = 8
"""Receivers that want their reference time answered; a server is one or two."""


@dataclass(slots=True)
class Feedback:
    """What one compound packet asks for."""

    missing: list[tuple[int, int]] = field(default_factory=list)
    """(SSRC, sequence number)."""
    keyframe_requests: int = 0


@dataclass(slots=True)
class _Reference:
    middle32: int
    arrival_s: float


class FeedbackReader:
    """Reads for one session, and keeps what its next report has to answer."""

    def __init__(self, video_ssrcs: Collection[int]) -> None:
        self._video_ssrcs = video_ssrcs
        self._references: dict[int, _Reference] = {}

    def read(self, compound: bytes, now_s: float) -> Feedback:
        """Raises WireError for what is no RTCP."""
        feedback = Feedback()
        for packet in rtcp.parse_compound(compound):
            match packet:
                case rtcp.GenericNack(_, media_ssrc, sequence_numbers):
                    feedback.missing += [(media_ssrc, number) for number in sequence_numbers]
                case rtcp.PictureLossIndication(_, media_ssrc):
                    feedback.keyframe_requests += media_ssrc in self._video_ssrcs
                case rtcp.FullIntraRequest(_, entries):
                    feedback.keyframe_requests += any(ssrc in self._video_ssrcs for ssrc, _ in entries)
                case rtcp.ExtendedReport(ssrc, blocks):
                    self._note_references(ssrc, blocks, now_s)
        return feedback

    def _note_references(self, ssrc: int, blocks: Collection[XrBlock], now_s: float) -> None:
        for block in blocks:
            known = ssrc in self._references or len(self._references) < MAX_REFERENCES
            if isinstance(block, rtcp.ReceiverReferenceTime) and known:
                self._references[ssrc] = _Reference(ntp_middle32(block.ntp_timestamp), now_s)

    def answer(self, ssrc: int, now_s: float) -> list[rtcp.RtcpPacket]:
        """DLRR (RFC 3611 section 4.5) of `ssrc` to every reference time since the last answer: at most one packet."""
        reports = tuple(
            rtcp.DlrrReport(receiver, reference.middle32, middle32_from_seconds(now_s - reference.arrival_s))
            for receiver, reference in self._references.items()
        )
        self._references.clear()
        return [rtcp.ExtendedReport(ssrc, (rtcp.Dlrr(reports),))] if reports else []
