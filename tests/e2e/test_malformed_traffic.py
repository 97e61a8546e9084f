"""Thousands of malformed and replayed datagrams at the media port while somebody watches."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import psutil

from tests.e2e.aiortc_peer import AiortcViewer
from tests.e2e.conftest import StartGateway
from tests.e2e.garbage import garbage
from tests.e2e.relay import GATEWAY_HOST, LISTEN, relay_before
from tests.e2e.studio_av import AvStudio

DATAGRAMS = 5_000
BURST = 50
BETWEEN_BURSTS_S = 0.01
GAP_WITHIN_S = 1.0
RSS_GROWTH_BYTES = 6_000_000
CAUSES = {
    *("malformed_stun", "unknown_ufrag", "stun_not_authentic"),
    *("unknown_source", "unknown_kind", "malformed_media", "not_authentic", "replayed", "unexpected_rtp"),
}


async def test_malformed_traffic_is_counted_and_harms_nobody(
    start_gateway: StartGateway, cleanup: contextlib.AsyncExitStack, measured: Callable[[str], None]
) -> None:
    gateway = await start_gateway(**LISTEN)
    relay = await cleanup.enter_async_context(relay_before(gateway))
    studio = await AvStudio(gateway, "card").start()
    cleanup.push_async_callback(studio.stop)
    await gateway.live("card")
    studio_path = relay.newest
    viewer = AiortcViewer(f"{gateway.url}/whep/card")
    cleanup.push_async_callback(viewer.close)
    await viewer.connect()
    viewer_path = relay.newest
    await viewer.until_frames(60)

    stranger = cleanup.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    stranger.connect((GATEWAY_HOST, gateway.udp_port))
    process = psutil.Process(gateway.pid)
    before, rss_bytes = await gateway.metrics(), process.memory_info().rss
    frames, viewer.longest_gap_s = viewer.frames, 0.0
    ways: list[tuple[Callable[[bytes], object], Iterator[bytes]]] = [
        (stranger.send, garbage(studio_path.kept, DATAGRAMS)),
        (stranger.send, garbage(viewer_path.kept, DATAGRAMS)),
        (studio_path.inject, garbage(studio_path.kept, DATAGRAMS)),
        (viewer_path.inject, garbage(viewer_path.kept, DATAGRAMS)),
    ]
    for number in range(DATAGRAMS):
        send, datagrams = ways[number % len(ways)]
        send(next(datagrams))
        if number % BURST == 0:
            await asyncio.sleep(BETWEEN_BURSTS_S)
    await viewer.until_frames(30)

    after = await gateway.metrics()
    grown_bytes = process.memory_info().rss - rss_bytes
    name = "railbird_datagrams_dropped_total"
    dropped = {cause: count - before.value(name, cause=cause) for cause, count in after.by_label(name, "cause").items()}
    measured(f"longest gap between frames {viewer.longest_gap_s * 1000:.0f} ms, RSS grew by {grown_bytes / 1e6:.1f} MB")
    measured(f"dropped {dropped}")
    assert viewer.longest_gap_s < GAP_WITHIN_S
    assert viewer.frames > frames
    assert grown_bytes < RSS_GROWTH_BYTES
    assert {cause for cause in CAUSES if not dropped.get(cause)} == set()
    assert len(await gateway.sessions()) == 2
