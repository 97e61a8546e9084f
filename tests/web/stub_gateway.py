"""A gateway for the pages' tests, made of aiortc: it plays the pages a picture, and says no when a test wants it to."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from aiohttp import web
from aiohttp.typedefs import Handler
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from gateway.demo.clock_strip import draw_strip
from gateway.demo.planar import Picture
from gateway.web import WEB_ROOT
from tests.web.stub_hls import StubHls

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": "Content-Location, ETag, Link, Location, Retry-After",
}
LOOK_EVERY_S = 0.05
WIDTH_PX, HEIGHT_PX, FRAME_RATE = 640, 96, 15


@dataclass
class Request:
    """What a page asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    at_s: float


class StripTrack(VideoStreamTrack):
    """A grey picture with the time code, until `freeze`, or for that many frames."""

    def __init__(self, frames: int | None) -> None:
        super().__init__()
        self._frames = frames
        self._runs = asyncio.Event()
        self._runs.set()
        self._number = 0

    def freeze(self) -> None:
        self._runs.clear()

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(1 / FRAME_RATE)
        if self._number == self._frames:
            self.freeze()
        await self._runs.wait()
        picture = Picture(WIDTH_PX, HEIGHT_PX)
        picture.planes.fill(110)
        draw_strip(picture, int(time.time() * 1000))
        frame = VideoFrame.from_ndarray(picture.planes, format="yuv420p")
        self._number += 1
        frame.pts, frame.time_base = self._number * 90_000 // FRAME_RATE, Fraction(1, 90_000)
        return frame


@dataclass
class StubGateway:
    """Serves the pages; `refusals` are answered to the next POSTs, one each, before offers are taken again."""

    refusals: deque[web.Response] = field(default_factory=deque)
    streams: list[dict[str, object]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    peers: list[RTCPeerConnection] = field(default_factory=list)
    strips: list[StripTrack] = field(default_factory=list)
    channels: list[RTCDataChannel] = field(default_factory=list)
    frames_a_session: int | None = None
    received: list[MediaStreamTrack] = field(default_factory=list)
    frames_received: int = 0
    hls: StubHls = field(default_factory=StubHls)
    mute: bool = False
    """Sessions are opened, and no media comes: a path that UDP does not get through."""
    move: dict[str, object] | None = None
    """What each data channel is told as soon as it is there."""
    _drains: list[asyncio.Task[None]] = field(default_factory=list)

    def application(self) -> web.Application:
        application = web.Application(middlewares=[_preflight])
        application.on_response_prepare.append(_share)
        pages = {"/": "index.html", "/watch/{stream}": "watch.html", "/studio/{stream}": "studio.html"}
        for path, name in pages.items():
            application.router.add_get(path, self._page(name))
        application.router.add_static("/web/", WEB_ROOT)
        application.router.add_routes(self.hls.routes())
        application.router.add_get("/api/v1/streams", self._list_streams)
        application.router.add_get("/api/v1/streams/{stream}", self._describe_stream)
        for leg in ("whep", "whip"):
            application.router.add_post(f"/{leg}/{{stream}}", self._take_offer)
            application.router.add_route("*", f"/{leg}/{{stream}}/{{session}}", self._take_session_request)
        return application

    def asked(self, method: str, prefix: str = "/whep/") -> list[Request]:
        return [request for request in self.requests if request.method == method and request.path.startswith(prefix)]

    async def close(self) -> None:
        for drain in self._drains:
            drain.cancel()
        await asyncio.gather(*(peer.close() for peer in self.peers), *self._drains, return_exceptions=True)

    def _page(self, name: str) -> Handler:
        async def serve(_request: web.Request) -> web.FileResponse:
            return web.FileResponse(WEB_ROOT / name)

        return serve

    async def _list_streams(self, _request: web.Request) -> web.Response:
        return web.json_response({"streams": self.streams})

    async def _describe_stream(self, request: web.Request) -> web.Response:
        for stream in self.streams:
            if stream["stream"] == request.match_info["stream"]:
                return web.json_response(stream)
        return web.Response(status=404, text=json.dumps({"error": "No such stream."}))

    async def _take_offer(self, request: web.Request) -> web.Response:
        offer = await self._note(request)
        if self.refusals:
            return self.refusals.popleft()
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peers.append(peer)
        peer.on("track", self._drain)
        peer.on("datachannel", self._hold)
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        if request.path.startswith("/whep/"):
            self._play_to(peer)
        await peer.setLocalDescription(await peer.createAnswer())
        answer = (
            re.sub(r"a=candidate:.*\r\n", "", peer.localDescription.sdp) if self.mute else peer.localDescription.sdp
        )
        location = f"{request.path}/{len(self.peers)}"
        headers = {"Location": location, "ETag": '"1"', "Content-Type": "application/sdp"}
        return web.Response(status=201, headers=headers, body=answer)

    async def _take_session_request(self, request: web.Request) -> web.Response:
        """DELETE ends the session; a PATCH finds none, as after a restart of the gateway."""
        await self._note(request)
        return web.Response(status=200 if request.method == "DELETE" else 404, text="No such session.")

    async def _note(self, request: web.Request) -> str:
        body = await request.text()
        self.requests.append(Request(request.method, request.path, dict(request.headers), body, time.monotonic()))
        return body

    def _play_to(self, peer: RTCPeerConnection) -> None:
        strip = StripTrack(self.frames_a_session)
        self.strips.append(strip)
        peer.addTrack(strip)

    def _hold(self, channel: RTCDataChannel) -> None:
        self.channels.append(channel)
        if self.move is not None:
            channel.send(json.dumps(self.move))

    def _drain(self, track: MediaStreamTrack) -> None:
        self.received.append(track)
        self._drains.append(asyncio.ensure_future(self._count(track)))

    async def _count(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                await track.recv()
                self.frames_received += track.kind == "video"
        except MediaStreamError:
            return


@web.middleware
async def _preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    return web.Response() if request.method == "OPTIONS" else await handler(request)


async def _share(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(CORS)


async def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait for what a page does in its own time; TimeoutError when it does not."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 (the condition is over lists that nobody signals)
            await asyncio.sleep(LOOK_EVERY_S)
