"""A stub of an origin, or a gateway, with Debian's nginx in front of it, and clients over TLS."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest

from tests.front.nginx_process import NginxProcess
from tests.front.stub_origin import StubOrigin

LUA, PLAIN = "nginx.conf", "nginx-plain.conf"

OpenClient = Callable[[NginxProcess], aiohttp.ClientSession]
"""`open_client`: a client with a connection for each request under way, which shows bodies as they were sent."""


class StartFront(Protocol):
    """`start_front`: an nginx with `conf` and so many `workers` in front of 127.0.0.1:`gateway_port`, or the stub."""

    async def __call__(self, conf: str = LUA, workers: int = 1, gateway_port: int | None = None) -> NginxProcess:
        """Started, and stopped after the test."""


@pytest.fixture
async def cleanup() -> AsyncIterator[contextlib.AsyncExitStack]:
    """What a test starts goes in here: it ends in reverse order."""
    async with contextlib.AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def origin(cleanup: contextlib.AsyncExitStack) -> StubOrigin:
    """A running stub."""
    stub = StubOrigin()
    cleanup.push_async_callback(stub.stop)
    await stub.start()
    return stub


@pytest.fixture
def start_front(tmp_path: Path, origin: StubOrigin, cleanup: contextlib.AsyncExitStack) -> StartFront:
    """Starts fronts. After the test each is ended, and its log searched for what failed in Lua."""
    directories = (tmp_path / f"front-{number}" for number in itertools.count())

    async def start(conf: str = LUA, workers: int = 1, gateway_port: int | None = None) -> NginxProcess:
        directory = next(directories)
        directory.mkdir()
        nginx = NginxProcess(directory, gateway_port or origin.port, conf, workers)
        cleanup.push_async_callback(nginx.stop)
        return await nginx.start()

    return start


@pytest.fixture
async def front(start_front: StartFront) -> NginxProcess:
    """The front as it is meant to run, before the stub."""
    return await start_front()


@pytest.fixture
async def client(front: NginxProcess, open_client: OpenClient) -> aiohttp.ClientSession:
    """A client of `front`."""
    return open_client(front)


@pytest.fixture
def open_client(cleanup: contextlib.AsyncExitStack) -> OpenClient:
    """Clients, closed after the test."""

    def open_one(nginx: NginxProcess) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            nginx.url,
            connector=aiohttp.TCPConnector(ssl=nginx.tls(), limit=0),
            timeout=aiohttp.ClientTimeout(total=20),
            auto_decompress=False,
        )
        cleanup.push_async_callback(session.close)
        return session

    return open_one
