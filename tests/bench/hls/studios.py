"""The process of the studios: streams of a real encoder's pictures and sound, all of one clip."""

import asyncio
import re
from dataclasses import replace
from functools import cache, partial

from gateway.transport.certificate import Certificate
from gateway.transport.ice import Credentials
from loadgen.figures import StudioCounts
from loadgen.peer.peer import OfferMaker, Peer
from loadgen.signalling.http import Signalling, http_client
from loadgen.studios.clip import audio_within
from loadgen.studios.generated_clip import VideoSettings, generate
from loadgen.studios.packetizer import PacketizedClip, packetize
from loadgen.studios.studio import Studio
from tests.bench.hls.voice import voice_packets
from tests.bench.pictures import FRAME_RATE, VIDEO_BPS
from tests.bench.remote import BenchError, Service

VIDEO = VideoSettings(1280, 720, FRAME_RATE, VIDEO_BPS, 1.0)
ON_AIR_WITHIN_S = 20.0


class Studios(Service):
    """Studios that publish to the gateway at `url` on `host`."""

    def __init__(self, url: str, host: str) -> None:
        self._url = url
        self._host = host
        self._certificate = Certificate.generateCertificate()
        self._http = http_client()
        self._signalling = Signalling(self._http, self._is_gateway)
        self._studios: list[Studio] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def publish(self, names: list[str], has_audio: bool) -> None:
        """Encode the clip, and put those streams on air, spread over a frame so that they do not send at once."""
        clip = await asyncio.get_running_loop().run_in_executor(None, _clip, has_audio)
        for name in names:
            studio = Studio(name, clip, (), partial(self._peer, name, has_audio), StudioCounts())
            self._studios.append(studio)
            self._tasks.append(asyncio.create_task(studio.run()))
            await asyncio.sleep((1 + 1 / len(names)) / FRAME_RATE)
        try:
            async with asyncio.timeout(ON_AIR_WITHIN_S):
                await asyncio.gather(*(studio.is_on_air.wait() for studio in self._studios))
        except TimeoutError:
            raise BenchError(f"not on air: {[studio.last_error for studio in self._studios]}") from None

    async def packets(self) -> int:
        """RTP packets that were sent since this was last asked."""
        return sum(studio.take_counts().packets for studio in self._studios)

    async def close(self) -> None:
        """Go off air."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(studio.close() for studio in self._studios))
        await self._http.close()

    def _peer(self, stream: str, has_audio: bool, offer: OfferMaker) -> Peer:
        url = f"{self._url}/whip/{stream}"
        maker = offer if has_audio else partial(_without_audio, offer)
        return Peer(self._certificate, self._signalling, url, maker, self._is_gateway)

    def _is_gateway(self, host: str) -> bool:
        return host == self._host


@cache
def _clip(has_audio: bool) -> PacketizedClip:
    video = generate(VIDEO, has_audio=False)
    audio = audio_within(voice_packets(video.duration_s), video.duration_rtp_ticks) if has_audio else ()
    return packetize(replace(video, audio=audio), "burst")


def _without_audio(offer: OfferMaker, credentials: Credentials, fingerprint: str, candidates: list[str]) -> str:
    """An offer of video alone: the generator's always has sound."""
    session, *media = offer(credentials, fingerprint, candidates).split("\r\nm=")
    video = next(section for section in media if section.startswith("video"))
    mid = next(line for line in video.splitlines() if line.startswith("a=mid:")).removeprefix("a=mid:")
    session = re.sub(r"a=group:BUNDLE .*", f"a=group:BUNDLE {mid}", session)
    return session + "\r\nm=" + video.rstrip() + "\r\n"
