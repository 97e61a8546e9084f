"""Whether the sidecar lives: its looks end."""

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.cordon.drain_file import DrainFile
from gateway.cordon.livez import serving
from gateway.cordon.watching import Watch
from tests.cordon.api_server import NAME, node, written
from tests.e2e.waiting import eventually


async def _never(_name: str) -> bytes:
    await asyncio.Event().wait()
    return b""


async def _open(_name: str) -> bytes:
    return written(node())


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(NAME, (), _open, DrainFile(tmp_path / "drain"))


async def test_livez_is_200_while_looks_end_and_503_when_none_does(watch: Watch) -> None:
    with capture_logs() as logs:
        async with serving(watch, 0, 1.0), aiohttp.ClientSession() as client:
            url = f"http://127.0.0.1:{logs[0]['livez']}/livez"
            await watch.look()
            async with client.get(url) as response:
                assert (response.status, await response.text()) == (200, "ok\n")
            watch._fetch = _never
            looking = asyncio.create_task(watch.look())

            async def status() -> int:
                async with client.get(url) as response:
                    return response.status

            await eventually(status, lambda told: told == 503)
            looking.cancel()


async def test_livez_is_not_served_where_no_port_is_named(watch: Watch) -> None:
    with capture_logs() as logs:
        async with serving(watch, None, 1):
            assert logs == []


async def test_port_that_is_taken_is_an_error_of_the_system(watch: Watch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="address already in use"):
        async with serving(watch, taken.getsockname()[1], 1):
            raise AssertionError("it is taken")
