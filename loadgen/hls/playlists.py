"""Parsed playlists, shared by the players of a process: at a live edge hundreds of them are given the same bytes."""

from dataclasses import dataclass

from loadgen.hls.fetcher import Answer
from loadgen.hls.playlist import MediaPlaylist, parse_media_playlist
from loadgen.hls.rules import violations

MAX_KEPT = 256
"""Of both renditions and both kinds (whole, delta) of some dozens of streams, the newest of each."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What stands in one answer."""

    playlist: MediaPlaylist
    violations: frozenset[str]
    """Rules that it breaks."""


class Playlists:
    """See the module."""

    def __init__(self) -> None:
        self._parsed: dict[bytes, Parsed] = {}

    def parse(self, answer: Answer) -> Parsed:
        """WireError for what cannot be used."""
        known = self._parsed.get(answer.body)
        if known is not None:
            return known
        playlist = parse_media_playlist(answer.text())
        parsed = Parsed(playlist, violations(playlist))
        if len(self._parsed) >= MAX_KEPT:
            del self._parsed[next(iter(self._parsed))]
        self._parsed[answer.body] = parsed
        return parsed
