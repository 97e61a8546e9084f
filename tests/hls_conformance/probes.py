"""Questions that no player asks in the course of playing: each is kept under its name in `Stream.answers`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Final

import aiohttp

from tests.hls_conformance.player import ASK_BEFORE_S, PLAYLIST_HEADERS, Player, fetch, with_directives
from tests.hls_conformance.reader import MediaPlaylist
from tests.hls_conformance.recording import Exchange

FAR: Final = 1_000_000
NO_NUMBERS: Final = ("-1", "abc", "1.5", "0x1", "%2B1", "", "1e3", "%D9%A3")
"""No decimal-integer (4.2): the last is a digit of another script."""
OVERFLOW: Final = 12
"""Parts: more than a segment of 2 s still lacks at its begin at 200 ms, less than the Advance Part Limit of 3/0.21."""


class Prober:
    """Asks a stream's video rendition, beside its player."""

    def __init__(self, client: aiohttp.ClientSession, player: Player) -> None:
        self._client = client
        self._player = player
        self._url = player.urls["video"]
        self._answers = player.stream.answers

    async def ask(self, question: str, url: str, headers: Mapping[str, str] | None = None) -> Exchange:
        answer = self._answers[question] = await fetch(self._client, url, headers or PLAYLIST_HEADERS)
        return answer

    async def ask_playlist(self, question: str, **directives: object) -> Exchange:
        return await self.ask(question, with_directives(self._url, **directives))

    async def _edge(self) -> MediaPlaylist:
        """The playlist as it is now; the last one that came, should the answer be none."""
        now = await fetch(self._client, self._url, PLAYLIST_HEADERS)
        return now.playlist if now.readable else (await self._player.latest("video")).playlist

    # While the stream is live

    async def live(self) -> None:
        """Everything that can be asked of a stream that is well."""
        await asyncio.gather(
            self._blocking(), self._overflow(), self._too_far(), self._bad_numbers(), self._not_found(), self._http()
        )

    async def _blocking(self) -> None:
        playlist = await self._edge()
        await asyncio.gather(
            self.ask_playlist("msn of the open segment", msn=playlist.open.msn),
            self.ask_playlist("msn of the last segment", msn=playlist.last_msn),
            self.ask_playlist("last msn plus two", msn=playlist.last_msn + 2),
            self.ask_playlist("old msn", msn=playlist.media_sequence),
            self.ask_playlist("old msn and part", msn=playlist.media_sequence, part=0),
            self.ask_playlist("msn before the window", msn=max(0, playlist.media_sequence - 1), part=0),
        )

    async def _overflow(self) -> None:
        playlist = await self._edge()
        closed = playlist.segments[-1]
        while len(playlist.open.parts) > 2:  # near the begin of a segment, so that the overflow is not too far
            playlist = await self._edge()
            await asyncio.sleep(0.05)
        part = len(playlist.open.parts) - 1 + OVERFLOW
        await asyncio.gather(
            self.ask_playlist("part beyond a closed segment", msn=closed.msn, part=max(1, len(closed.parts))),
            self.ask_playlist("part beyond the open segment", msn=playlist.open.msn, part=part),
        )

    async def _too_far(self) -> None:
        playlist = await self._edge()
        await asyncio.gather(
            self.ask_playlist("msn too far", msn=playlist.last_msn + 5),
            self.ask_playlist("msn much too far", msn=FAR, part=0),
            self.ask_playlist("msn beyond 64 bits", msn=2**70),
            self.ask_playlist("part too far", msn=playlist.open.msn, part=len(playlist.open.parts) + 40),
            self.ask_playlist("part without msn", part=0),
        )

    async def _bad_numbers(self) -> None:
        for text in NO_NUMBERS:
            await self.ask_playlist(f"msn {text!r}", msn=text)
            await self.ask_playlist(f"part {text!r}", msn=0, part=text)

    async def _not_found(self) -> None:
        latest = await self._player.latest("video")
        hints = latest.playlist.attributes_of("EXT-X-PRELOAD-HINT")
        hint = next((latest.resolve(hint.text("URI")) for hint in hints if hint["TYPE"] == "PART"), self._url)
        # The hint's path with another last number, then with another number before it: parts that nobody hinted.
        await self.ask("part far beyond the hint", re.sub(r"\d+(\.\w+)$", rf"{FAR}\1", hint))
        await self.ask("segment far beyond the edge", re.sub(r"\d+(\.\d+\.\w+)$", rf"{FAR}\1", hint))
        await self.ask("unknown playlist", self._url.rpartition("/")[0] + "/nothing.m3u8")
        await self.ask("unknown stream", "/hls/nobody/index.m3u8")
        await self.ask("unknown stream, blocking", with_directives("/hls/nobody/video.m3u8", msn=1, part=0))

    async def _http(self) -> None:
        await self.ask("without gzip", self._url, {"Accept-Encoding": "identity"})
        await self.ask(
            "multivariant without gzip", self._player.stream.multivariant.url, {"Accept-Encoding": "identity"}
        )
        await self.ask("from another origin", self._url, {"Origin": "https://elsewhere.example"})
        segment = (await self._edge()).segments[-1]
        playlist = await self._player.latest("video")
        path = playlist.resolve(segment.uri or "")
        await self.ask("segment from another origin", path, {"Origin": "https://elsewhere.example"})
        await self._conditional()
        await self._twice()

    async def _conditional(self) -> None:
        """ETag and If-None-Match, until both fall between two updates."""
        for _ in range(5):
            first = await self.ask("with a tag", self._url, PLAYLIST_HEADERS)
            again = {**PLAYLIST_HEADERS, "If-None-Match": first.headers.get("etag", '"none"')}
            if (await self.ask("with the same tag", self._url, again)).status == 304:
                return

    async def _twice(self) -> None:
        """The same blocking request twice, at once and once more when it is answered."""
        msn, part = (await self._edge()).edge
        await asyncio.gather(
            self.ask_playlist("the same, first", msn=msn, part=part),
            self.ask_playlist("the same, second", msn=msn, part=part),
        )
        await self.ask_playlist("the same, later", msn=msn, part=part)

    # When the publisher has fallen silent

    async def silent(self) -> None:
        """Requests that can not be answered before their deadline."""
        playlist = (await self._player.latest("video")).playlist
        msn, part = playlist.edge
        await asyncio.gather(
            self.ask_playlist("silent, next part", msn=msn, part=part),
            self.ask_playlist("silent, next segment", msn=msn),
            self.ask("silent, now", self._url),
        )

    # When the stream has ended

    async def ended(self) -> None:
        """Directives at once; media at the last moment when they must be there."""
        playlist = await self._edge()
        await asyncio.gather(
            self.ask_playlist("ended, next segment", msn=playlist.last_msn + 1),
            self.ask_playlist("ended, next part", msn=playlist.last_msn + 1, part=0),
            self.ask_playlist("ended, msn too far", msn=FAR),
            self.ask_playlist("ended, skip", skip="YES"),
            self.ask("ended", self._url),
            self.ask("ended, index", self._player.stream.multivariant.url),
        )
        await asyncio.sleep(max(0.0, playlist.duration_s - ASK_BEFORE_S))
        last = await self._player.latest("video")
        for segment in last.playlist.all_segments:
            uris = (segment.uri, segment.init_uri, *(part.uri for part in segment.parts))
            for path in {last.resolve(uri) for uri in uris if uri is not None}:
                await self.ask(f"ended, media {path}", path)

    # When somebody publishes under that name again

    async def again(self) -> None:
        """Ask for the stream until it is there, and then for what was its playlist."""
        for _ in range(60):
            if (await self.ask("again, index", self._player.stream.multivariant.url)).status == 200:
                break
            await asyncio.sleep(0.1)
        await self.ask("again, old playlist", self._url)
