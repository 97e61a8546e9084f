"""A studio whose every part can be stopped by itself: pictures, sound, reports, path checks.

Its session is real (full ICE, DTLS, SRTP), its pictures are noise of real sizes: nothing is encoded.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Final, Self

from gateway.clock import ntp_from_unix
from gateway.transport.certificate import Certificate
from gateway.wire import rtcp
from loadgen.peer.datagrams import receive
from loadgen.peer.peer import Peer
from loadgen.signalling.http import Signalling, http_client
from loadgen.signalling.offer import studio_offer
from loadgen.studios.clip import AUDIO_CLOCK_RATE_HZ, VIDEO_CLOCK_RATE_HZ
from loadgen.studios.feedback import FeedbackReader
from loadgen.studios.outgoing_track import OutgoingTrack, Ssrcs
from tests.bench.pictures import AUDIO_PACKET_RATE, FRAME_RATE, STAMP_BYTES, Encoder, Studio
from tests.e2e.gateway_process import GatewayProcess

CHECK_INTERVAL_S: Final = 2.5
"""What browsers take."""
REPORT_INTERVAL_S: Final = 1.0
_MEDIA_FROM: Final = 128
_STAMP: Final = bytes(STAMP_BYTES)


class PuppetStudio:
    """Publishes from `start` until `close` or `vanish`. What is set to False is not sent from then on."""

    def __init__(self, gateway: GatewayProcess, stream: str, *, answers_nack: bool = False) -> None:
        """`answers_nack`: sends again what is asked for, as browsers do and hardware often does not."""
        self.sends_pictures = self.sends_sound = self.sends_reports = self.checks_path = True
        self._url = f"{gateway.url}/whip/{stream}"
        self._answers_nack = answers_nack
        self._http = http_client()
        self._encoder = Encoder(Studio.FFMPEG)
        self._frames = self._encoder.frames()
        self._tasks: list[asyncio.Task[None]] = []
        self._peer: Peer | None = None

    async def start(self) -> Self:
        """Connect, and send from then on."""
        certificate = Certificate.generateCertificate()
        signalling = Signalling(self._http, lambda _host: True)
        peer = Peer(certificate, signalling, self._url, studio_offer, lambda _host: True)
        await peer.connect()
        self._peer = peer
        accepted = {media.kind: media for media in peer.answer.media}
        numbers = itertools.count()
        self._video, self._audio = (
            OutgoingTrack(accepted[kind], Ssrcs(random.randrange(1, 1 << 32), None), peer.srtp.sealer, numbers)
            for kind in ("video", "audio")
        )
        self._feedback = FeedbackReader({self._video.ssrc})
        self._began_s = time.time()
        asyncio.get_running_loop().add_reader(peer.socket, self._read)
        for interval_s, send in (
            (1 / FRAME_RATE, self._send_picture),
            (1 / AUDIO_PACKET_RATE, self._send_sound),
            (REPORT_INTERVAL_S, self._send_reports),
            (CHECK_INTERVAL_S, self._check_path),
        ):
            self._tasks.append(asyncio.create_task(_repeat(interval_s, send)))
        return self

    def freeze(self) -> None:
        """No media and no reports from now on, but path checks, as when a browser's capture hangs."""
        self.sends_pictures = self.sends_sound = self.sends_reports = False

    def thaw(self) -> None:
        """Send everything again, beginning with a keyframe."""
        self._frames = self._encoder.frames()
        self.sends_pictures = self.sends_sound = self.sends_reports = True

    async def leave(self) -> None:
        """DELETE and close_notify."""
        self._stop_sending()
        if self._peer is not None:
            await self._peer.goodbye()
            self._peer = None

    async def close(self) -> None:
        """End it without a word, where it has not left."""
        self._stop_sending()
        if self._peer is not None:
            self._peer.vanish()
            self._peer = None
        await self._http.close()

    def _stop_sending(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks and self._peer is not None:
            asyncio.get_running_loop().remove_reader(self._peer.socket)
        self._tasks.clear()

    @property
    def _connected(self) -> Peer:
        assert self._peer is not None
        return self._peer

    def _send_picture(self) -> None:
        if not self.sends_pictures:
            return
        frame = next(self._frames)
        for order, payload in enumerate(frame.payloads):
            is_last = order == len(frame.payloads) - 1
            self._connected.send(self._video.seal(payload + _STAMP, self._ticks(VIDEO_CLOCK_RATE_HZ), is_last))

    def _send_sound(self) -> None:
        if self.sends_sound:
            self._connected.send(self._audio.seal(self._encoder.audio(), self._ticks(AUDIO_CLOCK_RATE_HZ), False))

    def _send_reports(self) -> None:
        if not self.sends_reports:
            return
        ntp = ntp_from_unix(time.time())
        compound: list[rtcp.RtcpPacket] = [
            self._video.sender_report(self._ticks(VIDEO_CLOCK_RATE_HZ), ntp),
            self._audio.sender_report(self._ticks(AUDIO_CLOCK_RATE_HZ), ntp),
            rtcp.SourceDescription(((self._video.ssrc, "puppet"), (self._audio.ssrc, "puppet"))),
        ]
        self._connected.send(self._connected.srtp.sealer.seal_rtcp(rtcp.serialize_compound(compound)))

    def _check_path(self) -> None:
        if self.checks_path:
            self._connected.check(time.time())

    def _ticks(self, clock_rate_hz: int) -> int:
        # All packets of a picture have to have one time: what it takes to seal them is below a frame's hundredth.
        frame = int((time.time() - self._began_s) * FRAME_RATE)
        return frame * clock_rate_hz // FRAME_RATE

    def _read(self) -> None:
        peer = self._connected
        while (arrival := receive(peer.socket)) is not None:
            for datagram in arrival.datagrams():
                if datagram[0] < _MEDIA_FROM:
                    peer.on_control(datagram, arrival.arrival_ns / 1e9)
                elif self._answers_nack:
                    self._send_again(peer, datagram)

    def _send_again(self, peer: Peer, datagram: bytes) -> None:
        feedback = self._feedback.read(peer.srtp.opener.open_rtcp(datagram), time.monotonic())
        for ssrc, sequence_number in feedback.missing:
            track = self._video if ssrc == self._video.ssrc else self._audio
            if (again := track.seal_again(sequence_number)) is not None:
                peer.send(again)


async def _repeat(interval_s: float, call: Callable[[], None]) -> None:
    async for _ in _at_a_steady_rate(interval_s):
        call()


async def _at_a_steady_rate(interval_s: float) -> AsyncIterator[int]:
    """What is late is made up for; but for what is a second late, as an encoder that was stopped skips it."""
    due_s = time.monotonic()
    for count in itertools.count():
        yield count
        due_s = max(due_s + interval_s, time.monotonic() - 1.0)
        await asyncio.sleep(max(due_s - time.monotonic(), 0.0))


@contextlib.asynccontextmanager
async def puppet(gateway: GatewayProcess, stream: str, *, answers_nack: bool = False) -> AsyncIterator[PuppetStudio]:
    """A studio that is live, ended after the block."""
    studio = PuppetStudio(gateway, stream, answers_nack=answers_nack)
    try:
        await studio.start()
        await gateway.live(stream, frames=10)
        yield studio
    finally:
        await studio.close()
