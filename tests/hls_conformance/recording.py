"""What a gateway answered: requests and answers with their times, by stream and rendition, and the playlists in it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Final
from urllib.parse import parse_qs, urljoin, urlsplit

from tests.hls_conformance.attributes import PlaylistError
from tests.hls_conformance.reader import MediaPlaylist, Part, Playlist, Segment

RENDITIONS: Final = ("video", "audio")


@dataclass(frozen=True, repr=False)
class Exchange:
    """One request and its answer. Times are seconds of one monotonic clock."""

    url: str
    """Path and query."""
    status: int
    """0 where no answer came in time."""
    wire_body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    asked_s: float = 0.0
    headers_s: float = 0.0
    answered_s: float = 0.0
    http_version: str = "1.1"

    @cached_property
    def body(self) -> bytes:
        return gzip.decompress(self.wire_body) if self.headers.get("content-encoding") == "gzip" else self.wire_body

    @cached_property
    def playlist(self) -> MediaPlaylist:
        """PlaylistError when the body is none."""
        return MediaPlaylist(self.body)

    @cached_property
    def readable(self) -> bool:
        """Whether it is a Media Playlist."""
        try:
            return self.status == 200 and bool(self.playlist.lines)
        except PlaylistError:
            return False

    @cached_property
    def text(self) -> Playlist | PlaylistError:
        """As a playlist of either sort, or what is wrong with it."""
        try:
            return Playlist(self.body)
        except PlaylistError as error:
            return error

    @property
    def directives(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def took_s(self) -> float:
        return self.answered_s - self.asked_s

    @property
    def max_age_s(self) -> float | None:
        """Of Cache-Control; 0 for no-store and no-cache, None where it says nothing."""
        directives = [item.strip() for item in self.headers.get("cache-control", "").lower().split(",")]
        if "no-store" in directives or "no-cache" in directives:
            return 0.0
        return next((float(item.partition("=")[2]) for item in directives if item.startswith("max-age=")), None)

    def resolve(self, uri: str) -> str:
        """The path of a URI of this playlist (section 4.1: relative to the playlist)."""
        return urljoin(urlsplit(self.url).path, uri)

    def __repr__(self) -> str:
        return f"{self.url.rsplit('/', 1)[-1]} ({self.status}, at {self.answered_s:.2f} s)"


@dataclass(frozen=True)
class Deltas:
    """The same version of a playlist, asked for whole and with _HLS_skip=YES and v2."""

    whole: Exchange
    yes: Exchange
    v2: Exchange


@dataclass(eq=False, repr=False)
class Stream:
    """All that one player saw of a stream."""

    name: str
    multivariant: Exchange
    snapshots: dict[str, list[Exchange]] = field(default_factory=lambda: {name: [] for name in RENDITIONS})
    """Whole playlists that came with 200, by rendition, in order of their arrival."""
    deltas: list[Deltas] = field(default_factory=list)
    listed: dict[str, Exchange] = field(default_factory=dict)
    """Init sections, parts and segments by path, each asked for as soon as it was listed."""
    hinted: dict[str, Exchange] = field(default_factory=dict)
    """By path, each asked for as soon as it was hinted."""
    late: dict[str, Exchange] = field(default_factory=dict)
    """Asked for again when they had left the playlist, just before the time when they may go for good."""
    answers: dict[str, Exchange] = field(default_factory=dict)
    """Of the probes, by the name of the question."""

    def playlists(self, rendition: str) -> Iterator[tuple[Exchange, MediaPlaylist]]:
        """Those that can be read; that all can be is a rule of its own."""
        return ((exchange, exchange.playlist) for exchange in self.snapshots[rendition] if exchange.readable)

    def every_playlist(self) -> Iterator[tuple[Exchange, MediaPlaylist]]:
        for rendition in RENDITIONS:
            yield from self.playlists(rendition)

    def updates(self, rendition: str) -> Iterator[tuple[Exchange, MediaPlaylist, MediaPlaylist]]:
        """Each playlist that differs, with the one before it of the same chain: an answer to a blocking reload may
        overtake one to a request without directives; within each sort a request begins when the last is answered."""
        before: dict[bool, MediaPlaylist] = {}
        for exchange, playlist in self.playlists(rendition):
            is_blocking = bool(exchange.directives)
            if is_blocking in before and playlist.text != before[is_blocking].text:
                yield exchange, before[is_blocking], playlist
            before[is_blocking] = playlist

    def bodies(self) -> Iterator[tuple[str, Exchange]]:
        """Every playlist of either sort, readable or not, with a name for it."""
        yield "multivariant", self.multivariant
        for rendition in RENDITIONS:
            for exchange in self.snapshots[rendition]:
                yield f"{rendition} {exchange}", exchange
        for deltas in self.deltas:
            for exchange in (deltas.yes, deltas.v2):
                if exchange.status == 200:
                    yield f"delta {exchange}", exchange

    @cached_property
    def multivariant_playlist(self) -> Playlist:
        return Playlist(self.multivariant.body)

    @cache  # noqa: B019 - asked by the rules, when the recording is over and is kept to the end
    def segments(self, rendition: str) -> dict[str, Segment]:
        """Every whole segment that was ever listed, by path, as it was listed first."""
        found: dict[str, Segment] = {}
        for exchange, playlist in self.playlists(rendition):
            for segment in playlist.segments:
                found.setdefault(exchange.resolve(segment.uri or ""), segment)
        return found

    @cache  # noqa: B019
    def parts(self, rendition: str) -> dict[str, Part]:
        """Every part that was ever listed, by path."""
        found: dict[str, Part] = {}
        for exchange, playlist in self.playlists(rendition):
            for part in playlist.parts:
                found.setdefault(exchange.resolve(part.uri), part)
        return found

    @cache  # noqa: B019
    def init_of(self, rendition: str) -> dict[int, str]:
        """Path of the init section that applies, by MSN."""
        found: dict[int, str] = {}
        for exchange, playlist in self.playlists(rendition):
            for segment in playlist.all_segments:
                if segment.init_uri is not None:
                    found.setdefault(segment.msn, exchange.resolve(segment.init_uri))
        return found


@dataclass
class Recording:
    """One run: streams by what happened to them."""

    steady: Stream
    returns: Stream
    """Its publisher went, and one with a smaller picture came at once."""
    leaves: Stream
    """Its publisher stalled for two parts, fell silent for longer than a request may block, and went; another came."""

    faults: list[str] = field(default_factory=list)
    """Lines of the gateway's log that only a bug writes."""

    @property
    def streams(self) -> tuple[Stream, ...]:
        return self.steady, self.returns, self.leaves
