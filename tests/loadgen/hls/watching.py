"""A player by LL-HLS, a server whose faults are known, and what the one told of the other."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loadgen.figures import Interval, SessionFigures
from loadgen.hls.fetcher import Fetcher
from loadgen.hls.player import HlsPlayer, Source
from loadgen.hls.playlists import Playlists
from tests.loadgen.hls.stub import HOLD_BACK_S, PART_S, Stub, serving

BUSY_S = 0.15
"""How late a machine may be that is not busy with anything else; on top comes `Watched.held_up_s`."""
BREATH_S = 0.01


class Watched:
    """A player, and what it told."""

    def __init__(self, url: str, preload_hints: bool = False, token: str | None = None) -> None:
        self.began_s = time.time()
        fetcher = Fetcher(None, lambda _host: False)
        figures = SessionFigures("table", "tvs", 0.0, is_sampled=True, protocol="hls")
        self.player = HlsPlayer(Source(url, token, preload_hints), fetcher, Playlists(), figures, self.began_s)
        self.total = Interval(0.0, 0.0)
        self.held_up_s = 0.0
        """How much later than it should this process has run, summed up: player and server are both in it."""

    @property
    def stalls_excused(self) -> int:
        """How many `held_up_s` could have made: what is buffered lasts HOLD_BACK_S, less a part, at least."""
        return int(self.held_up_s / (HOLD_BACK_S - PART_S))

    async def breathe(self) -> None:
        """Measure that, until cancelled."""
        while True:
            due_s = time.monotonic() + BREATH_S
            await asyncio.sleep(BREATH_S)
            late_s = time.monotonic() - due_s
            self.held_up_s += late_s if late_s > BREATH_S else 0.0

    async def join(self) -> None:
        await self.player.join(time.time())
        self.player.begin(time.time())

    async def watch(self, seconds: float) -> None:
        """So long; figures are taken every tenth of a second."""
        until_s = time.time() + seconds
        while time.time() < until_s:
            await asyncio.sleep(0.1)
            self.look()

    def look(self) -> None:
        interval = Interval(0.0, 0.0)
        self.player.take(interval, time.time())
        self.total.merge(interval)

    async def leave(self) -> SessionFigures:
        await self.player.leave(False)
        interval = Interval(0.0, 0.0)
        figures = self.player.finish(interval, "run_end", time.time())
        self.total.merge(interval)
        return figures


@asynccontextmanager
async def watching(stub: Stub, preload_hints: bool = False) -> AsyncIterator[Watched]:
    """A player that has joined."""
    async with serving(stub) as url:
        watched = Watched(url, preload_hints)
        breathing = asyncio.create_task(watched.breathe())
        try:
            await watched.join()
            yield watched
        finally:
            breathing.cancel()
            await watched.player.leave(True)


def paths(stub: Stub, kind: str) -> list[str]:
    """Media of one rendition that was asked for, in order: `12.3`."""
    return [path.split("/")[-1].removesuffix(".m4s") for path in stub.asked if f"/{kind}/" in path and "m4s" in path]
