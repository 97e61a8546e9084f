"""Studios as they are, against the gateway as it is: what a stock viewer decodes, and the stamps in what arrives."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiortc import RTCRtpReceiver

from gateway.transport.certificate import Certificate
from loadgen.figures import StudioCounts
from loadgen.peer.peer import Peer
from loadgen.scenario.schema import PauseEvent, ReconnectEvent
from loadgen.signalling.http import Signalling, http_client
from loadgen.studios import file_clip
from loadgen.studios.clip import Clip
from loadgen.studios.packetizer import Pacing, packetize
from loadgen.studios.stamps import Stamp, find_stamp
from loadgen.studios.studio import Studio
from loadgen.studios.timeline import Event
from tests.e2e.aiortc_peer import AiortcViewer
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.waiting import until
from tests.e2e.windows import in_one_window
from tests.loadgen.stock.process import StockServer
from tests.loadgen.studios.clips import generated, write_file

STREAM = "table-1"

EVENT_AT_S = 1.0
"""After the viewer's picture is there."""

MAX_GAP_S = 5.0
"""An event takes two seconds at most, and what else the machine does is no fault of the studio's."""


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[GatewayProcess]:
    process = GatewayProcess(tmp_path / "gateway.log", "[::]:0", "127.0.0.1:0", {})
    try:
        yield await process.start()
    finally:
        await process.stop()


@pytest.fixture
async def on_air() -> AsyncIterator[Callable[..., Studio]]:
    """Puts a studio on air at a server; it is closed after the test. Its events wait for `begin`."""
    async with contextlib.AsyncExitStack() as cleanup:
        http = await cleanup.enter_async_context(http_client())
        signalling = Signalling(http, lambda _host: True)
        certificate = Certificate.generateCertificate()

        def start(base_url: str, clip: Clip, pacing: Pacing = "burst", events: tuple[Event, ...] = ()) -> Studio:
            url = f"{base_url}/whip/{STREAM}"
            studio = Studio(
                STREAM,
                packetize(clip, pacing),
                events,
                lambda offer: Peer(certificate, signalling, url, offer, lambda _host: True),
                StudioCounts(),
            )
            running = asyncio.create_task(studio.run())
            cleanup.push_async_callback(studio.close)
            cleanup.push_async_callback(_cancel, running)
            return studio

        yield start


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def stamps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Stamp, float]]:
    """What viewers of this process receive: stamps, and how old they were then."""
    seen: list[tuple[Stamp, float]] = []
    original = RTCRtpReceiver._handle_rtp_packet

    async def handle(self: RTCRtpReceiver, packet: object, arrival_time_ms: int) -> None:
        stamp = find_stamp([packet.payload])  # type: ignore[attr-defined]
        if stamp is not None:
            seen.append((stamp, time.time() - stamp.unix_ns / 1e9))
        await original(self, packet, arrival_time_ms)  # type: ignore[arg-type]

    monkeypatch.setattr(RTCRtpReceiver, "_handle_rtp_packet", handle)
    return seen


async def watching(gateway: GatewayProcess, cleanup: contextlib.AsyncExitStack) -> AiortcViewer:
    await gateway.live(STREAM, frames=15)
    viewer = AiortcViewer(f"{gateway.url}/whep/{STREAM}")
    cleanup.push_async_callback(viewer.close)
    await viewer.connect()
    await viewer.until_frames(15)
    return viewer


@pytest.mark.parametrize("pacing", ["burst", "paced"])
async def test_generated_clip_is_decoded_and_stamped(
    gateway: GatewayProcess,
    on_air: Callable[..., Studio],
    stamps: list[tuple[Stamp, float]],
    pacing: Pacing,
) -> None:
    studio = on_air(gateway.url, generated(), pacing)
    async with contextlib.AsyncExitStack() as cleanup:
        viewer = await watching(gateway, cleanup)
        await viewer.until_frames(150)  # the clip is 120 long: it is looped
        assert viewer.audio_frames > 0
        assert viewer.last_frame is not None
        assert (viewer.last_frame.width, viewer.last_frame.height) == (320, 240)
    numbers = [stamp.frame_number for stamp, _age_s in stamps]
    recent = numbers[-120:]
    assert recent == list(range(recent[0], recent[0] + 120)), "every frame is stamped, none is missing"
    ages_s = [age_s for _stamp, age_s in stamps[-100:]]
    assert 0 < sorted(ages_s)[50] < 0.5
    assert studio.counts.connects == 1
    assert studio.counts.failures == 0
    metrics = await gateway.metrics()
    assert metrics.value("railbird_packets_lost_total", leg="ingest") == 0


async def test_file_clip_is_decoded(gateway: GatewayProcess, on_air: Callable[..., Studio], tmp_path: Path) -> None:
    on_air(gateway.url, file_clip.read(write_file(tmp_path / "clip.mp4")))
    async with contextlib.AsyncExitStack() as cleanup:
        viewer = await watching(gateway, cleanup)
        await viewer.until_frames(90)  # the clip is 60 long
        assert viewer.audio_frames > 0
        assert viewer.last_frame is not None
        assert viewer.last_frame.width == 160


async def test_pause_of_the_studio_is_a_gap_and_not_the_end(
    gateway: GatewayProcess, on_air: Callable[..., Studio]
) -> None:
    studio = on_air(gateway.url, generated(), events=(PauseEvent(at_s=EVENT_AT_S, pause_s=2.0),))
    async with contextlib.AsyncExitStack() as cleanup:
        viewer = await watching(gateway, cleanup)
        studio.begin(time.time())
        await until(lambda: viewer.longest_gap_s > 1.5)
        await viewer.until_frames(30)
        assert viewer.longest_gap_s < MAX_GAP_S
    assert studio.counts.connects == 1


@pytest.mark.parametrize("goodbye", [False, True])
async def test_studio_that_reconnects_is_seen_again(
    gateway: GatewayProcess, on_air: Callable[..., Studio], goodbye: bool
) -> None:
    event = ReconnectEvent(at_s=EVENT_AT_S, reconnect_after_s=1.0, goodbye=goodbye)
    studio = on_air(gateway.url, generated(), events=(event,))
    async with contextlib.AsyncExitStack() as cleanup:
        viewer = await watching(gateway, cleanup)
        studio.begin(time.time())
        await until(lambda: studio.counts.connects == 2)
        await until(lambda: viewer.longest_gap_s > 0.4)
        await viewer.until_frames(60)
        assert viewer.longest_gap_s < MAX_GAP_S
    assert studio.counts.failures == 0


async def test_studio_ends_with_delete(gateway: GatewayProcess, on_air: Callable[..., Studio]) -> None:
    studio = on_air(gateway.url, generated())
    await gateway.live(STREAM)
    await studio.close()
    assert await gateway.sessions() == []
    metrics = await gateway.metrics()
    assert metrics.value("railbird_sessions_ended_total", leg="ingest", cause="deleted") == 1


async def test_stock_server_decodes_what_a_studio_sends(on_air: Callable[..., Studio]) -> None:
    async with StockServer() as server, contextlib.AsyncExitStack() as cleanup:
        studio = on_air(server.url, generated())
        await asyncio.wait_for(studio.is_on_air.wait(), 10)
        viewer = AiortcViewer(f"{server.url}/whep/{STREAM}")
        cleanup.push_async_callback(viewer.close)
        await viewer.connect()

        async def measure() -> float:
            """The longest gap in more than one turn of the clip, in s."""
            viewer.longest_gap_s = 0.0
            await viewer.until_frames(150, within_s=20)
            return viewer.longest_gap_s

        await in_one_window(measure, lambda gap_s: gap_s < 1.0)
        assert viewer.audio_frames > 0
        await studio.close()
    assert studio.counts.failures == 0
