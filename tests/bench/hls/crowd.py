"""The process of the players: whole ones, ones that only reload a playlist, and a chorus that asks for one thing at
once.

Of each window `take` tells what was counted. All share an `Origin`; `enter` says where the stream is.
"""

import asyncio
import re
import ssl
import time
from urllib.parse import urlsplit

from tests.bench.hls.connection import Answer, Connection
from tests.bench.hls.player import Follower, Origin
from tests.bench.hls.playlist import Playlist
from tests.bench.hls.tally import Tally
from tests.bench.remote import BenchError, Service

BEAT_S = 0.2
"""How often a chorus asks for a file: a part's duration, so that requests come in the bursts in which players ask."""
_LOCATION = re.compile(rb"\r\ncontent-location: *([^\r]*/)index\.m3u8", re.IGNORECASE)


class Crowd(Service):
    """Players of the server at `url`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._origin = Origin(parts.hostname, parts.port, _trusting() if parts.scheme == "https" else None)
        self._players = 0
        self._taken_cpu_s = 0.0
        self._followers: list[Follower] = []
        self._chorus: list[Connection] = []
        self._line: tuple[bytes, set[Connection]] | None = None
        """What the chorus asks for now, and who of it could not yet."""
        self._beats: asyncio.Task[None] | None = None

    async def enter(self, stream: str) -> None:
        """Find the generation of `stream`, which then is packaged. BenchError when there is none."""
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        connection = await self._origin.connect(lambda _connection, answer: answered.set_result(answer))
        connection.ask(self._origin.request(f"/hls/{stream}/index.m3u8"), keeps_body=True)
        answer = await answered
        connection.close()
        location = _LOCATION.search(answer.head)
        if answer.status != 200 or location is None:
            raise BenchError(f"no index of {stream}: {answer.status} {answer.body!r}")
        self._origin.directory = location[1].decode()

    async def join(self, count: int) -> None:
        """Whole players: both renditions, playlists and parts."""
        for client in range(self._players, self._players + count):
            for rendition in ("video", "audio"):
                await self._follow(Follower(self._origin, rendition, client))
        self._players += count

    async def reload(self, count: int) -> None:
        """Players that do nothing but wait for the next video playlist."""
        for client in range(count):
            await self._follow(Follower(self._origin, "video", client, _ignore))

    async def ask_for_parts(self, count: int, hinted: bool) -> None:
        """A chorus that asks for each part when it is listed, or (hinted) for the one that comes next."""
        await self._open_chorus(count)
        await self._follow(
            Follower(self._origin, "video", count, self._ask_for_hint if hinted else self._ask_for_newest)
        )

    async def ask_for(self, path: str, count: int) -> None:
        """A chorus that asks for `path` every BEAT_S."""
        await self._open_chorus(count)
        self._beats = asyncio.create_task(self._beat(path))

    async def leave(self) -> None:
        """All of them."""
        if self._beats is not None:
            self._beats.cancel()
        for follower in self._followers:
            follower.close()
        for connection in self._chorus:
            connection.close()
        self._followers, self._chorus, self._line, self._beats = [], [], None, None

    async def take(self) -> Tally:
        """What was counted since this was last asked."""
        taken, self._origin.tally = self._origin.tally, Tally()
        cpu_s = time.process_time()
        taken.cpu_s, self._taken_cpu_s = cpu_s - self._taken_cpu_s, cpu_s
        return taken

    async def close(self) -> None:
        """End."""
        await self.leave()

    async def _follow(self, follower: Follower) -> None:
        self._followers.append(follower)
        await follower.start()

    async def _open_chorus(self, count: int) -> None:
        self._chorus = [await self._origin.connect(self._on_chorus, client) for client in range(count)]

    async def _beat(self, path: str) -> None:
        while True:
            self._ask_all(path)
            await asyncio.sleep(BEAT_S)

    def _ask_for_newest(self, playlist: Playlist) -> None:
        newest = next(reversed(playlist.parts), None)
        if newest is not None:
            self._ask_all(f"{self._origin.directory}video/{newest[0]}.{newest[1]}.m4s")

    def _ask_for_hint(self, playlist: Playlist) -> None:
        if playlist.hint is not None:
            self._ask_all(f"{self._origin.directory}video/{playlist.hint[0]}.{playlist.hint[1]}.m4s")

    def _ask_all(self, path: str) -> None:
        if self._line is not None:
            self._origin.tally.missed += len(self._line[1])
        asked = self._origin.request(path)
        self._line = asked, {connection for connection in self._chorus if connection.is_busy}
        for connection in self._chorus:
            if not connection.is_busy:
                connection.ask(asked, keeps_body=False)

    def _on_chorus(self, connection: Connection, answer: Answer) -> None:
        tally = self._origin.tally
        tally.part_bytes += answer.size_bytes
        tally.parts += answer.status == 200
        tally.refused += answer.status != 200
        if self._line is not None and connection in self._line[1]:
            self._line[1].remove(connection)
            connection.ask(self._line[0], keeps_body=False)


def _ignore(_playlist: Playlist) -> None:
    """Told of playlists, by who wants none of their parts."""


def _trusting() -> ssl.SSLContext:
    """For the bench's own certificate, on loopback."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
