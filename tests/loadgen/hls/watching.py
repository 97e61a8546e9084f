"""A player by LL-HLS, a server whose faults are known, and what the one told of the other."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loadgen.figures import Interval, SessionFigures
from loadgen.hls.fetcher import Fetcher
from loadgen.hls.player import HlsPlayer, Source
from loadgen.hls.playlists import Playlists
from tests.loadgen.hls.stub import Stub, serving

BUSY_S = 0.15
"""How late a busy machine may be."""


class Watched:
    """A player, and what it told."""

    def __init__(self, url: str, preload_hints: bool = False, token: str | None = None) -> None:
        self.began_s = time.time()
        fetcher = Fetcher(None, lambda _host: False)
        figures = SessionFigures("table", "tvs", 0.0, is_sampled=True, protocol="hls")
        self.player = HlsPlayer(Source(url, token, preload_hints), fetcher, Playlists(), figures, self.began_s)
        self.total = Interval(0.0, 0.0)

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
        await watched.join()
        try:
            yield watched
        finally:
            await watched.player.leave(True)


def paths(stub: Stub, kind: str) -> list[str]:
    """Media of one rendition that was asked for, in order: `12.3`."""
    return [path.split("/")[-1].removesuffix(".m4s") for path in stub.asked if f"/{kind}/" in path and "m4s" in path]
