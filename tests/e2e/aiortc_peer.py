"""Unmodified aiortc clients, full ICE: a studio that publishes the card, a player that decodes what it watches.

`python -m tests.e2e.aiortc_peer URL` watches until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from fractions import Fraction
from typing import Final, Self

import aiohttp
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError
from av import VideoFrame

from tests.e2e.card import Card, age_ms, ground_of
from tests.e2e.network import skip_without_gathered_addresses
from tests.e2e.orphans import end_with_the_run
from tests.e2e.waiting import until

FRAME_RATE: Final = 15
"""aiortc encodes and decodes in this process: half the usual rate leaves the cores to the others."""
CLOCK_RATE_HZ: Final = 90_000


class RefusedError(Exception):
    """The gateway refused the offer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(f"{status}: {sentence}")
        self.status = status
        self.sentence = sentence


class Peer:
    """What both have in common: offer, POST, answer, and DELETE at the end."""

    def __init__(self, url: str) -> None:
        """`url` is the WHIP or WHEP endpoint of a stream."""
        skip_without_gathered_addresses()
        # No STUN server: nothing of a test leaves this machine.
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.answer = ""
        self.session_url = ""
        self._url = url

    async def connect(self, within_s: float = 10.0) -> Self:
        """Negotiate, and wait for ICE and DTLS. RefusedError when the gateway says no."""
        await self.negotiate()
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))
        await self.until_state("connected", within_s)
        return self

    async def negotiate(self) -> None:
        """Offer, and keep the answer. RefusedError when the gateway says no."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = self.connection.localDescription.sdp
        headers = {"Content-Type": "application/sdp"}
        async with aiohttp.ClientSession() as http, http.post(self._url, data=offer, headers=headers) as response:
            self.answer = await response.text()
            if response.status != 201:
                raise RefusedError(response.status, self.answer.strip())
            self.session_url = str(response.url.join(response.url.with_path(response.headers["Location"])))

    async def until_state(self, state: str, within_s: float) -> None:
        """Wait for a state of the connection."""
        await until(lambda: self.connection.connectionState == state, within_s)

    async def delete(self) -> int:
        """End the session by DELETE; the status of the answer."""
        async with aiohttp.ClientSession() as http, http.delete(self.session_url) as response:
            return response.status

    async def close(self) -> None:
        """Close the connection, without a DELETE: close_notify is all that the gateway hears."""
        await self.connection.close()


class AiortcStudio(Peer):
    """Publishes the card by one codec, and silence."""

    def __init__(self, url: str, codec: str, ground: str = "green") -> None:
        super().__init__(url)
        video = self.connection.addTransceiver(CardTrack(ground), direction="sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        video.setCodecPreferences([each for each in known if each.mimeType.lower() == f"video/{codec.lower()}"])
        self.connection.addTransceiver(AudioStreamTrack(), direction="sendonly")


class AiortcViewer(Peer):
    """Watches, decodes, and keeps the last frame of each kind."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.frames = 0
        self.audio_frames = 0
        self.last_frame: VideoFrame | None = None
        self.ages_ms: list[int] = []
        """Of every frame whose time code could be read, when it was decoded."""
        self.ended: list[str] = []
        """Kinds of the tracks that have ended."""
        self.longest_gap_s = 0.0
        """Between two decoded video frames in a row."""
        self._frame_s: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        for kind in ("video", "audio"):
            self.connection.addTransceiver(kind, direction="recvonly")
        self.connection.on("track", self._take)

    def _take(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._receive(track)))

    async def _receive(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, VideoFrame):
                    self._note(frame, time.monotonic())
                else:
                    self.audio_frames += 1
        except MediaStreamError:
            self.ended.append(track.kind)

    def _note(self, frame: VideoFrame, now_s: float) -> None:
        self.frames += 1
        self.last_frame = frame
        if self._frame_s is not None:
            self.longest_gap_s = max(self.longest_gap_s, now_s - self._frame_s)
        self._frame_s = now_s
        age = age_ms(frame)
        if age is not None:
            self.ages_ms.append(age)

    def ground(self) -> str | None:
        """Which ground the last frame shows."""
        return ground_of(self.last_frame) if self.last_frame is not None else None

    async def until_frames(self, count: int, within_s: float = 10.0) -> None:
        """Wait for that many more video frames."""
        wanted = self.frames + count
        await until(lambda: self.frames >= wanted, within_s)

    async def close(self) -> None:
        """See `Peer`."""
        await super().close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class CardTrack(MediaStreamTrack):
    """The card, in step with the clock; frames that nobody fetched in time are skipped."""

    kind = "video"

    def __init__(self, ground: str) -> None:
        super().__init__()
        self._card = Card(ground)
        self._start_s: float | None = None
        self._number = -1

    async def recv(self) -> VideoFrame:
        """The next frame, when it is due."""
        now_s = time.monotonic()
        self._start_s = now_s if self._start_s is None else self._start_s
        self._number = max(self._number + 1, int((now_s - self._start_s) * FRAME_RATE))
        await asyncio.sleep(self._start_s + self._number / FRAME_RATE - now_s)
        frame = VideoFrame.from_ndarray(self._card.draw().planes, format="yuv420p")
        frame.pts = self._number * CLOCK_RATE_HZ // FRAME_RATE
        frame.time_base = Fraction(1, CLOCK_RATE_HZ)
        return frame


async def _watch(url: str) -> None:
    viewer = AiortcViewer(url)
    await viewer.connect()
    await asyncio.Event().wait()


if __name__ == "__main__":
    end_with_the_run()
    asyncio.run(_watch(sys.argv[1]))
