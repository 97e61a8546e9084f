"""WebSockets that say something of a ping's size to a server that echoes, as often as the gateway pings."""

import asyncio
import random
import time

import aiohttp

from tests.bench.remote import Service

MESSAGE = '{"type":"ping","id":1234567890,"rttMs":0.500}'
CONNECTS_AT_ONCE = 20


class Chorus(Service):
    """Each at its own time in the interval."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._rtts_s: list[float] = []

    async def join(self, count: int, interval_s: float) -> None:
        """So many of them, one message each in `interval_s`."""
        in_turn = asyncio.Semaphore(CONNECTS_AT_ONCE)

        async def connect() -> None:
            async with in_turn:
                self._sockets.append(await self._http.ws_connect(self._url, compress=0))

        await asyncio.gather(*(connect() for _ in range(count)))
        draw = random.Random(1)
        for socket in self._sockets:
            offset_s = draw.uniform(0, interval_s)
            self._tasks.append(asyncio.create_task(self._speak(socket, interval_s, offset_s)))

    async def _speak(self, socket: aiohttp.ClientWebSocketResponse, interval_s: float, offset_s: float) -> None:
        await asyncio.sleep(offset_s)
        while True:
            sent_s = time.perf_counter()
            await socket.send_str(MESSAGE)
            await socket.receive_str()
            self._rtts_s.append(time.perf_counter() - sent_s)
            await asyncio.sleep(interval_s)

    async def take(self) -> list[float]:
        """Round trips in seconds since the last call."""
        rtts_s, self._rtts_s = self._rtts_s, []
        return rtts_s

    async def close(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in self._sockets:
            await socket.close()
        await self._http.close()
