"""Malformed, replayed and copied datagrams at the media port while somebody watches."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import pytest

from tests.e2e.aiortc_peer import AiortcViewer
from tests.e2e.conftest import StartGateway
from tests.e2e.garbage import garbage
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.relay import GATEWAY_HOST, LISTEN, Path, kind_of, relay_before
from tests.e2e.studio_av import AvStudio
from tests.e2e.windows import in_one_window

DATAGRAMS = 5_000
BURST = 50
BETWEEN_BURSTS_S = 0.01
GAP_WITHIN_S = 1.0
RSS_GROWTH_BYTES = 6_000_000
CAUSES = {
    *("malformed_stun", "stun_not_authentic", "unknown_source", "unknown_kind"),
    *("malformed_media", "not_authentic", "replayed", "unexpected_rtp"),
}


@dataclass
class Scene:
    """A studio and a player, whose datagrams pass by a relay that has kept some of them."""

    gateway: GatewayProcess
    viewer: AiortcViewer
    studio_path: Path
    viewer_path: Path


@pytest.fixture
async def scene(start_gateway: StartGateway, cleanup: contextlib.AsyncExitStack) -> Scene:
    """The player has watched for two seconds."""
    gateway = await start_gateway(**LISTEN)
    relay = await cleanup.enter_async_context(relay_before(gateway))
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live("card")
    studio_path = relay.newest
    viewer = AiortcViewer(f"{gateway.url}/whep/card")
    cleanup.push_async_callback(viewer.close)
    await viewer.connect()
    await viewer.until_frames(60)
    return Scene(gateway, viewer, studio_path, relay.newest)


@pytest.fixture
def stranger(scene: Scene, cleanup: contextlib.AsyncExitStack) -> socket.socket:
    """Somebody who has listened on the path, and sends from an address of his own."""
    stranger = cleanup.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    stranger.connect((GATEWAY_HOST, scene.gateway.udp_port))
    stranger.setblocking(False)
    return stranger


async def test_malformed_traffic_is_counted_and_harms_nobody(
    scene: Scene, stranger: socket.socket, measured: Callable[[str], None]
) -> None:
    gateway = scene.gateway
    process = psutil.Process(gateway.pid)
    before, rss_bytes = await gateway.metrics(), process.memory_info().rss
    ways: list[tuple[Callable[[bytes], object], Iterator[bytes]]] = [
        (stranger.send, garbage(scene.studio_path.kept, DATAGRAMS)),
        (stranger.send, garbage(scene.viewer_path.kept, DATAGRAMS)),
        (scene.studio_path.inject, garbage(scene.studio_path.kept, DATAGRAMS)),
        (scene.viewer_path.inject, garbage(scene.viewer_path.kept, DATAGRAMS)),
    ]
    # Before a copied check makes the stranger known.
    stranger.send(scene.studio_path.kept["rtp"][0])

    async def burst() -> float:
        """The longest gap meanwhile, in s."""
        scene.viewer.longest_gap_s = 0.0
        for number in range(DATAGRAMS):
            send, datagrams = ways[number % len(ways)]
            send(next(datagrams))
            if number % BURST == 0:
                await asyncio.sleep(BETWEEN_BURSTS_S)
        await scene.viewer.until_frames(30)
        return scene.viewer.longest_gap_s

    gap_s = await in_one_window(burst, lambda gap_s: gap_s < GAP_WITHIN_S)
    after = await gateway.metrics()
    grown_bytes = process.memory_info().rss - rss_bytes
    name = "railbird_datagrams_dropped_total"
    dropped = {cause: int(n - before.value(name, cause=cause)) for cause, n in after.by_label(name, "cause").items()}
    measured(f"longest gap between frames {gap_s * 1000:.0f} ms, RSS grew by {grown_bytes / 1e6:.1f} MB")
    measured(f"dropped {dropped}")
    assert grown_bytes < RSS_GROWTH_BYTES
    assert {cause for cause in CAUSES if not dropped.get(cause)} == set()
    assert len(await gateway.sessions()) == 2


async def test_copied_checks_do_not_draw_the_picture_away(scene: Scene, stranger: socket.socket) -> None:
    async def copy() -> float:
        """The longest gap afterwards, in s."""
        scene.viewer.longest_gap_s = 0.0
        for check in scene.viewer_path.kept["stun"]:
            stranger.send(check)
        await scene.viewer.until_frames(60)
        return scene.viewer.longest_gap_s

    await in_one_window(copy, lambda gap_s: gap_s < GAP_WITHIN_S)
    assert {kind_of(datagram) for datagram in _received(stranger)} <= {"stun"}


def _received(stranger: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(BlockingIOError):
        while True:
            yield stranger.recv(2048)
