"""One run of a gateway with three streams at once, and a player on each: what the rules are then held against."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import Final

import aiohttp

from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.studio_av import AvStudio
from tests.e2e.waiting import until
from tests.hls_conformance.marking_gateway import MarkingGateway
from tests.hls_conformance.player import PLAYLIST_HEADERS, Player, fetch
from tests.hls_conformance.probes import Prober
from tests.hls_conformance.recording import Recording, Stream
from tests.hls_conformance.small_studio import SmallStudio

GRACE_S: Final = 3.0
SETTINGS: Final = {"TIMEOUTS__PUBLISHER_GRACE_S": str(GRACE_S)}
FIRST_PLAYLIST_WITHIN_S: Final = 15.0
WARM_UP_S: Final = 5.0
STALL_S: Final = 0.45
"""Pictures are missing for longer than a part lasts, as a busy studio's are."""
STEADY_S: Final = 27.0
"""Long enough that segments leave the window and their availability (6.2.2) runs out."""
BEFORE_RETURN_S: Final = 5.0
DISCONTINUITY_LEAVES_WITHIN_S: Final = 30.0
ENDLIST_WITHIN_S: Final = GRACE_S + 5.0


async def record(directory: Path) -> Recording:
    """Run it all. AssertionError where the gateway does not come as far as a first playlist."""
    gateway = MarkingGateway(directory / "gateway.log", "[::]:0", "127.0.0.1:0", SETTINGS)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(lambda: print(f"--- gateway.log\n{gateway.log()[-20_000:]}"))
        await gateway.start()
        stack.push_async_callback(gateway.ended)
        stack.callback(gateway.terminate)
        connector = aiohttp.TCPConnector(limit=0)
        client = aiohttp.ClientSession(gateway.url, connector=connector, auto_decompress=False)
        await stack.enter_async_context(client)
        run = _Run(gateway, client, stack)
        async with asyncio.TaskGroup() as group:
            steady, returns, leaves = (group.create_task(play()) for play in (run.steady, run.returns, run.leaves))
        return Recording(steady.result(), returns.result(), leaves.result(), gateway.faults())


class _Run:
    def __init__(
        self, gateway: GatewayProcess, client: aiohttp.ClientSession, stack: contextlib.AsyncExitStack
    ) -> None:
        self._gateway = gateway
        self._client = client
        self._stack = stack

    async def _studio(self, name: str) -> AvStudio:
        """One that stands by."""
        return await self._prepared(AvStudio(self._gateway, name))

    async def _prepared(self, studio: AvStudio) -> AvStudio:
        self._stack.push_async_callback(_end, studio)
        return await studio.prepare()

    async def _play(self, name: str) -> Player:
        player = await Player.open(self._client, name, FIRST_PLAYLIST_WITHIN_S)
        self._stack.callback(player.cancel)
        return player

    async def steady(self) -> Stream:
        """Plays on, while everything is asked that a live stream can be asked."""
        await (await self._studio("steady")).start()
        player = await self._play("steady")
        started_s = time.monotonic()
        await asyncio.sleep(WARM_UP_S)
        await Prober(self._client, player).live()
        await asyncio.sleep(max(0.0, started_s + STEADY_S - time.monotonic()))
        await player.stop()
        return player.stream

    async def returns(self) -> Stream:
        """Its publisher goes with a DELETE, one of another resolution comes; recorded until the break has left."""
        first = await self._studio("returns")
        second = await self._prepared(SmallStudio(self._gateway, "returns"))
        await first.start()
        player = await self._play("returns")
        await asyncio.sleep(BEFORE_RETURN_S)
        first.signal(signal.SIGTERM)
        await second.start()
        with contextlib.suppress(AssertionError):  # then a rule tells what is missing
            await until(lambda: _break_has_left(player.stream), DISCONTINUITY_LEAVES_WITHIN_S)
        await player.stop()
        return player.stream

    async def leaves(self) -> Stream:
        """Its publisher falls silent for longer than a blocked request may wait, and then goes for good."""
        studio = await self._studio("leaves")
        await studio.start()
        player = await self._play("leaves")
        await asyncio.sleep(WARM_UP_S / 2)
        studio.signal(signal.SIGSTOP)
        await asyncio.sleep(STALL_S)
        studio.signal(signal.SIGCONT)
        await asyncio.sleep(WARM_UP_S / 2)
        prober = Prober(self._client, player)
        studio.signal(signal.SIGSTOP)
        await asyncio.sleep(0.7)  # what was under way has arrived
        await prober.silent()
        await _end(studio)
        await self._until_ended(player)
        await prober.ended()
        await (await self._studio("leaves")).start()
        await prober.again()
        await player.stop()
        return player.stream

    async def _until_ended(self, player: Player) -> None:
        deadline_s = time.monotonic() + ENDLIST_WITHIN_S
        while time.monotonic() < deadline_s:
            exchange = await fetch(self._client, player.urls["video"], PLAYLIST_HEADERS)
            if exchange.readable and exchange.playlist.ended:
                return
            await asyncio.sleep(0.1)


async def _end(studio: AvStudio) -> None:
    """By SIGTERM, so with a DELETE; by SIGKILL if that takes long, which it may just then have obeyed."""
    with contextlib.suppress(ProcessLookupError):
        await studio.stop()


def _break_has_left(stream: Stream) -> bool:
    """Whether both renditions have counted a discontinuity that they list no more."""
    newest = [exchanges[-1] for exchanges in stream.snapshots.values() if exchanges]
    return all(exchange.readable and exchange.playlist.discontinuity_sequence > 0 for exchange in newest) and bool(
        newest
    )
