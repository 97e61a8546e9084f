"""A studio on virtual time: sends frames, answers NACK and PLI, reports in a clock that is wrong by hours."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.clock import WallClock, middle32_from_seconds, ntp_middle32
from gateway.transport.srtp import ReplayError
from gateway.transport.srtp.gcm import GcmOpener, GcmSealer
from gateway.wire import rtcp
from gateway.wire.formats import TrackFormat
from gateway.wire.rtp import pack_header, pack_rtx_payload
from tests.virtual.content import H264, Frame, draw_audio, draw_payloads
from tests.virtual.scheduler import Scheduler

FRAME_S, AUDIO_S, REPORT_S = 1 / 30, 0.02, 1.0
PACKET_SPACING_S = 0.0004
"""Encoders pace a frame's packets."""

VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE = 102, 103, 111
UNIX_S = 1_700_000_000.0


@dataclass(frozen=True, slots=True)
class StudioSettings:
    """What makes one studio differ from another."""

    studio: int = 1
    seed: int = 1
    format: TrackFormat = H264
    first_sequence_number: int = 4000
    skew_s: float = 3 * 3600.0
    keyframe_every: int = 30
    has_rtx: bool = True
    answers_nack: bool = True


@dataclass(slots=True)
class Outgoing:
    """One SSRC of the studio: its numbers, and what it sent."""

    ssrc: int
    payload_type: int
    index: int
    clock_rate_hz: int
    first_timestamp: int
    sent: dict[int, tuple[bytes, bytes, bytes]] = field(default_factory=dict)
    """Sequence number -> (header, payload, datagram)."""
    bytes: int = 0


class Studio:
    """See the module. `send` puts a datagram on the way to the gateway."""

    def __init__(self, scheduler: Scheduler, settings: StudioSettings, masters: tuple[bytes, bytes]) -> None:
        self.settings = settings
        self.send: Callable[[bytes], None] = lambda _datagram: None
        self.frames: list[Frame] = []
        self.audio: list[bytes] = []
        self.audio_sent_s: list[float] = []
        self.keyframe_requests = 0
        self.sent_again = 0
        self.is_on_air = False
        self._scheduler = scheduler
        self._chance = random.Random(settings.seed)
        self._sealer, self._opener = GcmSealer.from_master(masters[0]), GcmOpener.from_master(masters[1])
        self._clock = WallClock(UNIX_S + settings.skew_s)
        self._wants_keyframe = True
        self._since_keyframe = 0
        self._reference: tuple[int, int, float] | None = None
        base = settings.studio * 0x1000
        number = settings.first_sequence_number
        self.video = self._outgoing(base + 1, VIDEO_TYPE, number, 90_000)
        self._sound = self._outgoing(base + 2, AUDIO_TYPE, number + 77, 48_000)
        self._rtx = self._outgoing(base + 3, RTX_TYPE, 900, 90_000)

    def _outgoing(self, ssrc: int, payload_type: int, index: int, clock_rate_hz: int) -> Outgoing:
        self._sealer.start_at(ssrc, index)
        return Outgoing(ssrc, payload_type, index, clock_rate_hz, self._chance.getrandbits(32))

    # On air

    def start(self) -> None:
        """Begin with a keyframe."""
        self.is_on_air = True
        self._scheduler.after(0.0, self._show_frame)
        self._scheduler.after(0.0, self._sound_packet)
        self._scheduler.after(0.3, self._report)

    def stop(self) -> None:
        """Send nothing new; what is asked for is still answered."""
        self.is_on_air = False

    def _timestamp(self, track: Outgoing) -> int:
        return (track.first_timestamp + round(self._scheduler.now_s * track.clock_rate_hz)) & 0xFFFFFFFF

    def _show_frame(self) -> None:
        if not self.is_on_air:
            return
        self._scheduler.after(FRAME_S, self._show_frame)
        is_keyframe = self._wants_keyframe or self._since_keyframe >= self.settings.keyframe_every
        self._wants_keyframe, self._since_keyframe = False, 1 if is_keyframe else self._since_keyframe + 1
        frame = Frame(
            self.settings.studio, len(self.frames), self._timestamp(self.video), self._scheduler.now_s, is_keyframe
        )
        frame.payloads = draw_payloads(self.settings.format.mime, frame.studio, frame.frame, is_keyframe, self._chance)
        self.frames.append(frame)
        for number, payload in enumerate(frame.payloads):
            self._send_paced(number, frame, payload, number == len(frame.payloads) - 1)

    def _send_paced(self, number: int, frame: Frame, payload: bytes, marker: bool) -> None:
        datagram = self._seal(self.video, payload, frame.timestamp, marker)
        self._scheduler.after(number * PACKET_SPACING_S, lambda: self.send(datagram))

    def _sound_packet(self) -> None:
        if not self.is_on_air:
            return
        self._scheduler.after(AUDIO_S, self._sound_packet)
        payload = draw_audio(self.settings.studio, len(self.audio), self._chance)
        self.audio.append(payload)
        self.audio_sent_s.append(self._scheduler.now_s)
        self.send(self._seal(self._sound, payload, self._timestamp(self._sound), True))

    def _seal(self, track: Outgoing, payload: bytes, timestamp: int, marker: bool) -> bytes:
        number = track.index & 0xFFFF
        header = pack_header(track.payload_type, marker, number, timestamp, track.ssrc)
        datagram = b"".join(self._sealer.seal([(header, payload, track.ssrc, track.ssrc << 48 | track.index)]))
        track.sent[number] = (header, payload, datagram)
        track.bytes += len(payload)
        track.index += 1
        return datagram

    # Reports

    def _report(self) -> None:
        if not self.is_on_air:
            return
        self._scheduler.after(REPORT_S, self._report)
        now_s = self._scheduler.now_s
        packets: list[rtcp.RtcpPacket] = [
            rtcp.SenderReport(track.ssrc, self._clock.ntp(now_s), self._timestamp(track), len(track.sent), track.bytes)
            for track in (self.video, self._sound)
        ]
        if self._reference is not None:
            ssrc, last_rr, arrival_s = self._reference
            answer = rtcp.DlrrReport(ssrc, last_rr, middle32_from_seconds(now_s - arrival_s))
            packets.append(rtcp.ExtendedReport(self.video.ssrc, (rtcp.Dlrr((answer,)),)))
        self.send(self._sealer.seal_rtcp(rtcp.serialize_compound(packets)))

    def on_datagram(self, datagram: bytes) -> None:
        """RTCP of the gateway."""
        try:
            compound = self._opener.open_rtcp(datagram)
        except ReplayError:
            return
        for packet in rtcp.parse_compound(compound):
            if isinstance(packet, rtcp.GenericNack) and self.settings.answers_nack:
                self._send_again(packet)
            elif isinstance(packet, rtcp.PictureLossIndication):
                self.keyframe_requests += 1
                self._wants_keyframe = True
            elif isinstance(packet, rtcp.ExtendedReport):
                for block in packet.blocks:
                    if isinstance(block, rtcp.ReceiverReferenceTime):
                        self._reference = (packet.ssrc, ntp_middle32(block.ntp_timestamp), self._scheduler.now_s)

    def _send_again(self, nack: rtcp.GenericNack) -> None:
        track = self.video if nack.media_ssrc == self.video.ssrc else self._sound
        for number in nack.sequence_numbers:
            if number not in track.sent:
                continue
            self.sent_again += 1
            header, payload, datagram = track.sent[number]
            if track is self.video and self.settings.has_rtx:
                timestamp, marker = int.from_bytes(header[4:8], "big"), header[1] >= 0x80
                datagram = self._seal(self._rtx, pack_rtx_payload(number, payload), timestamp, marker)
            self.send(datagram)
