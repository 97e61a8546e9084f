"""The studio: a WHIP session that sends the synthetic stream, each packet stamped with the time it is sent."""

import asyncio
import itertools
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence

from gateway.clock import ntp_from_unix
from gateway.wire import rtcp
from loadgen.peer.datagrams import receive
from loadgen.peer.peer import Peer
from loadgen.studios.clip import AUDIO_CLOCK_RATE_HZ, VIDEO_CLOCK_RATE_HZ
from loadgen.studios.outgoing_track import OutgoingTrack, Ssrcs
from loadgen.studios.pacer import BURST_INTERVAL_S, PACING_FACTOR
from loadgen.studios.transmission import REPORT_INTERVAL_S
from tests.bench.pictures import AUDIO_PACKET_RATE, FRAME_RATE, STAMP_BYTES, VIDEO_BPS, Encoder, Studio

_BURST_BYTES = int(PACING_FACTOR * VIDEO_BPS / 8 * BURST_INTERVAL_S)
_MEDIA_FROM = 128

REMEMBERED_PACKETS = 2_000
"""Payloads kept to compare with what players got: about nine seconds, more than a keyframe interval."""


class StudioSession:
    """Sends once `run` is called and while `is_live`."""

    def __init__(self, peer: Peer, studio: Studio) -> None:
        self.is_live = False
        self.sent: OrderedDict[int, bytes] = OrderedDict()
        """Stamp -> payload, of the newest packets."""
        self._peer = peer
        self._paced = studio is Studio.BROWSER
        self._encoder = Encoder(studio)
        self._began_unix_s = time.time()
        accepted = {media.kind: media for media in peer.answer.media}
        ssrcs = random.sample(range(1, 1 << 32), 2)
        numbers = itertools.count()
        self._video, self._audio = (
            OutgoingTrack(accepted[kind], Ssrcs(ssrc, None), peer.srtp.sealer, numbers)
            for kind, ssrc in zip(("video", "audio"), ssrcs, strict=True)
        )

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_video())
            tasks.create_task(self._send_audio())
            tasks.create_task(self._report())

    def close(self) -> None:
        """Vanish."""
        self._peer.vanish()

    async def _send_video(self) -> None:
        frames = self._encoder.frames()
        async for _ in _ticks(1 / FRAME_RATE):
            if not self.is_live:
                frames = self._encoder.frames()
                continue
            frame = next(frames)
            unix_s = time.time()
            rtp_ticks = self._rtp_ticks(unix_s, VIDEO_CLOCK_RATE_HZ)
            for burst in _bursts(frame.payloads) if self._paced else [range(len(frame.payloads))]:
                if burst[0]:
                    await asyncio.sleep(BURST_INTERVAL_S)
                for order in burst:
                    # libwebrtc sends it once a second where it can be interpolated.
                    captured_ntp = ntp_from_unix(unix_s) if frame.is_keyframe and order == 0 else None
                    is_last = order == len(frame.payloads) - 1
                    self._send(self._video, frame.payloads[order], rtp_ticks, is_last, captured_ntp)

    async def _send_audio(self) -> None:
        async for _ in _ticks(1 / AUDIO_PACKET_RATE):
            if self.is_live:
                rtp_ticks = self._rtp_ticks(time.time(), AUDIO_CLOCK_RATE_HZ)
                self._send(self._audio, self._encoder.audio(), rtp_ticks, marker=False)

    def _send(
        self, track: OutgoingTrack, payload: bytes, rtp_ticks: int, marker: bool, captured_ntp: int | None = None
    ) -> None:
        stamp_ns = time.time_ns()
        stamped = payload + stamp_ns.to_bytes(STAMP_BYTES, "big")
        self._peer.send(track.seal(stamped, rtp_ticks, marker, captured_ntp))
        self._remember(stamp_ns, stamped)

    def _remember(self, stamp_ns: int, payload: bytes) -> None:
        self.sent[stamp_ns] = payload
        if len(self.sent) > REMEMBERED_PACKETS:
            self.sent.popitem(last=False)

    async def _report(self) -> None:
        async for count in _ticks(REPORT_INTERVAL_S):
            self._read()
            if self.is_live:
                self._send_report(self._video, VIDEO_CLOCK_RATE_HZ)
                self._send_report(self._audio, AUDIO_CLOCK_RATE_HZ)
            if count % 2 == 0:
                self._peer.check(time.time())

    def _read(self) -> None:
        """Feedback is thrown away: an encoder without rate control has no use for it."""
        while (arrival := receive(self._peer.socket)) is not None:
            if arrival.run[0] < _MEDIA_FROM:
                self._peer.on_control(arrival.run, arrival.arrival_ns / 1e9)

    def _send_report(self, track: OutgoingTrack, clock_rate_hz: int) -> None:
        unix_s = time.time()
        report = track.sender_report(self._rtp_ticks(unix_s, clock_rate_hz), ntp_from_unix(unix_s))
        names = rtcp.SourceDescription(((track.ssrc, "studio"),))
        self._peer.send(self._peer.srtp.sealer.seal_rtcp(rtcp.serialize_compound([report, names])))

    def _rtp_ticks(self, unix_s: float, clock_rate_hz: int) -> int:
        return int((unix_s - self._began_unix_s) * clock_rate_hz)


def _bursts(payloads: Sequence[bytes]) -> Iterator[range]:
    """The orders of the packets that leave together under the pacer."""
    start = size = 0
    for order, payload in enumerate(payloads):
        size += len(payload)
        if size >= _BURST_BYTES:
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
