"""An origin that holds LL-HLS requests back until their part is there, and counts what it is asked: no media, no rules.

`python -m tests.front.stub_origin` serves it at a free port, which it prints; `StubOrigin` is the same inside a test.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import WSMsgType, web

PART_S = 0.2
PARTS_A_SEGMENT = 10
PLAYLIST = b"#EXTM3U\n" + b"".join(b'#EXT-X-PART:DURATION=0.2,URI="video/1.%d.m4s"\n' % part for part in range(60))
PART = bytes(range(256)) * 240
"""61 kB, about what 200 ms at 2.5 Mb/s are."""
TOKEN = "Bearer watch"
REFUSAL = "Not now.\n"
ELSEWHERE = '<https://edge-b.example/hls/t/index.m3u8>; rel="alternate"'


class StubOrigin:
    """Parts appear each 200 ms from the moment it is made; what is asked below a generation waits for its part.

    `asked` counts requests by path and query, `headers` has those of the last request for each. `status`, when it is
    set, is what all of them are refused with; `hold`, when it is set, is waited for as well.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.headers: dict[str, dict[str, str]] = {}
        self.status: int | None = None
        self.hold: asyncio.Event | None = None
        self.port = 0
        self._started_s = time.monotonic()
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Serve on a free port of 127.0.0.1, or on that of the last time; the port."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024).start()
        self.port = self._runner.addresses[0][1]
        return self.port

    async def stop(self) -> None:
        """Close every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    def next_part(self) -> tuple[int, int]:
        """Segment and part of the one that comes next, or of the one after where that is near."""
        return divmod(int((time.monotonic() - self._started_s) / PART_S + 0.5), PARTS_A_SEGMENT)

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._count])
        app.add_routes(
            [
                web.get("/hls/t/index.m3u8", self._index),
                web.get("/hls/t/{generation}/{rendition}.m3u8", self._playlist),
                web.get("/hls/t/{generation}/{rendition}/{msn}.{part}.m4s", self._part),
                web.get("/signals/{stream}", self._signals),
                web.route("*", "/{other:.*}", self._other),
            ]
        )
        return app

    @web.middleware
    async def _count(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.asked[request.path_qs] += 1
        self.headers[request.path_qs] = dict(request.headers)
        return await handler(request)

    async def _index(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != TOKEN:
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        return web.Response(text="#EXTM3U\n", headers={"Cache-Control": "private, no-store"})

    async def _playlist(self, request: web.Request) -> web.Response:
        if "_HLS_msn" not in request.query:
            return self._answer(PLAYLIST, "public, max-age=60")
        return await self._held(int(request.query["_HLS_msn"]), int(request.query.get("_HLS_part", "9")), PLAYLIST)

    async def _part(self, request: web.Request) -> web.Response:
        return await self._held(int(request.match_info["msn"]), int(request.match_info["part"]), PART)

    async def _held(self, msn: int, part: int, body: bytes) -> web.Response:
        if self.hold is not None:
            await self.hold.wait()
        ready_s = self._started_s + (msn * PARTS_A_SEGMENT + part + 1) * PART_S
        await asyncio.sleep(max(0.0, ready_s - time.monotonic()))
        if self.status is not None:
            # An error with a lifetime: the front must not believe it.
            headers = {"Cache-Control": "max-age=60", "Retry-After": "2", "Link": ELSEWHERE}
            return web.Response(status=self.status, text=REFUSAL, headers=headers)
        return self._answer(body, "public, max-age=60")

    @staticmethod
    def _answer(body: bytes, cache_control: str) -> web.Response:
        headers = {"Cache-Control": cache_control, "ETag": f'"{len(body)}"', "Vary": "Origin, Accept-Encoding"}
        if body is PLAYLIST:
            body, headers["Content-Encoding"] = gzip.compress(body, mtime=0), "gzip"
        return web.Response(body=body, content_type="application/vnd.apple.mpegurl", headers=headers)

    async def _signals(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket

    async def _other(self, request: web.Request) -> web.Response:
        return web.Response(text=f"{request.method} {request.path_qs} {len(await request.read())}")


async def main() -> None:
    """See the module."""
    origin = StubOrigin()
    print(await origin.start(), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
