"""A low-latency player that shows nothing and keeps everything: blocking reloads, hints, parts, segments, deltas."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Mapping
from typing import Any, Final

import aiohttp

from tests.e2e.waiting import until
from tests.hls_conformance.recording import RENDITIONS, Deltas, Exchange, Stream

PLAYLIST_HEADERS: Final = {"Accept-Encoding": "gzip"}
POLL_EVERY_S: Final = 0.3
DELTA_EVERY: Final = 8
"""Reloads."""
ASK_BEFORE_S: Final = 0.4
"""How long before its time is up a resource is asked for again."""
ANSWER_WITHIN_S: Final = 12.0


async def fetch(client: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None = None) -> Exchange:
    """GET, with the body as it came; status 0 where none comes within ANSWER_WITHIN_S, or the connection breaks."""
    asked_s = time.monotonic()
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await _fetch(client, url, headers or {"Accept-Encoding": "identity"}, asked_s)
    except (TimeoutError, aiohttp.ClientError) as error:
        return Exchange(url, 0, repr(error).encode(), asked_s=asked_s, answered_s=time.monotonic())


async def _fetch(client: aiohttp.ClientSession, url: str, headers: Mapping[str, str], asked_s: float) -> Exchange:
    async with client.get(url, headers=headers) as response:
        headers_s = time.monotonic()
        body = await response.read()
        given = {name.lower(): value for name, value in response.headers.items()}
        version = f"{response.version.major}.{response.version.minor}" if response.version else ""
        return Exchange(url, response.status, body, given, asked_s, headers_s, time.monotonic(), version)


def with_directives(url: str, **directives: object) -> str:
    return url + "?" + "&".join(f"_HLS_{name}={value}" for name, value in directives.items())


class Player:
    """Plays both renditions of a stream until `stop`. Start it by `open`."""

    def __init__(self, client: aiohttp.ClientSession, stream: Stream, urls: Mapping[str, str]) -> None:
        """`urls` are the paths of the media playlists by rendition."""
        self.stream = stream
        self.urls = urls
        self._client = client
        self._tasks: set[asyncio.Task[None]] = set()
        self._left: set[str] = set()
        self._stopped = asyncio.Event()

    @classmethod
    async def open(cls, client: aiohttp.ClientSession, name: str, within_s: float) -> Player:
        """Wait for the multivariant playlist, find both renditions in it, and begin to play."""
        deadline_s = time.monotonic() + within_s
        url = f"/hls/{name}/index.m3u8"
        while (index := await fetch(client, url, PLAYLIST_HEADERS)).status != 200:
            assert time.monotonic() < deadline_s, (
                f"no multivariant playlist of {name} but {index.status}: {index.body!r}"
            )
            await asyncio.sleep(0.1)
        stream = Stream(name, index)
        player = cls(client, stream, _media_playlists(stream))
        for rendition in RENDITIONS:
            player.spawn(player._reload(rendition))
            player.spawn(player._poll(rendition))
        return player

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it at the side; what it raises, `stop` raises."""
        self._tasks.add(asyncio.create_task(work))

    async def stop(self) -> None:
        """End the reloads, and let what was asked be answered."""
        self._stopped.set()
        while running := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(running)
        for task in self._tasks:
            task.result()

    def cancel(self) -> None:
        """Give up, where something else has failed."""
        for task in self._tasks:
            task.cancel()

    async def latest(self, rendition: str) -> Exchange:
        """The newest playlist that came; waits for the first."""
        await until(lambda: any(map(_readable, self.stream.snapshots[rendition])))
        return max(filter(_readable, self.stream.snapshots[rendition]), key=lambda exchange: exchange.playlist.edge)

    # Playlists

    async def _reload(self, rendition: str) -> None:
        """Ask for each next part, as a low-latency player does; every now and then for deltas beside it."""
        first = await self._whole(rendition, self.urls[rendition])
        assert first.readable, f"no media playlist but {first.status}: {first.body[:400]!r}"
        playlist, reloads = first.playlist, 0
        while not self._stopped.is_set() and not playlist.ended:
            msn, part = playlist.edge
            url = with_directives(self.urls[rendition], msn=msn, part=part)
            reloads += 1
            if reloads % DELTA_EVERY == 0:
                whole, yes, v2 = await asyncio.gather(
                    self._whole(rendition, url),
                    *(fetch(self._client, f"{url}&_HLS_skip={skip}", PLAYLIST_HEADERS) for skip in ("YES", "v2")),
                )
                self.stream.deltas.append(Deltas(whole, yes, v2))
            else:
                whole = await self._whole(rendition, url)
            if whole.readable:
                playlist = whole.playlist
            else:
                await asyncio.sleep(POLL_EVERY_S)

    async def _poll(self, rendition: str) -> None:
        """Look without directives, as an older player does."""
        while not self._stopped.is_set():
            await asyncio.sleep(POLL_EVERY_S)
            await self._whole(rendition, self.urls[rendition])

    async def _whole(self, rendition: str, url: str) -> Exchange:
        exchange = await fetch(self._client, url, PLAYLIST_HEADERS)
        if exchange.status == 200:
            self._keep(rendition, exchange)
        return exchange

    def _keep(self, rendition: str, exchange: Exchange) -> None:
        before = next(filter(_readable, reversed(self.stream.snapshots[rendition])), None)
        self.stream.snapshots[rendition].append(exchange)
        if not exchange.readable:
            return
        self._ask_for_new(exchange)
        if before is not None:
            self._note_what_left(rendition, before, exchange)

    # Resources

    def _ask_for_new(self, exchange: Exchange) -> None:
        playlist = exchange.playlist
        for hint in playlist.attributes_of("EXT-X-PRELOAD-HINT"):
            self._ask_once(exchange.resolve(hint.text("URI")), self.stream.hinted)
        for segment in playlist.all_segments:
            uris = [part.uri for part in segment.parts if not part.gap] + (
                [segment.init_uri] if segment.init_uri else []
            )
            if segment.uri is not None and not segment.gap:
                uris.append(segment.uri)
            for uri in uris:
                self._ask_once(exchange.resolve(uri), self.stream.listed)

    def _ask_once(self, path: str, kept: dict[str, Exchange], after_s: float = 0.0) -> None:
        if path in kept:
            return
        kept[path] = Exchange(path, 0)  # under way

        async def ask() -> None:
            if after_s and await self._stops_within(after_s):
                del kept[path]
            else:
                kept[path] = await fetch(self._client, path)

        self.spawn(ask())

    async def _stops_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._stopped.wait()
        return False

    def _note_what_left(self, rendition: str, before: Exchange, now: Exchange) -> None:
        """Ask for parts and segments that are listed no more at the last moment when they must be there (6.2.2)."""
        target_s = now.playlist.target_duration_s
        parts_now = {now.resolve(part.uri) for part in now.playlist.parts}
        for part in before.playlist.parts:
            path = before.resolve(part.uri)
            if path not in parts_now and now.playlist.edge >= before.playlist.edge:
                self._ask_once(path, self.stream.late, 3 * target_s - ASK_BEFORE_S)
        for segment in before.playlist.segments:
            path = before.resolve(segment.uri or "")
            if segment.msn < now.playlist.media_sequence and path not in self._left:
                self._left.add(path)
                self._ask_once(path, self.stream.late, self._remaining_s(rendition, segment.msn))

    def _remaining_s(self, rendition: str, msn: int) -> float:
        """Until a segment that left has been available for as long as section 6.2.2 has it."""
        held = [
            exchange
            for exchange in filter(_readable, self.stream.snapshots[rendition])
            if exchange.playlist.media_sequence <= msn <= exchange.playlist.last_msn
        ]
        longest_s = max(exchange.playlist.duration_s for exchange in held)
        duration_s = next(s.duration_s or 0.0 for s in held[0].playlist.segments if s.msn == msn)
        return max(0.0, held[0].answered_s + duration_s + longest_s - ASK_BEFORE_S - time.monotonic())


def _readable(exchange: Exchange) -> bool:
    return exchange.readable


def _media_playlists(stream: Stream) -> dict[str, str]:
    playlist = stream.multivariant_playlist
    video = next(line.text for line in playlist.lines if line.tag is None)
    audio = next(a for line in playlist.all("EXT-X-MEDIA") if (a := line.attributes)["TYPE"] == "AUDIO").text("URI")
    return {"video": stream.multivariant.resolve(video), "audio": stream.multivariant.resolve(audio)}
