"""A load balancer in front of the gateways' HTTP ports: each new TCP connection goes to the one that is ready now."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Protocol

_READ_BYTES = 65_536


class Serving(Protocol):
    """A gateway, or what is before it."""

    @property
    def url(self) -> str:
        """Scheme, address and port."""


class Balancer:
    """`ready` is where new connections go; those that stand stay where they are."""

    def __init__(self, ready: Serving) -> None:
        self.ready = ready
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        """Carry one connection, both ways."""
        host, _, port = self.ready.url.rpartition("/")[2].rpartition(":")
        far, far_writer = await asyncio.open_connection(host, int(port))
        self._keep(_pump(near, far_writer))
        self._keep(_pump(far, near_writer))

    def _keep(self, pump: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(pump)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cut all connections."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def balancer(ready: Serving) -> AsyncIterator[Balancer]:
    """A balancer on a free port."""
    balancer = Balancer(ready)
    server = await asyncio.start_server(balancer.carry, "127.0.0.1", 0)
    balancer.url = f"{ready.url.partition(':')[0]}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield balancer
    finally:
        server.close()
        await balancer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_READ_BYTES):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
