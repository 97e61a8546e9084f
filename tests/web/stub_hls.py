"""An LL-HLS presentation for the pages' tests: encoded beforehand, and served as if it were being made now."""

from __future__ import annotations

import asyncio
import functools
import io
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import av
from aiohttp import web
from av.video.stream import VideoStream

from gateway.demo.planar import Picture
from gateway.hls.clock_text import date_time

WIDTH_PX, HEIGHT_PX, FRAME_RATE = 640, 96, 15
FRAMES_A_PART = 3
PARTS_A_SEGMENT = 5
PART_S = FRAMES_A_PART / FRAME_RATE
SEGMENT_S = PART_S * PARTS_A_SEGMENT
SEGMENTS_IN_WINDOW = 6
LENGTH_S = 60
"""Longer than any test lasts."""
BLOCK_WITHIN_S = 3.0


@functools.cache
def presentation() -> tuple[bytes, list[bytes]]:
    """The init section, and each part: one moof and mdat."""
    made = io.BytesIO()
    options = {"movflags": "empty_moov+default_base_moof+frag_keyframe"}
    with av.open(made, "w", format="mp4", options=options) as container:
        stream = container.add_stream(
            "libx264", rate=FRAME_RATE, options={"preset": "ultrafast", "tune": "zerolatency"}
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = WIDTH_PX, HEIGHT_PX, "yuv420p", FRAMES_A_PART
        for number in range(LENGTH_S * FRAME_RATE):
            container.mux(stream.encode(_frame(number)))
        container.mux(stream.encode(None))
    return _split(made.getvalue())


def _frame(number: int) -> av.VideoFrame:
    """White, with a dark bar that moves."""
    picture = Picture(WIDTH_PX, HEIGHT_PX)
    picture.planes.fill(128)
    picture.luma.fill(220)
    left = number * 8 % (WIDTH_PX - 32)
    picture.luma[:, left : left + 32] = 40
    frame = av.VideoFrame.from_ndarray(picture.planes, format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
    return frame


def _split(file: bytes) -> tuple[bytes, list[bytes]]:
    init, parts, at = b"", [], 0
    while at < len(file):
        size, kind = struct.unpack_from(">I4s", file, at)
        box = file[at : at + size]
        if kind in (b"ftyp", b"moov"):
            init += box
        elif kind == b"moof":
            parts.append(box)
        elif kind == b"mdat":
            parts[-1] += box
        at += size
    return init, parts


@dataclass
class StubHls:
    """Serves /hls/{stream}/...: nothing of it until `start`, 404 of a former generation after the next `start`."""

    refusal: web.Response | None = None
    """What the stable address answers instead."""
    playlist_refusal: Callable[[], web.Response] | None = None
    """Makes what media playlists answer instead."""
    generation: int = 0
    requests: list[web.Request] = field(default_factory=list)
    _started_s: float = 0.0
    _stopped_s: float | None = None
    _ended: bool = False

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/hls/{stream}/index.m3u8", self._find),
            web.get("/hls/{stream}/{generation}/index.m3u8", self._multivariant),
            web.get("/hls/{stream}/{generation}/video.m3u8", self._playlist),
            web.get("/hls/{stream}/{generation}/{name:init|[0-9]+|[0-9]+\\.[0-9]+}.{kind:mp4|m4s}", self._media),
        ]

    def start(self) -> None:
        """Begin a generation; one part is there, and five segments before it."""
        self.generation += 1
        self._started_s = time.monotonic() - 5 * SEGMENT_S - PART_S
        self._stopped_s, self._ended = None, False

    def hang(self) -> None:
        """No part comes any more, as of a studio that hangs."""
        self._stopped_s = time.monotonic()

    def end(self) -> None:
        """EXT-X-ENDLIST."""
        self.hang()
        self._ended = True

    def stop(self) -> None:
        """The stream is gone: 404 of everything, and where it was, Retry-After."""
        self._started_s = 0.0

    async def _find(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if self.refusal is not None:
            return self.refusal
        if not self._started_s:
            return web.Response(status=404, headers={"Retry-After": "1"} if self.generation else {}, text="Nobody.")
        location = f"/hls/{request.match_info['stream']}/{self.generation}/index.m3u8"
        text = MULTIVARIANT.replace("video.m3u8", f"{self.generation}/video.m3u8")
        return web.Response(text=text, headers={"Content-Location": location})

    async def _multivariant(self, request: web.Request) -> web.Response:
        return self._checked(request) or web.Response(text=MULTIVARIANT)

    async def _playlist(self, request: web.Request) -> web.Response:
        refused = self._checked(request)
        if refused is not None:
            return refused
        if self.playlist_refusal is not None:
            return self.playlist_refusal()
        if "_HLS_msn" in request.query:
            msn, part = int(request.query["_HLS_msn"]), int(request.query.get("_HLS_part", PARTS_A_SEGMENT - 1))
            await self._until(msn * PARTS_A_SEGMENT + part + 1)
        return self._gone(request) or web.Response(text=self._render())

    async def _media(self, request: web.Request) -> web.Response:
        refused = self._checked(request)
        if refused is not None:
            return refused
        init, parts = presentation()
        if request.match_info["name"] == "init":
            return web.Response(body=init)
        msn, _, part = request.match_info["name"].partition(".")
        first = int(msn) * PARTS_A_SEGMENT + int(part or 0)
        last = first + 1 if part else first + PARTS_A_SEGMENT
        await self._until(last)
        return web.Response(body=b"".join(parts[first:last]))

    def _checked(self, request: web.Request) -> web.Response | None:
        self.requests.append(request)
        return self._gone(request)

    def _gone(self, request: web.Request) -> web.Response | None:
        if self._started_s and request.match_info["generation"] == str(self.generation):
            return None
        return web.Response(status=404, text="Gone.")

    def _parts(self) -> int:
        now_s = time.monotonic() if self._stopped_s is None else self._stopped_s
        return int((now_s - self._started_s) / PART_S)

    async def _until(self, parts: int) -> None:
        deadline_s = time.monotonic() + BLOCK_WITHIN_S
        while self._parts() < parts and not self._ended and time.monotonic() < deadline_s:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def _render(self) -> str:
        made = self._parts()
        msn = made // PARTS_A_SEGMENT
        first = max(0, msn - SEGMENTS_IN_WINDOW)
        begins_unix_s = time.time() - time.monotonic() + self._started_s + first * SEGMENT_S
        lines = [*HEADER, f"#EXT-X-MEDIA-SEQUENCE:{first}", '#EXT-X-MAP:URI="init.mp4"']
        lines += [f"#EXT-X-PROGRAM-DATE-TIME:{date_time(begins_unix_s)}"]
        for segment in range(first, msn + 1):
            parts = min(PARTS_A_SEGMENT, made - segment * PARTS_A_SEGMENT)
            if segment > msn - 3:
                names = (f"{segment}.{part}.m4s" for part in range(parts))
                lines += [f'#EXT-X-PART:DURATION={PART_S},URI="{name}",INDEPENDENT=YES' for name in names]
            if parts == PARTS_A_SEGMENT:
                lines += [f"#EXTINF:{SEGMENT_S},", f"{segment}.m4s"]
        if self._ended:
            return "\n".join([*lines, "#EXT-X-ENDLIST", ""])
        hint = f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{msn}.{made % PARTS_A_SEGMENT}.m4s"'
        return "\n".join([*lines, hint, ""])


MULTIVARIANT = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=400000,CODECS="avc1.42c00c",RESOLUTION=640x96,FRAME-RATE=15.000
video.m3u8
"""
HEADER = (
    "#EXTM3U",
    "#EXT-X-VERSION:9",
    "#EXT-X-TARGETDURATION:1",
    f"#EXT-X-PART-INF:PART-TARGET={PART_S}",
    f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={3.5 * PART_S:.1f},HOLD-BACK=3.0",
)
