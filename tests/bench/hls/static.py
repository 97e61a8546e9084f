"""The floor of our HTTP stack: aiohttp on uvloop, as the gateway runs it, that answers with bytes it was given."""

import os

from aiohttp import web

from tests.bench.gateway_process import HOST
from tests.bench.remote import Service

PLAYLIST, PART = "/playlist.m3u8", "/part.m4s"
"""Paths of the two answers, here and of nginx."""
TYPES = {PLAYLIST: "application/vnd.apple.mpegurl", PART: "video/mp4"}


class Static(Service):
    """One response a path, made anew for each request, with no more headers than it needs."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self._bodies = bodies
        self._runner: web.AppRunner | None = None

    async def start(self) -> tuple[str, int]:
        """The URL that it listens on, and this process."""
        app = web.Application()
        app.add_routes([web.get(path, self._answer) for path in self._bodies])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        return f"http://{HOST}:{self._runner.addresses[0][1]}", os.getpid()

    async def close(self) -> None:
        """End."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        return web.Response(body=self._bodies[request.path], content_type=TYPES[request.path])
