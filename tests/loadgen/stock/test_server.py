import os
from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.aiortc_peer import AiortcStudio, AiortcViewer, RefusedError
from tests.loadgen.stock.pictures import HEIGHT_PX, WIDTH_PX
from tests.loadgen.stock.process import StockServer

LEAK_BYTES = 30_000_000
SESSIONS = 3


@pytest.fixture
async def server() -> AsyncIterator[StockServer]:
    async with StockServer() as server:
        yield server


async def resident_bytes(server: StockServer) -> float:
    async with aiohttp.ClientSession() as http, http.get(server.metrics_url) as response:
        families = text_string_to_metric_families(await response.text())
    return next(family.samples[0].value for family in families if family.name == "process_resident_memory_bytes")


async def grown_bytes(server: StockServer) -> float:
    """By how much the memory of the server grows with sessions that begin and end."""
    before_bytes = await resident_bytes(server)
    for _ in range(SESSIONS):
        viewer = AiortcViewer(server.whep("any"))
        await viewer.negotiate()
        assert await viewer.delete() == 200
        await viewer.close()
    return await resident_bytes(server) - before_bytes


async def test_viewers_see_what_is_published(server: StockServer) -> None:
    studio = AiortcStudio(server.whip("table"), "H264")
    viewers = [AiortcViewer(server.whep("table")) for _ in range(2)]
    try:
        await studio.connect()
        for viewer in viewers:
            await viewer.connect()
        for viewer in viewers:
            await viewer.until_frames(10)
            assert viewer.last_frame is not None
            assert (viewer.last_frame.width, viewer.last_frame.height) == (WIDTH_PX, HEIGHT_PX)
            assert viewer.ground() == "green"
            assert viewer.audio_frames > 0
        assert await viewers[0].delete() == 200
        await viewers[0].until_state("closed", within_s=10)
        assert await studio.delete() == 200
        await studio.until_state("closed", within_s=10)
    finally:
        for peer in (studio, *viewers):
            await peer.close()


async def test_own_picture_needs_no_publisher() -> None:
    async with StockServer("--own-picture") as server:
        viewer = AiortcViewer(server.whep("whatever"))
        try:
            await viewer.connect()
            await viewer.until_frames(30)
            assert viewer.audio_frames > 0
        finally:
            await viewer.close()


async def test_stream_is_unknown_until_it_is_published(server: StockServer) -> None:
    viewer = AiortcViewer(server.whep("table"))
    with pytest.raises(RefusedError) as refused:
        await viewer.negotiate()
    await viewer.close()
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("content_type", "offer", "status"),
    [("application/json", "{}", 415), ("application/sdp", "v=0\r\ns=-\r\n", 400), ("application/sdp", "bad", 400)],
)
async def test_offer_that_is_none_is_refused(server: StockServer, content_type: str, offer: str, status: int) -> None:
    headers = {"Content-Type": content_type}
    async with aiohttp.ClientSession() as http, http.post(server.whip("x"), data=offer, headers=headers) as response:
        assert response.status == status


async def test_leak_is_seen_in_the_memory() -> None:
    async with StockServer("--own-picture", "--leak", str(LEAK_BYTES)) as server:
        assert await grown_bytes(server) >= SESSIONS * LEAK_BYTES


async def test_memory_without_a_leak_stays() -> None:
    async with StockServer("--own-picture") as server:
        await grown_bytes(server)  # the first sessions load encoders
        assert await grown_bytes(server) < LEAK_BYTES


async def test_server_ends_when_its_input_closes() -> None:
    async with StockServer() as server:
        pid = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
