"""A player on virtual time: asks for what it misses, puts frames together, and checks every byte of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.clock import WallClock, ntp_middle32, round_trip_s
from gateway.transport.srtp import AuthenticationError, ReplayError
from gateway.transport.srtp.gcm import GcmOpener, GcmSealer
from gateway.wire import rtcp
from gateway.wire.rtp import RtpHeader, parse_header, unpack_rtx_payload
from gateway.wire.serial import unwrap16, unwrap32
from tests.virtual.content import Place, place_of
from tests.virtual.scheduler import Scheduler

NACK_TICK_S = 0.01
REORDERING_S = 0.01
"""How long a hole may be before it is asked for."""
NACK_RETRY_S, NACK_GIVES_UP_S = 0.06, 1.5
REPORT_S = 1.0
VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE = 96, 97, 109


@dataclass(slots=True)
class Hole:
    """A packet that is missing."""

    since_s: float
    next_ask_s: float


@dataclass(slots=True)
class Received:
    """One track as the player has it. Indices are extended sequence numbers, from `first` on."""

    clock_rate_hz: int
    first: int | None = None
    highest: int = 0
    places: dict[int, Place] = field(default_factory=dict)
    payloads: dict[int, bytes] = field(default_factory=dict)
    timestamps: dict[int, int] = field(default_factory=dict)
    markers: dict[int, bool] = field(default_factory=dict)
    arrivals_s: dict[int, float] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    """Indices as they came."""
    holes: dict[int, Hole] = field(default_factory=dict)
    given_up: list[int] = field(default_factory=list)
    duplicates: int = 0
    reports: list[rtcp.SenderReport] = field(default_factory=list)
    _newest_timestamp: int = 1 << 33

    def add(self, header: RtpHeader, sequence_number: int, payload: bytes, now_s: float) -> None:
        if self.first is None:
            self.first = self.highest = sequence_number + 0x10000
        index = unwrap16(sequence_number, self.highest)
        if index in self.places:
            self.duplicates += 1
            return
        for missing in range(self.highest + 1, index):
            self.holes[missing] = Hole(now_s, now_s + REORDERING_S)
        self.holes.pop(index, None)
        self.highest = max(self.highest, index)
        self._newest_timestamp = self.timestamps[index] = unwrap32(header.timestamp, self._newest_timestamp)
        self.places[index], self.payloads[index] = place_of(payload), payload
        self.markers[index], self.arrivals_s[index] = header.marker, now_s
        self.order.append(index)


class Player:
    """See the module. `send` puts a datagram on the way to the gateway."""

    def __init__(
        self, scheduler: Scheduler, ssrcs: dict[str, int], masters: tuple[bytes, bytes], *, sends_nack: bool = True
    ) -> None:
        self.send: Callable[[bytes], None] = lambda _datagram: None
        self.video, self.audio = Received(90_000), Received(48_000)
        self.not_authentic = self.replayed = self.retransmissions = 0
        self.received_bytes: list[tuple[float, int]] = []
        """(when, bytes on the wire) of each RTP packet."""
        self.round_trip_s: float | None = None
        self.sends_nack = sends_nack
        self._scheduler = scheduler
        self._ssrcs = ssrcs
        self._sealer, self._opener = GcmSealer.from_master(masters[0]), GcmOpener.from_master(masters[1])
        self._clock = WallClock(5.0)
        self._last_reports: dict[int, tuple[int, float]] = {}
        self._ssrc = 0x7777

    def start(self) -> None:
        """Begin to give feedback."""
        self._scheduler.every(NACK_TICK_S, self._ask)
        self._scheduler.every(REPORT_S, self._report)

    def on_datagram(self, datagram: bytes) -> None:
        """RTP or RTCP of the gateway."""
        try:
            if 192 <= datagram[1] <= 223:
                self._on_rtcp(rtcp.parse_compound(self._opener.open_rtcp(datagram)))
            else:
                header = parse_header(datagram)
                self._on_rtp(header, self._opener.open_rtp(datagram, header), len(datagram))
        except ReplayError:
            self.replayed += 1
        except AuthenticationError:
            self.not_authentic += 1

    def _on_rtp(self, header: RtpHeader, payload: bytes, size_bytes: int) -> None:
        now_s = self._scheduler.now_s
        self.received_bytes.append((now_s, size_bytes))
        track = self.audio if header.payload_type == AUDIO_TYPE else self.video
        number = header.sequence_number
        if header.payload_type == RTX_TYPE:
            number, payload = unpack_rtx_payload(payload)
            self.retransmissions += 1
        track.add(header, number, payload, now_s)

    def _on_rtcp(self, packets: list[rtcp.RtcpPacket]) -> None:
        now_s = self._scheduler.now_s
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport):
                track = self.video if packet.ssrc == self._ssrcs["video"] else self.audio
                track.reports.append(packet)
                self._last_reports[packet.ssrc] = (ntp_middle32(packet.ntp_timestamp), now_s)
            elif isinstance(packet, rtcp.ExtendedReport):
                for block in packet.blocks:
                    for answer in block.reports if isinstance(block, rtcp.Dlrr) else ():
                        now_middle32 = ntp_middle32(self._clock.ntp(now_s))
                        self.round_trip_s = round_trip_s(now_middle32, answer.last_rr, answer.delay_since_last_rr)

    # Feedback

    def _ask(self) -> None:
        for kind, track in (("video", self.video), ("audio", self.audio)):
            wanted = self._due(track)
            if wanted and self.sends_nack:
                numbers = tuple(index & 0xFFFF for index in wanted)
                self._send_rtcp(rtcp.GenericNack(self._ssrc, self._ssrcs[kind], numbers))

    def _due(self, track: Received) -> list[int]:
        now_s, wanted = self._scheduler.now_s, []
        for index, hole in tuple(track.holes.items()):
            if now_s - hole.since_s > NACK_GIVES_UP_S:
                del track.holes[index]
                track.given_up.append(index)
            elif now_s >= hole.next_ask_s:
                hole.next_ask_s = now_s + NACK_RETRY_S
                wanted.append(index)
        return sorted(wanted)

    def _report(self) -> None:
        now_s = self._scheduler.now_s
        reference = rtcp.ReceiverReferenceTime(self._clock.ntp(now_s))
        self._send_rtcp(rtcp.ExtendedReport(self._ssrc, (reference,)), self._blocks(now_s))

    def _blocks(self, now_s: float) -> tuple[rtcp.ReportBlock, ...]:
        blocks = []
        for kind, track in (("video", self.video), ("audio", self.audio)):
            last_sr, arrival_s = self._last_reports.get(self._ssrcs[kind], (0, now_s))
            delay = int((now_s - arrival_s) * 65536)
            lost = len(track.holes) + len(track.given_up)
            blocks.append(rtcp.ReportBlock(self._ssrcs[kind], 0, lost, track.highest, 0, last_sr, delay))
        return tuple(blocks)

    def _send_rtcp(self, packet: rtcp.RtcpPacket, blocks: tuple[rtcp.ReportBlock, ...] = ()) -> None:
        compound = [rtcp.ReceiverReport(self._ssrc, blocks), packet]
        self.send(self._sealer.seal_rtcp(rtcp.serialize_compound(compound)))

    def ask_for_keyframe(self) -> None:
        """Send a PLI."""
        self._send_rtcp(rtcp.PictureLossIndication(self._ssrc, self._ssrcs["video"]))
