"""Downloads LL-HLS as a low-latency player does, and keeps all of it: every part and segment of both renditions."""

from __future__ import annotations

import asyncio
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urljoin

import aiohttp

_START_WITHIN_S = 15.0
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


@dataclass
class Part:
    """What EXT-X-PART says, and the bytes."""

    uri: str
    duration_s: float
    is_independent: bool
    payload: bytes = b""


@dataclass
class Segment:
    """What the playlists said of a segment, and the bytes."""

    msn: int
    init_uri: str
    is_discontinuity: bool
    unix_s: float
    """EXT-X-PROGRAM-DATE-TIME; 0 where there is none."""
    parts: list[Part] = field(default_factory=list)
    uri: str | None = None
    """None while it is open."""
    duration_s: float = 0.0
    """EXTINF."""
    payload: bytes = b""


@dataclass
class Playlist:
    """One media playlist."""

    segments: list[Segment]
    hint: tuple[int, int]
    """(msn, part) that comes next."""
    is_ended: bool


class RenditionReader:
    """One rendition; `segments` holds those that were whole, from the first whose parts were all still named."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self.segments: list[Segment] = []
        self.inits: dict[str, bytes] = {}
        self._client = client
        self._url = url
        self._open: Segment | None = None
        self.is_stopped = False

    async def run(self) -> None:
        """Reload until `is_stopped` or the end of the list."""
        playlist = await self._reload("")
        while not (self.is_stopped or playlist.is_ended):
            msn, part = playlist.hint
            playlist = await self._reload(f"?_HLS_msn={msn}&_HLS_part={part}")

    def breaks(self) -> list[int]:
        """MSN of each segment that begins with a discontinuity."""
        return [segment.msn for segment in self.segments if segment.is_discontinuity]

    async def _reload(self, directives: str) -> Playlist:
        playlist = parsed((await self._fetch(self._url + directives)).decode())
        for segment in playlist.segments:
            await self._follow(segment)
        return playlist

    async def _follow(self, listed: Segment) -> None:
        """Fetch what is new of a segment."""
        if self._open is None or listed.msn != self._open.msn:
            is_next = listed.msn == self.segments[-1].msn + 1 if self.segments else bool(listed.parts)
            if self._open is not None or not is_next:
                return
            self._open = Segment(listed.msn, listed.init_uri, listed.is_discontinuity, listed.unix_s)
        kept = self._open
        if listed.init_uri not in self.inits:
            self.inits[listed.init_uri] = await self._fetch(listed.init_uri)
        for part in listed.parts[len(kept.parts) :]:
            part.payload = await self._fetch(part.uri)
            kept.parts.append(part)
        if listed.uri is not None:
            kept.uri, kept.duration_s, kept.payload = listed.uri, listed.duration_s, await self._fetch(listed.uri)
            self.segments.append(kept)
            self._open = None

    async def _fetch(self, uri: str) -> bytes:
        async with self._client.get(urljoin(self._url, uri)) as response:
            body = await response.read()
            assert response.status == 200, f"{uri}: {response.status} {body[:200]!r}"
            return body


class HlsReader:
    """Reads `stream` of a gateway in the background, from `open` to `stop`; a publisher must be on air, or coming."""

    def __init__(self, client: aiohttp.ClientSession, video_url: str, audio_url: str) -> None:
        self.video = RenditionReader(client, video_url)
        self.audio = RenditionReader(client, audio_url)
        self._tasks = [asyncio.create_task(each.run()) for each in (self.video, self.audio)]

    def __repr__(self) -> str:
        seen = (f"{len(each.segments)} segments, breaks at {each.breaks()}" for each in (self.video, self.audio))
        return f"HlsReader({'; '.join(seen)})"

    @classmethod
    async def open(cls, client: aiohttp.ClientSession, stream: str) -> Self:
        """Find the renditions in the multivariant playlist, once there is one."""
        url = f"/hls/{stream}/index.m3u8"
        async with asyncio.timeout(_START_WITHIN_S):
            while True:
                async with client.get(url) as response:
                    text = await response.text()
                    if response.status == 200:
                        break
                await asyncio.sleep(0.1)
        audio = next(_attributes(line) for line in text.splitlines() if line.startswith("#EXT-X-MEDIA:"))["URI"]
        video = next(line for line in text.splitlines() if line and not line.startswith("#"))
        return cls(client, urljoin(url, video), urljoin(url, audio))

    @classmethod
    async def read(cls, client: aiohttp.ClientSession, stream: str, seconds: float) -> Self:
        """Read for that long."""
        reader = await cls.open(client, stream)
        await asyncio.sleep(seconds)
        await reader.stop()
        return reader

    async def stop(self) -> None:
        """Finish the reloads under way; raises what went wrong in the background."""
        for rendition in (self.video, self.audio):
            rendition.is_stopped = True
        await asyncio.gather(*self._tasks)


def parsed(text: str) -> Playlist:
    """A media playlist's segments, the open one last, with what the playlist says of them but no bytes."""
    reading = _Reading()
    for line in text.splitlines():
        reading.read(line)
    return reading.playlist()


class _Reading:
    """A media playlist, line by line: tags are kept until the URI that they belong to."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._msn = 0
        self._init_uri = ""
        self._is_discontinuity = self._is_ended = False
        self._unix_s = self._duration_s = 0.0
        self._parts: list[Part] = []

    def read(self, line: str) -> None:
        tag, _, value = line.partition(":")
        match tag:
            case "#EXT-X-MEDIA-SEQUENCE":
                self._msn = int(value)
            case "#EXT-X-MAP":
                self._init_uri = _attributes(value)["URI"]
            case "#EXT-X-DISCONTINUITY":
                self._is_discontinuity = True
            case "#EXT-X-PROGRAM-DATE-TIME":
                self._unix_s = datetime.datetime.fromisoformat(value).timestamp()
            case "#EXT-X-PART":
                said = _attributes(value)
                self._parts.append(Part(said["URI"], float(said["DURATION"]), said.get("INDEPENDENT") == "YES"))
            case "#EXTINF":
                self._duration_s = float(value.partition(",")[0])
            case "#EXT-X-ENDLIST":
                self._is_ended = True
            case _ if line and not line.startswith("#"):
                self._end_segment(line)

    def _end_segment(self, uri: str | None) -> None:
        segment = Segment(
            self._msn, self._init_uri, self._is_discontinuity, self._unix_s, self._parts, uri, self._duration_s
        )
        self._segments.append(segment)
        self._msn += 1
        self._is_discontinuity, self._parts, self._unix_s = False, [], 0.0

    def playlist(self) -> Playlist:
        hint = self._msn, len(self._parts)
        if self._parts:
            self._end_segment(None)
        return Playlist(self._segments, hint, self._is_ended)


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def runs(segments: list[Segment]) -> Iterator[list[Segment]]:
    """The segments between one EXT-X-DISCONTINUITY and the next."""
    run: list[Segment] = []
    for segment in segments:
        if segment.is_discontinuity and run:
            yield run
            run = []
        run.append(segment)
    if run:
        yield run
