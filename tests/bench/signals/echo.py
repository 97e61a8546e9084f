"""The floor of our WebSockets: aiohttp on uvloop, as the gateway runs it, that sends back what it gets."""

import os

from aiohttp import WSMsgType, web

from tests.bench.gateway_process import HOST
from tests.bench.remote import Service


class Echo(Service):
    """Knows nobody, parses nothing, counts nothing."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None

    async def start(self) -> tuple[str, int]:
        """The URL that it listens on, and this process."""
        app = web.Application()
        app.add_routes([web.get("/", self._echo)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        return f"http://{HOST}:{self._runner.addresses[0][1]}/", os.getpid()

    async def close(self) -> None:
        """End."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _echo(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket
