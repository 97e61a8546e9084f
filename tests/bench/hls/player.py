"""An LL-HLS player's requests, as hls.js makes them: of each rendition it reloads the playlist, which waits for the
next part, and fetches each part as soon as it is listed. It decodes nothing."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

from tests.bench.hls.connection import Answer, Connection, request
from tests.bench.hls.playlist import Parsed, Part, Playlist
from tests.bench.hls.tally import Tally

RETRY_S = 0.5
"""After an answer that is of no use."""

MAX_REQUESTS_KEPT = 512
"""Requests as bytes: hundreds of players ask for the same at once."""

_CLIENTS = ip_address("127.1.0.1")


@dataclass(slots=True)
class Origin:
    """Where players ask, and what they share."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    directory: str = ""
    """Path of the generation, ending in `/`."""
    tally: Tally = field(default_factory=Tally)
    parsed: Parsed = field(default_factory=Parsed)
    _requests: dict[str, bytes] = field(default_factory=dict)

    async def connect(self, on_answer: Callable[[Connection, Answer], None], client: int = 0) -> Connection:
        """A connection of that client, open."""
        loop = asyncio.get_running_loop()
        # Each has an address of its own, as servers limit what one address may have.
        address = str(_CLIENTS + client)
        _transport, connection = await loop.create_connection(
            lambda: Connection(on_answer, self._on_lost), self.host, self.port, ssl=self.tls, local_addr=(address, 0)
        )
        return connection

    def request(self, path: str) -> bytes:
        """A GET."""
        found = self._requests.get(path)
        if found is None:
            if len(self._requests) >= MAX_REQUESTS_KEPT:
                self._requests.clear()
            found = self._requests[path] = request(f"{self.host}:{self.port}", path)
        return found

    def _on_lost(self) -> None:
        self.tally.missed += 1


class Follower:
    """One rendition's requests."""

    def __init__(
        self, origin: Origin, rendition: str, client: int, on_listed: Callable[[Playlist], None] | None = None
    ) -> None:
        """Of the player with that number. With `on_listed` it asks for playlists alone, and tells it of each."""
        self._origin = origin
        self._rendition = rendition
        self._client = client
        self._on_listed = on_listed
        self._wish: Part | None = None
        self._position: Part = (-1, 0)
        """The newest part that was asked for, or put on the list."""
        self._waiting: deque[tuple[Part, float]] = deque()
        self._fetched: tuple[Part, float] | None = None
        self._connections: list[Connection] = []
        self._is_over = False

    async def start(self) -> None:
        """Connect, and go on until `close`."""
        self._connections = [await self._origin.connect(self._on_playlist, self._client)]
        if self._on_listed is None:
            self._connections.append(await self._origin.connect(self._on_part, self._client))
        self._reload()

    def close(self) -> None:
        """Leave."""
        self._is_over = True
        for connection in self._connections:
            connection.close()

    def _reload(self) -> None:
        if self._is_over:
            return
        path = f"{self._origin.directory}{self._rendition}.m3u8"
        if self._wish is not None:
            path += f"?_HLS_msn={self._wish[0]}&_HLS_part={self._wish[1]}"
        self._connections[0].ask(self._origin.request(path), keeps_body=True)

    def _on_playlist(self, _connection: Connection, answer: Answer) -> None:
        tally = self._origin.tally
        if answer.status != 200:
            tally.refused += 1
            self._wish = None
            asyncio.get_running_loop().call_later(RETRY_S, self._reload)
            return
        playlist = self._origin.parsed(answer.body)
        if self._wish is not None:
            tally.playlists += 1
            tally.playlist_bytes += answer.size_bytes
            self._note(tally.playlists_late_s, playlist.parts.get(self._wish), answer)
        self._wish = playlist.hint
        self._reload()
        if self._on_listed is not None:
            self._on_listed(playlist)
        else:
            self._fetch(playlist)

    def _fetch(self, playlist: Playlist) -> None:
        """Ask for what is new in it; of the first playlist, for the newest part alone."""
        parts = list(playlist.parts.items())
        new = [part for part in parts if part[0] > self._position] if self._position >= (0, 0) else parts[-1:]
        if new:
            self._position = new[-1][0]
            self._waiting.extend(new)
            if not self._connections[1].is_busy:
                self._fetch_next()

    def _fetch_next(self) -> None:
        self._fetched = self._waiting.popleft()
        (msn, number), _end = self._fetched
        path = f"{self._origin.directory}{self._rendition}/{msn}.{number}.m4s"
        self._connections[1].ask(self._origin.request(path), keeps_body=False)

    def _on_part(self, _connection: Connection, answer: Answer) -> None:
        tally, fetched = self._origin.tally, self._fetched
        assert fetched is not None
        tally.part_bytes += answer.size_bytes
        if answer.status == 200:
            tally.parts += 1
            self._note(tally.parts_late_s, fetched[1], answer)
        else:
            tally.refused += 1
        if self._waiting and not self._is_over:
            self._fetch_next()

    def _note(self, late_s: list[float], end_unix_s: float | None, answer: Answer) -> None:
        # Sound is written in batches and by a thread, so that its parts are later than their end: the picture's tell.
        if self._rendition == "video" and end_unix_s is not None:
            late_s.append(answer.answered_unix_s - end_unix_s)
