"""The studio: a WHIP session that sends the synthetic stream, each packet stamped with the time it is sent."""

import asyncio
import itertools
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence

from gateway.clock import NTP_UNIX_OFFSET_S, ntp_from_seconds
from gateway.wire import rtcp
from gateway.wire.header_extensions import AbsCaptureTime, serialize_extensions
from gateway.wire.rtp import pack_header
from tests.bench.datagrams import receive
from tests.bench.peer import Peer
from tests.bench.pictures import AUDIO_PACKET_RATE, FRAME_RATE, STAMP_BYTES, VIDEO_BPS, Encoder, Studio
from tests.bench.reports import REPORT_INTERVAL_S

_PACER_INTERVAL_S = 0.005
_PACER_BYTES = int(2.5 * VIDEO_BPS / 8 * _PACER_INTERVAL_S)

# As in studio_offer.sdp.
_TWCC_ID, _MID_ID, _CAPTURE_TIME_ID = 4, 9, 13

REMEMBERED_PACKETS = 2_000
"""Payloads kept to compare with what players got: about nine seconds, more than a keyframe interval."""


class OutgoingTrack:
    """Numbers of one track of the studio."""

    def __init__(self, kind: str, mid: str, clock_rate_hz: int) -> None:
        self.kind = kind
        self.mid = mid.encode()
        self.clock_rate_hz = clock_rate_hz
        self.ssrc = random.randrange(1, 1 << 32)
        self.index = random.randrange(1 << 15)
        self.packets = 0
        self.octets = 0

    def timestamp(self, unix_s: float) -> int:
        """The RTP timestamp of `unix_s`."""
        return int(unix_s * self.clock_rate_hz) & 0xFFFFFFFF


class StudioSession:
    """Sends once `run` is called and while `is_live`."""

    def __init__(self, peer: Peer, studio: Studio) -> None:
        self.is_live = False
        self.sent: OrderedDict[int, bytes] = OrderedDict()
        """Stamp -> payload, of the newest packets."""
        self._peer = peer
        self._paced = studio is Studio.BROWSER
        self._encoder = Encoder(studio)
        self._video = OutgoingTrack("video", "0", 90_000)
        self._audio = OutgoingTrack("audio", "1", 48_000)
        self._transport_sequence_number = 0
        for track in (self._video, self._audio):
            peer.srtp.sealer.start_at(track.ssrc, track.index)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_video())
            tasks.create_task(self._send_audio())
            tasks.create_task(self._report())

    async def _send_video(self) -> None:
        frames = self._encoder.frames()
        async for _ in _ticks(1 / FRAME_RATE):
            if not self.is_live:
                frames = self._encoder.frames()
                continue
            frame = next(frames)
            unix_s = time.time()
            for burst in _bursts(frame.payloads) if self._paced else [range(len(frame.payloads))]:
                if burst[0]:
                    await asyncio.sleep(_PACER_INTERVAL_S)
                for order in burst:
                    capture_s = unix_s if frame.is_keyframe and order == 0 else None
                    is_last = order == len(frame.payloads) - 1
                    self._send(self._video, frame.payloads[order], unix_s, marker=is_last, capture_s=capture_s)

    async def _send_audio(self) -> None:
        async for _ in _ticks(1 / AUDIO_PACKET_RATE):
            if self.is_live:
                self._send(self._audio, self._encoder.audio(), time.time(), marker=False)

    def _send(
        self, track: OutgoingTrack, payload: bytes, unix_s: float, marker: bool, capture_s: float | None = None
    ) -> None:
        header = pack_header(
            self._peer.answer.payload_types[track.kind],
            marker,
            track.index & 0xFFFF,
            track.timestamp(unix_s),
            track.ssrc,
            self._extensions(track, capture_s),
        )
        stamp_ns = time.time_ns()
        stamped = payload + stamp_ns.to_bytes(STAMP_BYTES, "big")
        sealed = self._peer.srtp.sealer.seal([(header, stamped, track.ssrc, track.ssrc << 48 | track.index)])
        self._peer.send(b"".join(sealed))
        self._remember(stamp_ns, stamped)
        track.index += 1
        track.packets += 1
        track.octets += len(stamped)

    def _extensions(self, track: OutgoingTrack, capture_s: float | None) -> bytes:
        number, self._transport_sequence_number = (
            self._transport_sequence_number,
            (self._transport_sequence_number + 1) & 0xFFFF,
        )
        elements = [(_MID_ID, track.mid), (_TWCC_ID, number.to_bytes(2, "big"))]
        if capture_s is not None:
            # libwebrtc sends it once a second where it can be interpolated.
            elements.append((_CAPTURE_TIME_ID, AbsCaptureTime(_ntp(capture_s)).serialize()))
        return serialize_extensions(elements)

    def _remember(self, stamp_ns: int, payload: bytes) -> None:
        self.sent[stamp_ns] = payload
        if len(self.sent) > REMEMBERED_PACKETS:
            self.sent.popitem(last=False)

    async def _report(self) -> None:
        async for count in _ticks(REPORT_INTERVAL_S):
            while receive(self._peer.socket) is not None:
                pass  # Feedback that an encoder without rate control has no use for.
            if self.is_live:
                for track in (self._video, self._audio):
                    self._peer.send(self._sender_report(track))
            if count % 2 == 0:
                self._peer.check()

    def _sender_report(self, track: OutgoingTrack) -> bytes:
        unix_s = time.time()
        report = rtcp.SenderReport(
            track.ssrc, _ntp(unix_s), track.timestamp(unix_s), track.packets & 0xFFFFFFFF, track.octets & 0xFFFFFFFF
        )
        names = rtcp.SourceDescription(((track.ssrc, "studio"),))
        return self._peer.srtp.sealer.seal_rtcp(rtcp.serialize_compound([report, names]))


def _ntp(unix_s: float) -> int:
    return ntp_from_seconds(unix_s + NTP_UNIX_OFFSET_S)


def _bursts(payloads: Sequence[bytes]) -> Iterator[range]:
    """The orders of the packets that leave together under the pacer."""
    start = size = 0
    for order, payload in enumerate(payloads):
        size += len(payload)
        if size >= _PACER_BYTES:
            yield range(start, order + 1)
            start, size = order + 1, 0
    if start < len(payloads):
        yield range(start, len(payloads))


async def _ticks(period_s: float) -> AsyncIterator[int]:
    """Counts at a steady rate: what is late is made up for, not shifted."""
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    for count in itertools.count():
        yield count
        await asyncio.sleep(max(start_s + (count + 1) * period_s - loop.time(), 0))
