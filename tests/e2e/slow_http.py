"""A TCP proxy in front of the gateway's HTTP port that holds all it carries for a while, as a long way would."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.e2e.gateway_process import GatewayProcess

_READ_BYTES = 65_536


@contextlib.asynccontextmanager
async def slow_http(gateway: GatewayProcess, delay_s: float) -> AsyncIterator[str]:
    """The URL at which the gateway is `delay_s` further away, in each direction."""
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    tasks: set[asyncio.Task[None]] = set()

    async def carry(near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        far, far_writer = await asyncio.open_connection(host, int(port))
        for reader, writer in ((near, far_writer), (far, near_writer)):
            task = asyncio.create_task(_pump(reader, writer, delay_s))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Write what is read, `delay_s` later, until either end is closed."""
    loop = asyncio.get_running_loop()
    try:
        while chunk := await reader.read(_READ_BYTES):
            loop.call_later(delay_s, _write, writer, chunk)
        await asyncio.sleep(delay_s)
    except ConnectionError:
        pass
    finally:
        writer.close()


def _write(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    if not writer.is_closing():
        writer.write(chunk)
